"""Rows whose columns are shifted and scaled as they are read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tilewise._checks import Array
from tilewise.data.dataset import Reader, Rows, Run

__all__ = ["Moments", "StandardizedRows", "moments_of", "standardize_rows", "standardized_by"]


_VALUES = 2**15  # computed with at once, in float64: they stay in the cache


@dataclass(frozen=True)
class StandardizedRows(Rows):
    """Rows with columns of X of mean 0 and deviation 1; see `tilewise.data.standardize`.

    Attributes
    ----------
    mean, scale : ndarray of float64, shape (n_features,)
        Of the columns as they are stored: X becomes ``(X - mean) / scale``.
    label_mean, label_scale : float
        The same of the labels, which stay as they are by default: 0 and 1.
    """

    rows: Rows
    mean: Array
    scale: Array
    label_mean: float = 0.0
    label_scale: float = 1.0

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
            if (self.label_mean, self.label_scale) != (0.0, 1.0):
                y[...] = (y - self.label_mean) / self.label_scale

        return read


def standardize_rows(rows: Rows) -> StandardizedRows:
    """Read the rows once and return them standardized; see `tilewise.data.standardize`."""
    return standardized_by(rows, [moments_of(rows)])


def standardized_by(rows: Rows, parts: Sequence["Moments"]) -> StandardizedRows:
    """Return the rows standardized by all parts together, with the labels if those have them."""
    d = rows.n_features
    moments = Moments(len(parts[0].mean))
    for part in parts:
        moments.merge(part)
    moments.check(d)
    mean, scale = moments.mean, np.sqrt(moments.squares / moments.n)
    labels = [float(mean[d]), float(scale[d])] if len(mean) > d else []
    return StandardizedRows(d, rows.dtype, rows.buffer_bytes, rows, mean[:d], scale[:d], *labels)


def moments_of(rows: Rows, *, labels: bool = False) -> "Moments":
    """Read the rows once, and return the moments of X, and of the labels after it if wanted."""
    moments = Moments(rows.n_features + labels)
    for run, start, X, y in rows.blocks(_VALUES):
        _check_finite("X", X, run, start)
        if labels:
            _check_finite("y", y, run, start)
        columns = np.column_stack([X, y]) if labels else X
        moments.add(columns.astype(np.float64))
    return moments


class Moments:
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
        rows = Moments(X.shape[1])
        rows.n, rows._lowest, rows._highest = len(X), X.min(axis=0), X.max(axis=0)
        with np.errstate(over="ignore", invalid="ignore"):  # found by check
            mean = X.mean(axis=0)
            X -= mean
            rest = X.mean(axis=0)  # what rounding left of a mean far above the deviation
            X -= rest
            rows.squares = np.square(X).sum(axis=0)
            self._merge(rows, apart=(mean - self.mean) + rest)

    def merge(self, other: "Moments") -> None:
        """Add the rows of other moments."""
        with np.errstate(over="ignore", invalid="ignore"):
            self._merge(other, apart=other.mean - self.mean)

    def _merge(self, other: "Moments", apart: Array) -> None:
        n = self.n + other.n
        self._lowest = np.minimum(self._lowest, other._lowest)
        self._highest = np.maximum(self._highest, other._highest)
        self.squares += other.squares + apart**2 * (self.n / n * other.n)
        self.mean += apart * (other.n / n)
        self.n = n

    def check(self, n_features: int) -> None:
        """Raise ValueError if there is no row, or a column that cannot be scaled."""
        if self.n == 0:
            raise ValueError("X has no rows; give some")
        for column, (lowest, highest) in enumerate(zip(self._lowest, self._highest, strict=True)):
            name = f"column {column} of X" if column < n_features else "y"
            if lowest == highest:
                raise ValueError(
                    f"{name} is constant ({lowest:.6g}); remove it: its deviation is 0"
                )
            if not (0 < self.squares[column] < np.inf):
                raise ValueError(
                    f"{name}, from {lowest:.6g} to {highest:.6g}, is beyond the "
                    "range of squares; rescale it"
                )


def _blocks(X: Array) -> Iterator[Array]:
    """Yield parts of X that stay in the cache."""
    size = max(1, _VALUES // X.shape[1])
    return (X[i : i + size] for i in range(0, len(X), size))


def _check_finite(name: str, array: Array, run: Run, start: int) -> None:
    finite = np.isfinite(array)
    if finite.all():
        return
    row, *column = map(int, np.argwhere(~finite)[0])
    place = ", ".join(map(str, [run.start + start + row, *column]))
    value, file = array[(row, *column)], f"{run.name}: " if run.name else ""
    raise ValueError(f"{file}{name}[{place}] is {value}; remove or replace NaN and infinity")
