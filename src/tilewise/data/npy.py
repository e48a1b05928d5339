"""An NPY file of rows, read with plain reads: no map, so no pages that count as ours."""

import math
import os
import warnings
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tilewise._checks import Array
from tilewise._files import named, readable
from tilewise.data.columns import Columns, position_of
from tilewise.data.dataset import Fragment, Reader

LABELS_SUFFIX = ".y.npy"


@dataclass(frozen=True)
class NpyFile:
    """An array of real numbers in a file."""

    path: Path
    offset: int  # of the data, in bytes
    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]

    @classmethod
    def open(cls, path: Path, *, ndim: int) -> "NpyFile":
        """Return the array, of which only the header is read, or raise and say what is wrong."""
        shape, fortran, dtype, offset, size = _header(path)
        if dtype.hasobject:
            raise ValueError(
                f"{path} holds pickled objects, which can run code and are not read; save numbers"
            )
        if dtype.kind not in "fiub":
            raise ValueError(f"{path} has dtype {dtype}; save real numbers")
        whole = all(type(length) is int and length > 0 for length in shape)
        if len(shape) != ndim or not whole:
            wanted = "(n, d)" if ndim == 2 else "(n,)"
            raise ValueError(f"{path} has shape {shape}; save shape {wanted} with at least one row")
        if size - offset < math.prod(shape) * dtype.itemsize:
            raise ValueError(f"{path} is cut short at {size} bytes; write it anew")
        return cls(path, offset, shape, fortran and ndim == 2 and min(shape) > 1, dtype)

    def whole(self, only: object = None) -> tuple[None, Array]:
        """Return all the columns, which have no names: `only` finds none."""
        stored = np.empty(self.shape[::-1] if self.fortran else self.shape, self.dtype)
        self.reader(0)(stored)
        return None, stored.T if self.fortran else stored

    def reader(self, start: int) -> Callable[[Array], None]:
        """Return what fills arrays with the rows from `start` on, one after the other.

        It keeps the file open, so that the system reads ahead, until it is no longer used.
        """
        with readable(self.path):
            file = open(self.path, "rb")  # noqa: SIM115
        file.seek(self.offset + start * math.prod(self.shape[1:]) * self.dtype.itemsize)

        def read(out: Array) -> None:
            direct = out.dtype == self.dtype and out.flags.c_contiguous
            rows = out if direct else np.empty(out.shape, self.dtype)
            with readable(self.path):
                n_bytes = file.readinto(rows.data.cast("B"))
            if n_bytes != rows.nbytes:
                raise ValueError(f"{self.path} has become shorter while it was read; write it anew")
            if not direct:
                with np.errstate(over="ignore"):  # infinity is found by the training
                    out[...] = rows

        weakref.finalize(read, file.close)
        return read

    def fragment(self, target: int | str | None) -> Fragment:
        """Return the rows, with the labels in a column, see `open_rows`, or beside the file."""
        path, (n, width) = self.path, self.shape
        if self.fortran:
            raise ValueError(f"{path} is in Fortran order; save np.ascontiguousarray of it")
        labels = open_labels(path, n) if target is None else None
        with named(path):
            position = width if labels is not None else position_of(target, None, width)
        d = width - (labels is None)
        if d < 1:
            raise ValueError(
                f"{path} has one column; add features, or labels in {_beside(path).name}"
            )

        def reader(start: int, stop: int) -> Reader:
            read_table = self.reader(start)

            def read(table: Array, y: Array) -> None:
                read_table(table)
                if position < width:
                    y[:] = table[:, position]
                    table[:, position:-1] = table[:, position + 1 :]

            return read

        return Fragment(
            os.fspath(path), n, d, width, float_dtype(self.dtype), reader,
            Columns.of(None, position), labels,
        )  # fmt: skip


def float_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return float32 for floats of at most 32 bits, and float64 for all other numbers."""
    small = dtype.kind == "f" and dtype.itemsize <= 4
    return np.dtype(np.float32 if small else np.float64)


def open_labels(path: Path, n_rows: int) -> NpyFile | None:
    """Return the labels in NAME.y.npy beside NAME.npy or the like, if that is there."""
    beside = _beside(path)
    if not beside.exists():
        return None
    labels = NpyFile.open(beside, ndim=1)
    if labels.shape[0] != n_rows:
        raise ValueError(
            f"{beside} has {labels.shape[0]} labels for {n_rows} rows of {path.name}; "
            "give one a row"
        )
    return labels


def _beside(path: Path) -> Path:
    return path.with_name(path.stem + LABELS_SUFFIX)


def _header(path: Path) -> tuple[tuple[Any, ...], bool, np.dtype[Any], int, int]:
    """Return shape, whether it is in Fortran order, dtype, where the data begin, and all bytes."""
    try:
        with readable(path), open(path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of files from Python 2
            version = np.lib.format.read_magic(file)
            read = {
                (1, 0): np.lib.format.read_array_header_1_0,
                (2, 0): np.lib.format.read_array_header_2_0,
            }[version]
            return *read(file), file.tell(), os.fstat(file.fileno()).st_size
    except OSError:
        raise
    except Exception as error:  # NumPy names no set of errors for damaged files
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} is not a whole NPY file: {reason}; write it anew") from None
