"""Where measurements are kept."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return tilewise's folder in the user's cache, which may be yet to make.

    Examples
    --------
    >>> cache_folder().name
    'tilewise'
    """
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "tilewise"
