"""Where rows come from: parts of which any run of rows can be read, or an iterable."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from tilewise._checks import Array, check_float_array, check_shape

__all__ = ["Chunks", "Part", "Parts", "Reader", "Rows", "Run"]


# Fills a table (k, width) and y (k,) with the next k rows: X in the table's first columns.
Reader = Callable[[Array, Array], None]
_CHUNKS = 32  # of a part, in buffer_bytes


@dataclass(frozen=True)
class Run:
    """Rows that lie together, read in order, as many at a time as the caller likes."""

    name: str  # of the file or chunk; empty for arrays
    start: int  # number of the first row there
    n_rows: int
    read: Reader


class Part(Protocol):
    """Rows that lie together, such as a file; any thread may read."""

    @property
    def name(self) -> str:
        """Of the file, for messages; empty for arrays."""

    @property
    def n_rows(self) -> int:
        """Rows."""

    @property
    def n_features(self) -> int:
        """Columns of X."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of X."""

    @property
    def width(self) -> int:
        """Columns of the tables to read into: those of X, and maybe one of the labels."""

    @property
    def names(self) -> tuple[str, ...] | None:
        """Of the columns of X, if the file has them."""

    @property
    def label_column(self) -> tuple[int, str | None]:
        """Where the labels are among the columns, after X if they are beside it; and its name."""

    @property
    def reading_bytes(self) -> int:
        """What reading takes, beside a megabyte or so: of what is stored together, at its peak."""

    def borders(self, chunk_rows: int) -> Iterable[tuple[int, int]]:
        """Return the runs, of about `chunk_rows` rows or as many as are stored together."""

    def reader(self, start: int, stop: int) -> Reader:
        """Return what reads a run."""


@dataclass(frozen=True)
class Rows(ABC):
    """Rows that `fit`, `Trainer` and `SGDRegressor` read while they train; see `open_rows`."""

    n_features: int
    dtype: np.dtype[Any]
    buffer_bytes: int

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
        """What reading takes of `buffer_bytes`; see `Part.reading_bytes`."""
        return 0

    @abstractmethod
    def runs(self, random: np.random.Generator | None) -> Iterator[Run]:
        """Yield an epoch, in random order of its runs, or in order if `random` is None."""

    def blocks(self, numbers: int) -> Iterator[tuple[Run, int, Array, Array]]:
        """Yield all rows in order, about so many numbers at a time, in memory that is reused.

        With each X and y come their run, and how many of its rows were before.
        """
        size = max(1, numbers // (self.width + 1))
        table, y = np.empty((size, self.width), self.dtype), np.empty(size, self.dtype)
        for run in self.runs(None):
            for start in range(0, run.n_rows, size):
                n = min(size, run.n_rows - start)
                run.read(table[:n], y[:n])
                yield run, start, table[:n, : self.n_features], y[:n]


@dataclass(frozen=True)
class Parts(Rows):
    """Parts of the same width and dtype, in the order of the data; or a rank's share of them."""

    parts: Sequence[Part]
    rank: int = 0
    ranks: int = 1

    @property
    def n_rows(self) -> int:
        """Rows of the share."""
        if self.ranks == 1:
            return self._all_rows
        return sum(stop - start for _, start, stop in self._places())

    @property
    def width(self) -> int:
        """See `Rows.width`."""
        return self.parts[0].width

    @property
    def reading_bytes(self) -> int:
        """See `Rows.reading_bytes`."""
        return max(part.reading_bytes for part in self.parts)

    def share(self, rank: int, ranks: int) -> "Parts":
        """Return the runs of one of so many ranks, which together have all: about the same rows."""
        own = replace(self, rank=rank, ranks=ranks)
        if own.n_rows == 0:
            raise ValueError(
                f"{self.parts[0].name}{' ..' if len(self.parts) > 1 else ''}: nothing is left for "
                f"rank {rank} of {ranks}; use fewer ranks, or write smaller row groups"
            )
        return own

    def runs(self, random: np.random.Generator | None) -> Iterator[Run]:
        """Yield the rows once; see `Rows.runs`."""
        places = self._places()
        for i in range(len(places)) if random is None else random.permutation(len(places)):
            part, start, stop = places[i]
            yield Run(part.name, start, stop - start, part.reader(start, stop))

    def _places(self) -> list[tuple[Part, int, int]]:
        """Return the runs of the share: those whose middle lies in its part of all rows."""
        all_rows = self._all_rows
        row_bytes = (self.n_features + 1) * self.dtype.itemsize
        chunk_rows = max(1, self.buffer_bytes // _CHUNKS // row_bytes)
        if self.ranks > 1:
            chunk_rows = min(chunk_rows, max(1, all_rows // (_CHUNKS * self.ranks)))
        places, before = [], 0
        for part in self.parts:
            for start, stop in part.borders(chunk_rows):
                middle = before + (start + stop) // 2
                if middle * self.ranks // all_rows == self.rank:
                    places.append((part, start, stop))
            before += part.n_rows
        return places

    @property
    def _all_rows(self) -> int:
        return sum(part.n_rows for part in self.parts)


@dataclass(frozen=True)
class Chunks(Rows):
    """Chunks (X, y) of an iterable or of a callable that returns one, in its own order."""

    iterate: Callable[[], Iterable[Any]]

    def runs(self, random: np.random.Generator | None) -> Iterator[Run]:
        """Yield what the iterable gives, checked; see `Rows.runs`."""
        for number, chunk in enumerate(self.iterate()):
            X, y = checked_chunk(number, chunk)
            if (X.shape[1], X.dtype) != (self.n_features, self.dtype):
                raise ValueError(
                    f"chunk {number} has {X.shape[1]} columns of {X.dtype}, but the first "
                    f"{self.n_features} of {self.dtype}; make them alike"
                )
            yield Run(f"chunk {number}", 0, len(X), reader_of(X, y))


def checked_chunk(number: int, chunk: Any) -> tuple[Array, Array]:
    """Return X (n, d) and y (n,), or raise; NaN and infinity are not looked for."""
    try:
        if not isinstance(chunk, tuple | list) or len(chunk) != 2:
            raise TypeError(f"it is a {type(chunk).__name__}; give pairs (X, y)")
        X = check_shape("X", check_float_array("X", chunk[0]), ndim=2)
        y = check_shape("y", check_float_array("y", chunk[1]), ndim=1)
        if len(y) != len(X):
            raise ValueError(f"y has length {len(y)}; give one of length {len(X)}")
    except (TypeError, ValueError) as error:
        raise type(error)(f"chunk {number}: {error}") from None
    return X, y


def reader_of(X: Array, y: Array) -> Reader:
    """Return what reads arrays."""
    done = 0

    def read(table: Array, labels: Array) -> None:
        nonlocal done
        rows = slice(done, done + len(labels))
        done = rows.stop
        with np.errstate(over="ignore"):  # infinity is found by the training
            table[:, : X.shape[1]], labels[:] = X[rows], y[rows]

    return read
