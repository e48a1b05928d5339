"""A progress bar of the bytes that have been trained on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tilewise._progress import progress_bar

__all__ = ["bar_of_bytes"]


@contextmanager
def bar_of_bytes(progress: bool, total: int | None) -> Iterator[Callable[[int], Any]]:
    """Give what counts bytes: on a bar that shows them and their rate, if wanted."""
    with progress_bar(progress, total=total, unit="B", unit_scale=True) as bar:
        yield (lambda n_bytes: None) if bar is None else bar.update
