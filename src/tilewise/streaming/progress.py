"""A progress bar of the bytes that have been trained on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["bar_of_bytes"]


@contextmanager
def bar_of_bytes(progress: bool, total: int | None) -> Iterator[Callable[[int], Any]]:
    """Give what counts bytes: on a bar that shows them and their rate, if wanted."""
    if not progress:
        yield lambda n_bytes: None
        return
    try:
        from tqdm import tqdm
    except ImportError:
        raise ImportError(
            'progress=True needs tqdm, which is missing; pip install "tilewise[report]"'
        ) from None
    with tqdm(total=total, unit="B", unit_scale=True) as bar:
        yield bar.update
