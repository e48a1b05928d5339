"""An array of rows, such as a memory map larger than memory."""

import mmap
from typing import Any

import numpy as np

from tilewise._checks import Array, check_array, check_shape
from tilewise.data.columns import Columns
from tilewise.data.dataset import Fragment, Reader


def array_fragment(X: Any, y: Any, name: str = "", columns: Columns | None = None) -> Fragment:
    """Return X (n, d) and y (n,), in any layout, mapped or not, as a fragment, or raise."""
    X, y = (check_array(argument, value) for argument, value in (("X", X), ("y", y)))
    for argument, array in (("X", X), ("y", y)):
        if array.dtype.type not in (np.float32, np.float64):
            raise TypeError(f"{argument} has dtype {array.dtype}; give float32 or float64")
    X, y = check_shape("X", X, ndim=2), check_shape("y", y, ndim=1)
    if len(y) != len(X):
        raise ValueError(f"y has length {len(y)}; give one of length {len(X)}")
    maps = [map_ for map_ in map(_map_of, (X, y)) if map_ is not None]

    def reader(start: int, stop: int) -> Reader:
        done = start

        def read(table: Array, labels: Array) -> None:
            nonlocal done
            rows = slice(done, done + len(labels))
            done = rows.stop
            with np.errstate(over="ignore"):  # infinity is found by the training
                table[:, : X.shape[1]], labels[:] = X[rows], y[rows]
            for map_ in maps:
                # What has been read stays in the page cache, but no longer counts as ours.
                map_.madvise(mmap.MADV_DONTNEED)

        return read

    d = X.shape[1]
    return Fragment(name, len(X), d, d, np.dtype(X.dtype.type), reader, columns)


def _map_of(array: Array) -> mmap.mmap | None:
    """Return the map of a file that the array lies in, unless what is in it would be lost."""
    base: Any = array
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap) and base.mode == "c":  # changes are in memory alone
            return None
        base = base.base
    return base if isinstance(base, mmap.mmap) else None
