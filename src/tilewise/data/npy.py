"""An NPY file of rows, read with plain reads: no map, so no pages that count as ours."""

import math
import os
import warnings
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from tilewise._checks import Array
from tilewise.data.columns import position_of
from tilewise.data.dataset import Reader

__all__ = ["LABELS_SUFFIX", "NpyFile", "NpyPart", "from_end", "open_labels", "open_npy", "split"]


LABELS_SUFFIX = ".y.npy"


def split(n_rows: int, chunk_rows: int) -> Iterable[tuple[int, int]]:
    """Return runs of `chunk_rows` rows; the last may be shorter."""
    return ((i, min(i + chunk_rows, n_rows)) for i in range(0, n_rows, chunk_rows))


@dataclass(frozen=True)
class NpyFile:
    """An array in a file, of which rows are read."""

    path: Path
    offset: int  # of the data, in bytes
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def reader(self, start: int) -> Callable[[Array], None]:
        """Return what fills arrays with the rows from `start` on, one after the other.

        It keeps the file open, so that the system reads ahead, until it is no longer used.
        """
        file = self._opened()
        file.seek(self.offset + start * int(np.prod(self.shape[1:])) * self.dtype.itemsize)

        def read(out: Array) -> None:
            direct = out.dtype == self.dtype and out.flags.c_contiguous
            rows = out if direct else np.empty(out.shape, self.dtype)
            try:
                n_bytes = file.readinto(rows.data.cast("B"))
            except OSError as error:
                raise self._failed(error) from None
            if n_bytes != rows.nbytes:
                raise ValueError(f"{self.path} has become shorter while it was read; write it anew")
            if not direct:
                with np.errstate(over="ignore"):  # infinity is found by the training
                    out[...] = rows

        weakref.finalize(read, file.close)
        return read

    def _opened(self) -> BufferedReader:
        try:
            return open(self.path, "rb")
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> OSError:
        return type(error)(f"{self.path} cannot be read: {error.strerror}")


@dataclass(frozen=True)
class NpyPart:
    """An NPY file (n, d + 1) with a column of labels, or (n, d) with its labels beside it."""

    file: NpyFile
    labels: NpyFile | None
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
        return self.width - (self.labels is None)

    @property
    def width(self) -> int:
        """Columns of the file."""
        return self.file.shape[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of X."""
        return self.file.dtype

    @property
    def names(self) -> None:
        """None: the columns have no names."""

    @property
    def label_column(self) -> tuple[int, str | None]:
        """See `Part.label_column`."""
        return (self.target if self.labels is None else self.n_features), None

    @property
    def reading_bytes(self) -> int:
        """Nothing of its own; see `Part.reading_bytes`."""
        return 0

    def borders(self, chunk_rows: int) -> Iterable[tuple[int, int]]:
        """Return runs of rows; see `Part.borders`."""
        return split(self.n_rows, chunk_rows)

    def reader(self, start: int, stop: int) -> Reader:
        """Return what reads a run; see `Part.reader`."""
        read_table = self.file.reader(start)
        read_labels = None if self.labels is None else self.labels.reader(start)

        def read(table: Array, y: Array) -> None:
            read_table(table)
            if read_labels is not None:
                read_labels(y)
                return
            y[:] = table[:, self.target]
            table[:, self.target : -1] = table[:, self.target + 1 :]

        return read


def open_npy(path: Path, target: int | str | None) -> NpyPart:
    """Return a file's rows, or raise and say what is wrong with it; read only the header.

    `target` is the column of the labels, see `open_rows`. By default they are beside
    the file, see `open_labels`, or in the last column.
    """
    file = _open(path, ndim=2)
    n, d = file.shape
    if target is None:
        labels = open_labels(path, n)
        if labels is not None:
            return NpyPart(file, labels, -1)
        target = -1
    try:
        position = position_of(target, None, d) if isinstance(target, str) else from_end(target, d)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if d < 2:
        raise ValueError(f"{path} has one column; add features, or labels in {_beside(path).name}")
    return NpyPart(file, None, position)


def from_end(target: int, d: int) -> int:
    """Return the number of one of d columns from 0, negative ones from the end, or raise."""
    if not -d <= target < d:
        raise ValueError(f"target={target} is not a column; give {-d} to {d - 1}")
    return target % d


def open_labels(path: Path, n_rows: int) -> NpyFile | None:
    """Return the labels in NAME.y.npy beside NAME.npy or the like, if that is there."""
    beside = _beside(path)
    if not beside.exists():
        return None
    labels = _open(beside, ndim=1)
    if labels.shape[0] != n_rows:
        raise ValueError(
            f"{beside} has {labels.shape[0]} labels for {n_rows} rows of {path.name}; "
            "give one a row"
        )
    return labels


def _beside(path: Path) -> Path:
    return path.with_name(path.stem + LABELS_SUFFIX)


def _open(path: Path, *, ndim: int) -> NpyFile:
    shape, fortran, dtype, offset, size = _header(path)
    if dtype.hasobject:
        raise ValueError(f"{path} holds pickled objects, which are not read; save float32 numbers")
    if dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise TypeError(f"{path} has dtype {dtype}; save float32 or float64")
    whole = all(type(length) is int and length > 0 for length in shape)
    if len(shape) != ndim or not whole:
        wanted = "(n, d)" if ndim == 2 else "(n,)"
        raise ValueError(f"{path} has shape {shape}; save shape {wanted} with at least one row")
    if fortran and ndim == 2 and min(shape) > 1:
        raise ValueError(f"{path} is in Fortran order; save np.ascontiguousarray of it")
    if size - offset < math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{path} is cut short at {size} bytes; write it anew")
    return NpyFile(path, offset, shape, dtype)


def _header(path: Path) -> tuple[tuple[Any, ...], bool, np.dtype[Any], int, int]:
    """Return shape, whether it is in Fortran order, dtype, where the data begin, and all bytes."""
    try:
        with open(path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of files from Python 2
            version = np.lib.format.read_magic(file)
            read = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }[version]
            return *read(file), file.tell(), os.fstat(file.fileno()).st_size
    except OSError as error:
        raise type(error)(f"{path} cannot be read: {error.strerror}") from None
    except Exception as error:  # NumPy names no set of errors for damaged files
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} is not a whole NPY file: {reason}; write it anew") from None
