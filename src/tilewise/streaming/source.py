"""Where streamed rows come from: parts of which any run of rows can be read, or an iterable."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tilewise import _core
from tilewise._validation import check_examples, nonfinite

__all__ = ["ArrayPart", "Chunks", "Part", "Parts", "Rows"]

Array = NDArray[Any]


class Part(Protocol):
    """Rows that lie together, such as a file; reading is safe from any thread."""

    name: str  # for messages
    n_rows: int
    n_features: int
    dtype: np.dtype[Any]

    def read(self, start: int, stop: int) -> tuple[Array, Array]:
        """Return X (stop - start, n_features) and y (stop - start,)."""


@dataclass(frozen=True)
class Rows:
    """Rows that `fit`, `Trainer` and `SGDRegressor` read while they train; see `open_rows`."""

    n_features: int
    dtype: np.dtype[Any]
    buffer_bytes: int

    def chunks(
        self, chunk_rows: int, random: np.random.Generator | None
    ) -> Iterator[tuple[Array, Array]]:
        """Yield an epoch of (X, y) of at most `chunk_rows` rows, in order if `random` is None."""
        raise NotImplementedError


@dataclass(frozen=True)
class Parts(Rows):
    """Parts of the same width and dtype, in the order of the data."""

    parts: Sequence[Part]

    @property
    def n_rows(self) -> int:
        """Rows of all parts."""
        return sum(part.n_rows for part in self.parts)

    def chunks(
        self, chunk_rows: int, random: np.random.Generator | None
    ) -> Iterator[tuple[Array, Array]]:
        """Yield all rows once; see `Rows.chunks`."""
        places = [
            (part, start, min(start + chunk_rows, part.n_rows))
            for part in self.parts
            for start in range(0, part.n_rows, chunk_rows)
        ]
        order = range(len(places)) if random is None else random.permutation(len(places))
        for i in order:
            part, start, stop = places[i]
            X, y = part.read(start, stop)
            _check_finite(part.name, start, X, y)
            yield X, y


@dataclass(frozen=True)
class Chunks(Rows):
    """Chunks (X, y) of an iterable or of a callable that returns one, in its own order."""

    iterate: Callable[[], Iterable[tuple[Any, Any]]]

    def chunks(
        self, chunk_rows: int, random: np.random.Generator | None
    ) -> Iterator[tuple[Array, Array]]:
        """Yield what the iterable gives, checked; see `Rows.chunks`."""
        for number, chunk in enumerate(self.iterate()):
            try:
                X, y = check_examples(*chunk)
            except (TypeError, ValueError) as error:
                raise type(error)(f"chunk {number}: {error}") from None
            if (X.shape[1], X.dtype) != (self.n_features, self.dtype):
                raise ValueError(
                    f"chunk {number} has {X.shape[1]} columns of {X.dtype}, but the first "
                    f"{self.n_features} of {self.dtype}; make them alike"
                )
            yield X, y


@dataclass(frozen=True)
class ArrayPart:
    """An array, such as a memory map, with its labels; what is read is a copy."""

    name: str
    X: Array
    y: Array

    @property
    def n_rows(self) -> int:
        """Rows of X."""
        return len(self.X)

    @property
    def n_features(self) -> int:
        """Columns of X."""
        return int(self.X.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of X."""
        return self.X.dtype

    def read(self, start: int, stop: int) -> tuple[Array, Array]:
        """Return rows; see `Part.read`."""
        return np.array(self.X[start:stop]), np.array(self.y[start:stop])


def _check_finite(name: str, start: int, X: Array, y: Array) -> None:
    """Raise with the file and row of the first NaN or infinity, if there is one."""
    for kind, array in (("X", X), ("y", y)):
        at = _core.first_nonfinite(np.ascontiguousarray(array))
        if at >= 0:
            row = start + at // max(1, array[0].size)
            raise ValueError(f"{name}: row {row}: {nonfinite(kind + ' of the chunk', array, at)}")
