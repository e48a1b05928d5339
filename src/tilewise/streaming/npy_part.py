"""An NPY file of rows, read in runs with plain reads: no map, so no pages that count as ours."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LABELS_SUFFIX", "NpyPart", "open_npy"]

Array = NDArray[Any]

LABELS_SUFFIX = ".y.npy"


@dataclass(frozen=True)
class _NpyFile:
    path: Path
    offset: int  # of the data, in bytes
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def read(self, start: int, stop: int) -> Array:
        width = int(np.prod(self.shape[1:], dtype=np.int64))
        with open(self.path, "rb") as file:
            file.seek(self.offset + start * width * self.dtype.itemsize)
            values = np.fromfile(file, self.dtype, (stop - start) * width)
        if len(values) != (stop - start) * width:
            raise ValueError(f"{self.path} has become shorter while it was read; write it anew")
        return values.reshape(stop - start, *self.shape[1:])


@dataclass(frozen=True)
class NpyPart:
    """An NPY file (n, d + 1) with a column of labels, or (n, d) with its labels beside it."""

    file: _NpyFile
    labels: _NpyFile | None
    target: int  # the column of labels, where they are in the file

    @property
    def name(self) -> str:
        """The file's path."""
        return os.fspath(self.file.path)

    @property
    def n_rows(self) -> int:
        """Rows of the file."""
        return self.file.shape[0]

    @property
    def n_features(self) -> int:
        """Columns, but for that of the labels."""
        return self.file.shape[1] - (self.labels is None)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of X."""
        return self.file.dtype

    def read(self, start: int, stop: int) -> tuple[Array, Array]:
        """Return rows; see `Part.read`."""
        table = self.file.read(start, stop)
        if self.labels is not None:
            return table, self.labels.read(start, stop)
        y = table[:, self.target].copy()
        table[:, self.target : -1] = table[:, self.target + 1 :]
        return table[:, :-1], y


def open_npy(path: Path, target: int | None) -> NpyPart:
    """Return a file's rows, or raise and say what is wrong with it; read only the header.

    The labels are in NAME.y.npy beside NAME.npy, if that is there and `target` is None, and else in
    the column `target` (from 0; negative from the end), by default the last.
    """
    file = _header(path, ndim=2)
    beside = path.with_name(path.name.removesuffix(".npy") + LABELS_SUFFIX)
    if target is None and beside.exists():
        labels = _header(beside, ndim=1)
        if labels.shape[0] != file.shape[0]:
            raise ValueError(
                f"{beside} has {labels.shape[0]} labels for {file.shape[0]} rows of {path.name}; "
                "give one a row"
            )
        return NpyPart(file, labels, -1)
    d = file.shape[1]
    column = -1 if target is None else target
    if not -d <= column < d:
        raise ValueError(f"target={column} is not a column of {path}; give {-d} to {d - 1}")
    if d < 2:
        raise ValueError(f"{path} has one column; add features, or labels in {beside.name}")
    return NpyPart(file, None, column % d)


def _header(path: Path, *, ndim: int) -> _NpyFile:
    try:
        with open(path, "rb") as file:
            version = np.lib.format.read_magic(file)
            read = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }[version]
            shape, fortran, dtype = read(file)
            offset, size = file.tell(), os.fstat(file.fileno()).st_size
    except OSError as error:
        raise type(error)(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError) as error:
        raise ValueError(f"{path} is not a whole NPY file: {error}; write it anew") from None
    if dtype.hasobject:
        raise ValueError(f"{path} holds pickled objects, which are not read; save float32 numbers")
    if dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise TypeError(f"{path} has dtype {dtype}; save float32 or float64")
    if len(shape) != ndim or 0 in shape:
        wanted = "(n, d)" if ndim == 2 else "(n,)"
        raise ValueError(f"{path} has shape {shape}; save shape {wanted} with at least one row")
    if fortran and ndim == 2 and min(shape) > 1:
        raise ValueError(f"{path} is in Fortran order; save np.ascontiguousarray of it")
    if size - offset < int(np.prod(shape)) * dtype.itemsize:
        raise ValueError(f"{path} is cut short at {size} bytes; write it anew")
    return _NpyFile(path, offset, shape, dtype)
