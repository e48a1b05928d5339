"""A Parquet or Arrow IPC file: columns, of which a stored group of rows is read at a time."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from tilewise._checks import Array
from tilewise._extras import required
from tilewise.data.columns import check_names, column_label, position_of
from tilewise.data.dataset import Reader
from tilewise.data.npy import NpyFile, from_end, open_labels

__all__ = ["open_arrow", "open_parquet"]


_DECODING = 2  # PyArrow holds bytes as they are stored, and what becomes of them


@dataclass(frozen=True)
class _Stored:
    """How a format stores a file: its columns, the rows of its groups, and what reads one.

    What is read is the columns asked for of a group, one after the other; `largest` bytes are the
    most that are stored together for it.
    """

    names: tuple[str, ...]
    schema: Any
    counts: list[int]
    largest: int
    read: Callable[[int, Sequence[int]], Iterator[Any]]


@dataclass(frozen=True)
class ColumnsPart:
    """A file of columns, the last of those wanted being the labels unless they are beside it."""

    path: Path
    stored: _Stored
    wanted: list[int]
    labels: NpyFile | None
    dtype: np.dtype[Any]

    @property
    def name(self) -> str:
        """The file's path."""
        return os.fspath(self.path)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns of X."""
        return tuple(self.stored.names[i] for i in self.wanted[: self.n_features])

    @property
    def n_rows(self) -> int:
        """Rows of the file."""
        return sum(self.stored.counts)

    @property
    def n_features(self) -> int:
        """Columns, but for that of the labels."""
        return len(self.wanted) - (self.labels is None)

    @property
    def width(self) -> int:
        """Columns of X: labels are read into y at once."""
        return self.n_features

    @property
    def label_column(self) -> tuple[int, str | None]:
        """See `Part.label_column`."""
        if self.labels is not None:
            return self.n_features, None
        return self.wanted[-1], self.stored.names[self.wanted[-1]]

    @property
    def reading_bytes(self) -> int:
        """What reading the largest group takes; see `Part.reading_bytes`."""
        numbers = max(self.stored.counts) * len(self.wanted) * self.dtype.itemsize
        return numbers + _DECODING * self.stored.largest

    def borders(self, chunk_rows: int) -> Iterable[tuple[int, int]]:
        """Return the groups; see `Part.borders`."""
        starts = accumulate(self.stored.counts, initial=0)
        return [
            (start, start + n) for start, n in zip(starts, self.stored.counts, strict=False) if n
        ]

    def reader(self, start: int, stop: int) -> Reader:
        """Return what reads a group; see `Part.reader`."""
        read_labels = None if self.labels is None else self.labels.reader(start)
        numbers: Array | None = None
        done = 0

        def read(table: Array, y: Array) -> None:
            nonlocal numbers, done
            if numbers is None:
                numbers = self._numbers(start, stop)
            rows = slice(done, done + len(y))
            done = rows.stop
            table[:, : self.n_features] = numbers[: self.n_features, rows].T
            if read_labels is None:
                y[:] = numbers[-1, rows]
            else:
                read_labels(y)
            if done == stop - start:
                numbers = None  # the run lives on, for messages

        return read

    def _numbers(self, start: int, stop: int) -> Array:
        """Return a group: the columns wanted, one after the other in memory."""
        group = list(accumulate(self.stored.counts)).index(stop)
        numbers = np.empty((len(self.wanted), stop - start), self.dtype)
        with _named(self.path):
            columns = self.stored.read(group, self.wanted)
            for out, i, column in zip(numbers, self.wanted, columns, strict=True):
                if len(column) != len(out):
                    raise ValueError(f"{self.path} is damaged: columns differ; write it anew")
                if column.null_count:
                    raise ValueError(self._missing(start, i, column))
                out[:] = column.to_numpy(zero_copy_only=False)
        return numbers

    def _missing(self, start: int, i: int, column: Any) -> str:
        row = start + int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))
        label = column_label(self.stored.names, i)
        return f"{self.path}: row {row} (from 0), {label} has no value; mend or remove it"


def open_parquet(path: Path, target: int | str | None) -> ColumnsPart:
    """Return a Parquet file's rows; see `_open`. A group is a row group."""
    with _named(path):
        from pyarrow.parquet import ParquetFile

        with ParquetFile(path) as file:
            about, schema = file.metadata, file.schema_arrow
        names = tuple(schema.names)
        groups = [about.row_group(i) for i in range(about.num_row_groups)]
        sizes = [group.total_byte_size for group in groups]

    def read(group: int, wanted: Sequence[int]) -> Iterator[Any]:
        # A column at a time: a whole row group takes five times its bytes where it has many.
        with ParquetFile(path, metadata=about, pre_buffer=False) as file:
            for i in wanted:
                yield file.read_row_group(group, columns=[names[i]]).column(0)

    counts = [group.num_rows for group in groups]
    return _open(path, target, _Stored(names, schema, counts, max(sizes, default=0), read))


