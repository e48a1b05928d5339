"""An array of rows, such as a memory map larger than memory."""

import mmap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tilewise._checks import Array, check_array, check_shape
from tilewise.data.dataset import Reader, reader_of
from tilewise.data.npy import split

__all__ = ["ArrayPart"]


@dataclass(frozen=True)
class ArrayPart:
    """An array with its labels, in any layout, mapped or not."""

    X: Array
    y: Array
    maps: tuple[mmap.mmap, ...]  # under X and y
    name: str = ""

    @classmethod
    def checked(cls, X: Any, y: Any) -> "ArrayPart":
        """Return the part, or raise; nothing is read."""
        arrays = [check_array(name, value) for name, value in (("X", X), ("y", y))]
        for name, array in zip(("X", "y"), arrays, strict=True):
            if array.dtype.type not in (np.float32, np.float64):
                raise TypeError(f"{name} has dtype {array.dtype}; give float32 or float64")
        X, y = check_shape("X", arrays[0], ndim=2), check_shape("y", arrays[1], ndim=1)
        if len(y) != len(X):
            raise ValueError(f"y has length {len(y)}; give one of length {len(X)}")
        return cls(X, y, tuple(map_ for map_ in map(_map_of, (X, y)) if map_ is not None))

    @property
    def n_rows(self) -> int:
        """Rows of X."""
        return len(self.X)

    @property
    def n_features(self) -> int:
        """Columns of X."""
        return int(self.X.shape[1])

    @property
    def width(self) -> int:
        """Columns of X."""
        return self.n_features

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of X, in native byte order."""
        return np.dtype(self.X.dtype.type)

    @property
    def names(self) -> None:
        """None: the columns have no names."""

    @property
    def label_column(self) -> tuple[int, str | None]:
        """After X, without a name."""
        return self.n_features, None

    @property
    def reading_bytes(self) -> int:
        """Nothing of its own; see `Part.reading_bytes`."""
        return 0

    def borders(self, chunk_rows: int) -> Iterable[tuple[int, int]]:
        """Return runs of rows; see `Part.borders`."""
        return split(self.n_rows, chunk_rows)

    def reader(self, start: int, stop: int) -> Reader:
        """Return what reads a run; see `Part.reader`."""
        copy = reader_of(self.X[start:stop], self.y[start:stop])

        def read(table: Array, y: Array) -> None:
            copy(table, y)
            for map_ in self.maps:
                # What has been read stays in the page cache, but no longer counts as ours.
                map_.madvise(mmap.MADV_DONTNEED)

        return read


def _map_of(array: Array) -> mmap.mmap | None:
    """Return the map of a file that the array lies in, unless what is in it would be lost."""
    base: Any = array
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap) and base.mode == "c":  # changes are in memory alone
            return None
        base = base.base
    return base if isinstance(base, mmap.mmap) else None
