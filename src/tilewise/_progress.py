"""The progress bar of tqdm, which is an extra."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from tilewise._extras import required

__all__ = ["progress_bar"]


def progress_bar(progress: bool, **settings: Any) -> AbstractContextManager[Any]:
    """Give a bar with these settings of tqdm, or None if no progress is wanted."""
    if not progress:
        return nullcontext()
    bar: AbstractContextManager[Any] = required("tqdm", "report", "progress=True needs tqdm").tqdm(
        **settings
    )
    return bar