def open_arrow(path: Path, target: int | str | None) -> ColumnsPart:
    """Return an Arrow IPC file's rows; see `_open`. A group is a record batch."""
    with _named(path):
        import pyarrow

        with pyarrow.memory_map(os.fspath(path)) as map_, pyarrow.ipc.open_file(map_) as file:
            schema = file.schema
            names = tuple(schema.names)
            batches = map(file.get_batch, range(file.num_record_batches))
            sizes = [(batch.num_rows, batch.nbytes) for batch in batches]

    def read(group: int, wanted: Sequence[int]) -> Iterator[Any]:
        # Not mapped: the pages of a map would count as ours.
        with pyarrow.OSFile(os.fspath(path)) as file, pyarrow.ipc.open_file(file) as batches:
            batch = batches.get_batch(group)
            batch.validate()  # that no column ends before its rows do
            yield from map(batch.column, wanted)

    largest = max((n_bytes for _, n_bytes in sizes), default=0)
    return _open(path, target, _Stored(names, schema, [n for n, _ in sizes], largest, read))


def _open(path: Path, target: int | str | None, stored: _Stored) -> ColumnsPart:
    """Return the part, or raise and say what is wrong with it.

    `target` is the column of the labels: its name, or its number as in `open_npy`. Floats of at
    most 32 bits become float32; with any other number among the columns all become float64.
    """
    names = stored.names
    n_rows = sum(stored.counts)
    if min(stored.counts, default=0) < 0:
        raise ValueError(f"{path} is damaged: it has groups of less than no rows; write it anew")
    if not n_rows:
        raise ValueError(f"{path} has no rows; write some or remove it")
    try:
        check_names(names)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    labels = open_labels(path, n_rows) if target is None else None
    wanted = list(range(len(names)))
    if labels is None:
        position = _position(path, names, -1 if target is None else target)
        wanted = [*wanted[:position], *wanted[position + 1 :], position]
    if len(wanted) - (labels is None) < 1:
        raise ValueError(f"{path} has one column; add features, or labels beside it")
    dtypes = [_dtype(path, stored.schema.field(i)) for i in wanted]
    return ColumnsPart(path, stored, wanted, labels, np.result_type(*dtypes))


def _position(path: Path, names: tuple[str, ...], target: int | str) -> int:
    d = len(names)
    with _named(path):
        return position_of(target, names, d) if isinstance(target, str) else from_end(target, d)


def _dtype(path: Path, field: Any) -> type:
    import pyarrow.types as kinds

    if kinds.is_float16(field.type) or kinds.is_float32(field.type):
        return np.float32
    if kinds.is_float64(field.type) or kinds.is_integer(field.type):
        return np.float64
    raise TypeError(f"{path}: column {field.name!r} is of type {field.type}; store numbers")


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name the file in what PyArrow raises, or say that it is missing."""
    pyarrow = required("pyarrow", "tables", f"{path} needs PyArrow")
    try:
        yield
    except MemoryError as error:
        raise MemoryError(f"{path} needs more memory than there is: {error}") from None
    except OSError as error:
        reason = error.strerror or " ".join(str(error).split())
        raise type(error)(f"{path} cannot be read: {reason}") from None
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{path} is damaged: {reason}; write it anew") from None
