"""Rows whose columns are shifted and scaled as they are read."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.rows.source import Reader, Rows, Run

__all__ = ["StandardizedRows", "standardize_rows"]

Array = NDArray[Any]

_VALUES = 2**15  # computed with at once, in float64: they stay in the cache


@dataclass(frozen=True)
class StandardizedRows(Rows):
    """Rows with columns of X of mean 0 and deviation 1; see `tilewise.data.standardize`.

    Attributes
    ----------
    mean, scale : ndarray of float64, shape (n_features,)
        Of the columns as they are stored: X becomes ``(X - mean) / scale``.
    """

    rows: Rows
    mean: Array
    scale: Array

    @property
    def n_rows(self) -> int | None:
        """See `Rows.n_rows`."""
        return self.rows.n_rows

    @property
    def width(self) -> int:
        """See `Rows.width`."""
        return self.rows.width

    @property
    def reading_bytes(self) -> int:
        """See `Rows.reading_bytes`."""
        return self.rows.reading_bytes

    def runs(self, random: np.random.Generator | None) -> Iterator[Run]:
        """Yield an epoch; see `Rows.runs`."""
        for run in self.rows.runs(random):
            yield replace(run, read=self._standardizing(run.read))

    def _standardizing(self, read_stored: Reader) -> Reader:
        def read(table: Array, y: Array) -> None:
            read_stored(table, y)
            for part in _blocks(table[:, : self.n_features]):
                part[...] = (part - self.mean) / self.scale  # in float64

        return read


def standardize_rows(rows: Rows) -> StandardizedRows:
    """Read the rows once and return them standardized; see `tilewise.data.standardize`."""
    moments = _Moments(rows.n_features)
    size = max(1, _VALUES // rows.width)
    table, y = np.empty((size, rows.width), rows.dtype), np.empty(size, rows.dtype)
    for run in rows.runs(None):
        for start in range(0, run.n_rows, size):
            n = min(size, run.n_rows - start)
            run.read(table[:n], y[:n])
            X = table[:n, : rows.n_features]
            _check_finite(X, run, start)
            moments.add(X.astype(np.float64))
    moments.check()
    scale = np.sqrt(moments.squares / moments.n)
    return StandardizedRows(
        rows.n_features, rows.dtype, rows.buffer_bytes, rows, moments.mean, scale
    )


class _Moments:
    """Mean and sum of squared deviations of columns, merged block by block.

    The merge is that of Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for
    computing sample variances" (1979): no square of a mean is ever subtracted.
    """

    def __init__(self, d: int) -> None:
        self.n = 0
        self.mean, self.squares = np.zeros(d), np.zeros(d)
        self._lowest, self._highest = np.full(d, np.inf), np.full(d, -np.inf)

    def add(self, X: Array) -> None:
        """Add rows of float64; X is overwritten."""
        k, n = len(X), self.n + len(X)
        self._lowest = np.minimum(self._lowest, X.min(axis=0))
        self._highest = np.maximum(self._highest, X.max(axis=0))
        with np.errstate(over="ignore", invalid="ignore"):  # found by check
            mean = X.mean(axis=0)
            X -= mean
            rest = X.mean(axis=0)  # what rounding left of a mean far above the deviation
            X -= rest
            apart = (mean - self.mean) + rest
            self.squares += np.square(X).sum(axis=0) + apart**2 * (self.n / n * k)
            self.mean += apart * (k / n)
        self.n = n

    def check(self) -> None:
        """Raise ValueError if there is no row, or a column that cannot be scaled."""
        if self.n == 0:
            raise ValueError("X has no rows; give some")
        for column, (lowest, highest) in enumerate(zip(self._lowest, self._highest, strict=True)):
            if lowest == highest:
                raise ValueError(
                    f"column {column} of X is constant ({lowest:.6g}); remove it: its deviation is "
                    "0"
                )
            if not (0 < self.squares[column] < np.inf):
                raise ValueError(
                    f"column {column} of X, from {lowest:.6g} to {highest:.6g}, is beyond the "
                    "range of squares; rescale it"
                )


def _blocks(X: Array) -> Iterator[Array]:
    """Yield parts of X that stay in the cache."""
    size = max(1, _VALUES // X.shape[1])
    return (X[i : i + size] for i in range(0, len(X), size))


def _check_finite(X: Array, run: Run, start: int) -> None:
    finite = np.isfinite(X)
    if finite.all():
        return
    row, column = map(int, np.argwhere(~finite)[0])
    raise ValueError(
        f"{run.name}{': ' if run.name else ''}X[{run.start + start + row}, {column}] is "
        f"{X[row, column]}; remove or replace NaN and infinity"
    )
