"""The progress bar of tqdm, which is an extra."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tilewise._extras import required

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(progress: bool, **settings: Any) -> Iterator[Any]:
    """Give a bar with these settings of tqdm, or None if no progress is wanted.

    Raises
    ------
    ImportError
        tqdm is not installed.
    """
    if not progress:
        yield None
        return
    tqdm = required("tqdm", "report", "progress=True needs tqdm").tqdm
    with tqdm(**settings) as bar:
        yield bar
