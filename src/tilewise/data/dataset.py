"""A dataset: fragments, such as files, that are read batch by batch."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tilewise import _core
from tilewise._checks import Array
from tilewise.data.columns import Columns
from tilewise.data.moments import Standardization

# Fills a table (k, width) and y (k,) with the next k rows: X in the table's first columns. Labels
# that are beside the rows are left to `Dataset.reader`.
Reader = Callable[[Array, Array], None]
_BATCHES = 32  # of a fragment, in buffer_bytes


class LabelFile(Protocol):
    """A file of labels beside that of the rows."""

    @property
    def path(self) -> Path:
        """Path of the file."""

    def reader(self, start: int) -> Callable[[Array], None]:
        """Return what fills arrays with the labels from `start` on."""


@dataclass(frozen=True)
class Fragment:
    """Rows that lie together, such as a file; any thread may read them."""

    name: str  # of a file or chunk, for messages; empty for an array
    n_rows: int
    n_features: int
    width: int  # columns of the tables to read into
    dtype: np.dtype[Any]
    reader: Callable[[int, int], Reader]  # of the rows from a start to a stop
    columns: Columns | None = None  # None: an array, in which messages count as Python does
    labels: "LabelFile | None" = None  # where they are beside the rows
    groups: Sequence[int] | None = None  # rows that are stored and read together; None: any
    reading_bytes: int = 0  # what reading takes at its peak, but for a megabyte or so

    def batches(self, about: int) -> Iterator["Batch"]:
        """Yield the groups, or batches of about so many rows."""
        groups = self.groups
        if groups is None:
            groups = [min(about, self.n_rows - i) for i in range(0, self.n_rows, about)]
        starts = accumulate(groups, initial=0)
        return (Batch(self, i, n) for i, n in zip(starts, groups, strict=False) if n)


@dataclass(frozen=True)
class Batch:
    """Rows of a fragment that are read in order, as many at a time as the reader likes."""

    fragment: Fragment
    start: int  # number of the first row
    n_rows: int

    def nonfinite(self, row: int, column: int | None, value: float) -> ValueError:
        """Return the error of a NaN or infinity in a row of the batch, in X or, for None, in y."""
        fragment, row, name = self.fragment, self.start + row, self.fragment.name
        if fragment.columns is None:
            where = f"y[{row}]" if column is None else f"X[{row}, {column}]"
        elif column is None and fragment.labels is not None:
            name, where = str(fragment.labels.path), f"row {row + 1}"
        else:
            where = f"row {row + 1}, {fragment.columns.label(column)}"
        file = f"{name}: " if name else ""
        return ValueError(f"{file}{where} is {value}; remove or replace NaN and infinity")

    def check_finite(self, start: int, *arrays: Array) -> None:
        """Raise unless X, and y where it is given, are finite in rows of the batch from `start`."""
        for array in arrays:
            if _core.first_nonfinite(array) >= 0:
                finite = np.isfinite(array)
                row, *column = map(int, np.argwhere(~finite)[0])
                where = column[0] if column else None
                raise self.nonfinite(start + row, where, array[(row, *column)])


@dataclass(frozen=True)
class Dataset(ABC):
    """Rows that `fit`, `Trainer` and `SGDRegressor` read while they train; see `open_rows`."""

    n_features: int
    dtype: np.dtype[Any]
    buffer_bytes: int
    standardization: Standardization | None = field(default=None, kw_only=True)
    label_standardization: Standardization | None = field(default=None, kw_only=True)

    @property
    def n_rows(self) -> int | None:
        """Rows of an epoch, if that is known."""
        return None

    @property
    def width(self) -> int:
        """Columns of the tables to read into; the first `n_features` of them become X."""
        return self.n_features

    @property
    def reading_bytes(self) -> int:
        """What reading takes of `buffer_bytes`; see `Fragment.reading_bytes`."""
        return 0

    @abstractmethod
    def batches(self, random: np.random.Generator | None) -> Iterator[Batch]:
        """Yield an epoch, in random order of its batches, or in order if `random` is None."""

    def reader(self, batch: Batch) -> Reader:
        """Return what reads a batch once, from its start, and standardizes it where asked to."""
        start, labels = batch.start, batch.fragment.labels
        read_stored = batch.fragment.reader(start, start + batch.n_rows)
        read_labels = None if labels is None else labels.reader(start)

        def read(table: Array, y: Array) -> None:
            read_stored(table, y)
            if read_labels is not None:
                read_labels(y)
            if self.standardization is not None:
                self.standardization.apply_in_place(table[:, : self.n_features])
            if self.label_standardization is not None:
                self.label_standardization.apply_in_place(y[:, np.newaxis])

        return read

    def blocks(self, numbers: int) -> Iterator[tuple[Batch, int, Array, Array]]:
        """Yield all rows in order, about so many numbers at a time, in memory that is reused.

        With each X and y come their batch, and how many of its rows were before.
        """
        size = max(1, numbers // (self.width + 1))
        table, y = np.empty((size, self.width), self.dtype), np.empty(size, self.dtype)
        for batch in self.batches(None):
            read = self.reader(batch)
            for start in range(0, batch.n_rows, size):
                n = min(size, batch.n_rows - start)
                read(table[:n], y[:n])
                yield batch, start, table[:n, : self.n_features], y[:n]

    def loaded(self) -> tuple[Array, Array]:
        """Return all rows, whose number is known, in memory: X (n, d) and y (n,), finite."""
        n = self.n_rows or 0
        table, y = np.empty((n, self.width), self.dtype), np.empty(n, self.dtype)
        X, first = table[:, : self.n_features], 0
        for batch in self.batches(None):
            rows = slice(first, first + batch.n_rows)
            self.reader(batch)(table[rows], y[rows])
            batch.check_finite(0, X[rows], y[rows])
            first = rows.stop
        return X, y


@dataclass(frozen=True)
class FragmentDataset(Dataset):
    """Fragments of the same columns, in the order of the data; or a rank's share of them."""

    fragments: Sequence[Fragment]
    rank: int = 0
    ranks: int = 1

    @classmethod
    def of(cls, fragments: Sequence[Fragment], buffer_bytes: int = 2**30) -> "FragmentDataset":
        """Return the dataset of all the rows."""
        return cls(fragments[0].n_features, fragments[0].dtype, buffer_bytes, fragments)

    @property
    def n_rows(self) -> int:
        """Rows of the share."""
        return sum(batch.n_rows for batch in self._batches())

    @property
    def width(self) -> int:
        """See `Dataset.width`."""
        return self.fragments[0].width

    @property
    def reading_bytes(self) -> int:
        """See `Dataset.reading_bytes`."""
        return max(fragment.reading_bytes for fragment in self.fragments)

    def share(self, rank: int, ranks: int) -> "FragmentDataset":
        """Return the batches of a rank of so many, which have about the same rows."""
        own = replace(self, rank=rank, ranks=ranks)
        if own.n_rows == 0:
            first, others = self.fragments[0].name or "X", " .." * (len(self.fragments) > 1)
            raise ValueError(
                f"{first}{others}: nothing is left for rank {rank} of {ranks}; use fewer ranks, or "
                "write smaller row groups"
            )
        return own

    def batches(self, random: np.random.Generator | None) -> Iterator[Batch]:
        """Yield the rows once; see `Dataset.batches`."""
        batches = self._batches()
        order = range(len(batches)) if random is None else random.permutation(len(batches))
        return (batches[i] for i in order)

    def _batches(self) -> list[Batch]:
        """Return the batches of the share: those whose middle lies in its part of all rows."""
        all_rows = sum(fragment.n_rows for fragment in self.fragments)
        row_bytes = (self.n_features + 1) * self.dtype.itemsize
        about = max(1, self.buffer_bytes // _BATCHES // row_bytes)
        if self.ranks > 1:
            about = min(about, max(1, all_rows // (_BATCHES * self.ranks)))
        found, before = [], 0
        for fragment in self.fragments:
            for batch in fragment.batches(about):
                middle = before + batch.start + batch.n_rows // 2
                if middle * self.ranks // all_rows == self.rank:
                    found.append(batch)
            before += fragment.n_rows
        return found
