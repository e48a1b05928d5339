"""A Parquet or Arrow IPC file: columns, of which a stored group of rows is read at a time."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from tilewise._checks import Array
from tilewise._extras import required
from tilewise._files import named
from tilewise.data.columns import Columns, check_names, column_label, columns_of, position_of
from tilewise.data.dataset import Fragment, Reader
from tilewise.data.npy import float_dtype, open_labels

_DECODING = 2  # PyArrow holds bytes as they are stored, and what becomes of them


@dataclass(frozen=True)
class ColumnFile:
    """A file of named columns of numbers.

    `read` gives the columns asked for of a group of rows, one after the other; `largest` bytes are
    the most that are stored together for it.
    """

    path: Path
    schema: Any
    groups: list[int]  # rows of each
    largest: int
    read: Callable[[int, Sequence[int]], Iterator[Any]]

    def __post_init__(self) -> None:
        """Raise if it has no rows, or columns without names of their own."""
        if min(self.groups, default=0) < 0:
            raise ValueError(f"{self.path} is damaged: groups of less than no rows; write it anew")
        if not self.n_rows:
            raise ValueError(f"{self.path} has no rows; write some or remove it")
        with named(self.path):
            check_names(self.names)

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        return list(self.schema.names)

    @property
    def n_rows(self) -> int:
        """Rows of all groups."""
        return sum(self.groups)

    def dtype(self, wanted: Sequence[int]) -> np.dtype[Any]:
        """Return the dtype of all these columns together."""
        return np.result_type(*(self._dtype(i) for i in wanted))

    def numbers(self, group: int, wanted: Sequence[int], dtype: np.dtype[Any]) -> Array:
        """Return the columns wanted of a group, one after the other in memory."""
        numbers = np.empty((len(wanted), self.groups[group]), dtype)
        with _readable(self.path):
            columns = self.read(group, wanted)
            for out, i, column in zip(numbers, wanted, columns, strict=True):
                if len(column) != len(out):
                    raise ValueError(f"{self.path} is damaged: columns differ; write it anew")
                if column.null_count:
                    raise ValueError(self._missing(group, i, column))
                with np.errstate(over="ignore"):  # infinity is found by who reads
                    out[:] = _floats(column)
        return numbers

    def whole(self, only: Sequence[str] | None) -> tuple[tuple[str, ...], Array]:
        """Return the names and values (n, d) of the columns named, or of all for None."""
        with named(self.path):
            wanted = columns_of(self.names, only)
        dtype = self.dtype(wanted)
        groups = [self.numbers(i, wanted, dtype) for i, n in enumerate(self.groups) if n]
        return tuple(self.names[i] for i in wanted), np.concatenate(groups, axis=1).T

    def fragment(self, target: int | str | None) -> Fragment:
        """Return the rows, with the labels in a column, see `open_rows`, or beside the file."""
        path, names = self.path, self.names
        labels = open_labels(path, self.n_rows) if target is None else None
        columns = Columns(tuple(names), None, len(names))
        if labels is None:
            with named(path):
                columns = Columns.of(names, position_of(target, names, len(names)))
        wanted = [i for i in range(len(names)) if i != columns.target_position]
        d = len(wanted)
        if d < 1:
            raise ValueError(f"{path} has one column; add features, or labels beside it")
        if labels is None:
            wanted.append(columns.target_position)
        dtype = self.dtype(wanted)

        def reader(start: int, stop: int) -> Reader:
            group = list(accumulate(self.groups)).index(stop)
            numbers: Array | None = None
            done = 0

            def read(table: Array, y: Array) -> None:
                nonlocal numbers, done
                if numbers is None:
                    numbers = self.numbers(group, wanted, dtype)
                rows = slice(done, done + len(y))
                done = rows.stop
                table[:, :d] = numbers[:d, rows].T
                if labels is None:
                    y[:] = numbers[-1, rows]

            return read

        return Fragment(
            os.fspath(path), self.n_rows, d, d, dtype, reader, columns, labels, self.groups,
            max(self.groups) * len(wanted) * dtype.itemsize + _DECODING * self.largest,
        )  # fmt: skip

    def _dtype(self, i: int) -> np.dtype[Any]:
        from pyarrow import types

        kind = self.schema.field(i).type
        if types.is_floating(kind):
            return float_dtype(np.dtype(kind.to_pandas_dtype()))
        if types.is_integer(kind) or types.is_boolean(kind) or types.is_decimal(kind):
            return np.dtype(np.float64)
        label = column_label(i, self.names[i])
        raise ValueError(f"{self.path}: {label} is of type {kind}; make it a number or remove it")

    def _missing(self, group: int, i: int, column: Any) -> str:
        before = sum(self.groups[:group])
        row = before + int(np.argmax(column.is_null().to_numpy(zero_copy_only=False))) + 1
        label = column_label(i, self.names[i])
        return f"{self.path}: row {row}, {label} has no value; mend or remove such rows"


def open_parquet(path: Path) -> ColumnFile:
    """Return a Parquet file; a group is a row group."""
    with _readable(path):
        from pyarrow.parquet import ParquetFile

        with ParquetFile(path) as file:
            about, schema = file.metadata, file.schema_arrow
        groups = [about.row_group(i) for i in range(about.num_row_groups)]
        sizes = [group.total_byte_size for group in groups]
        names = schema.names

    def read(group: int, wanted: Sequence[int]) -> Iterator[Any]:
        # A column at a time: a whole row group takes five times its bytes where it has many.
        with ParquetFile(path, metadata=about, pre_buffer=False) as file:
            for i in wanted:
                yield file.read_row_group(group, columns=[names[i]]).column(0)

    counts = [group.num_rows for group in groups]
    return ColumnFile(path, schema, counts, max(sizes, default=0), read)


def open_arrow(path: Path) -> ColumnFile:
    """Return an Arrow IPC file; a group is a record batch."""
    with _readable(path):
        import pyarrow

        with pyarrow.memory_map(os.fspath(path)) as map_, pyarrow.ipc.open_file(map_) as file:
            schema = file.schema
            batches = map(file.get_batch, range(file.num_record_batches))
            sizes = [(batch.num_rows, batch.nbytes) for batch in batches]

    def read(group: int, wanted: Sequence[int]) -> Iterator[Any]:
        # Not mapped: the pages of a map would count as ours.
        with pyarrow.OSFile(os.fspath(path)) as file, pyarrow.ipc.open_file(file) as batches:
            batch = batches.get_batch(group)
            batch.validate()  # that no column ends before its rows do
            yield from map(batch.column, wanted)

    largest = max((n_bytes for _, n_bytes in sizes), default=0)
    return ColumnFile(path, schema, [n for n, _ in sizes], largest, read)


COLUMN_FILES = {".parquet": open_parquet, ".arrow": open_arrow, ".feather": open_arrow}


def _floats(column: Any) -> Array:
    from pyarrow import types

    if types.is_boolean(column.type):
        column = column.cast("int8")
    if types.is_decimal(column.type):  # PyArrow's cast is not rounded to the nearest
        return np.array(column.to_pylist(), np.float64)
    return np.asarray(column.to_numpy(zero_copy_only=False))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Name the file in what PyArrow raises, or say that it is missing."""
    pyarrow = required("pyarrow", "tables", f"{path} needs PyArrow")
    try:
        yield
    except MemoryError as error:
        raise MemoryError(f"{path} needs more memory than there is: {error}") from None
    except (pyarrow.ArrowException, UnicodeDecodeError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise type(error)(f"{path} cannot be read: {error.strerror}") from None
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{path} is damaged: {reason}; write it anew") from None
