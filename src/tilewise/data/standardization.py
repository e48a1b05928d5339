"""Columns of mean 0 and deviation 1."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from tilewise._checks import Array, check_finite, check_float_array
from tilewise.data.dataset import Batch, Dataset

_NUMBERS = 2**15  # computed with at once, in float64: they stay in the cache
_ORDINARY = 400  # exponents of numbers whose squares, and sums of these, are well within float64


@dataclass(frozen=True)
class Standardization:
    """Mean and population standard deviation of columns, to standardize other rows alike.

    Both are in a unit of each column, so that no sum or square leaves the range of float64; the
    mean is a center and the rest, so that it is as exact as the deviations.

    Attributes
    ----------
    mean, scale : ndarray of float64, shape (d,)
        The scale of a constant column is 1.
    """

    unit: Array  # a power of two: 1 but for very large or small numbers
    center: Array
    rest: Array  # 0 where the deviations do not show it
    deviation: Array

    @property
    def mean(self) -> Array:
        """Mean of each column."""
        return np.asarray(self.center * self.unit)

    @property
    def scale(self) -> Array:
        """Standard deviation of each column; 1 where it is constant."""
        return np.where(self.constant, 1.0, self.deviation * self.unit)

    @property
    def constant(self) -> Array:
        """Whether each column is constant."""
        return np.asarray(self.deviation == 0)

    def apply(self, X: Array) -> Array:
        """Return ``(X - mean) / scale`` in float64, shaped as X (n, d).

        Examples
        --------
        >>> standardization = moments_of(np.array([[1.0, 5.0], [3.0, 5.0]])).standardization()
        >>> standardization.apply(np.array([[4.0, 6.0]]))
        array([[2., 1.]])
        """
        with np.errstate(over="ignore"):  # of rows that are not those of the statistics
            Z = X if (self.unit == 1).all() else X / self.unit
            Z = Z - self.center
            if self.rest.any():
                Z -= self.rest
            Z /= np.where(self.constant, 1 / self.unit, self.deviation)
        return np.asarray(Z)


@dataclass(frozen=True)
class Moments:
    """Mean, a row and the rest, and sum of squared deviations of columns; see `Standardization`.

    Moments are added as by Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for
    computing sample variances" (1979): no square of a mean is ever subtracted.
    """

    n: int
    unit: Array
    origin: Array
    rest: Array
    squares: Array

    @classmethod
    def of(cls, X: Array) -> "Moments":
        """Return those of the columns of X (n, d), which is finite."""
        largest = np.maximum(-X.min(axis=0), X.max(axis=0)).astype(np.float64)
        exponent = np.clip(np.frexp(largest)[1], -1000, 1000)  # the inverse is a number too
        unit = np.ldexp(1.0, np.where(abs(exponent) < _ORDINARY, 0, exponent))
        rows = X / unit
        origin = rows[0].copy()
        rows -= origin
        rest = rows.mean(axis=0)
        rows -= rest
        return cls(len(X), unit, origin, rest, np.square(rows).sum(axis=0))

    def __add__(self, other: "Moments") -> "Moments":
        """Return the moments of the rows of both."""
        n, unit = self.n + other.n, np.maximum(self.unit, other.unit)
        own, others = self.unit / unit, other.unit / unit
        origin, rest = self.origin * own, self.rest * own
        apart = (other.origin * others - origin) + (other.rest * others - rest)
        squares = self.squares * own**2 + other.squares * others**2
        squares += apart**2 * (self.n / n * other.n)
        return Moments(n, unit, origin, rest + apart * (other.n / n), squares)

    def standardization(self) -> Standardization:
        """Return what makes the columns have mean 0 and deviation 1."""
        deviation, center = np.sqrt(self.squares / self.n), self.origin + self.rest
        rest = self.rest - (center - self.origin)
        rest[abs(rest) <= 4 * np.finfo(np.float64).eps * deviation] = 0
        return Standardization(self.unit, center, rest, deviation)

    def split(self, d: int) -> tuple["Moments", "Moments"]:
        """Return those of the first d columns, and those of the others."""
        arrays = self.unit, self.origin, self.rest, self.squares
        return (
            Moments(self.n, *(array[:d] for array in arrays)),
            Moments(self.n, *(array[d:] for array in arrays)),
        )


@dataclass(frozen=True)
class StandardizedDataset(Dataset):
    """Rows that are standardized as they are read.

    Attributes
    ----------
    standardization : Standardization
        Of the columns of X as they are stored.
    """

    dataset: Dataset
    standardization: Standardization
    of_labels: Standardization | None = None  # None: they stay as they are

    @classmethod
    def of(
        cls, dataset: Dataset, of_X: Standardization, of_labels: Standardization | None = None
    ) -> "StandardizedDataset":
        """Return the rows of a dataset, standardized."""
        d, dtype, buffer_bytes = dataset.n_features, dataset.dtype, dataset.buffer_bytes
        return cls(d, dtype, buffer_bytes, dataset, of_X, of_labels)

    @property
    def n_rows(self) -> int | None:
        """See `Dataset.n_rows`."""
        return self.dataset.n_rows

    @property
    def width(self) -> int:
        """See `Dataset.width`."""
        return self.dataset.width

    @property
    def reading_bytes(self) -> int:
        """See `Dataset.reading_bytes`."""
        return self.dataset.reading_bytes

    def batches(self, random: np.random.Generator | None) -> Iterator[Batch]:
        """Yield an epoch; see `Dataset.batches`."""
        return (replace(batch, convert=self._convert) for batch in self.dataset.batches(random))

    def _convert(self, X: Array, y: Array) -> None:
        for block in _blocks(X):
            block[...] = self.standardization.apply(block)
        if self.of_labels is not None:
            y[...] = self.of_labels.apply(y)


@overload
def standardize(X: Dataset) -> StandardizedDataset: ...


@overload
def standardize(X: ArrayLike) -> Array: ...


def standardize(X: ArrayLike | Dataset) -> Array | StandardizedDataset:
    """Shift and scale each column to mean 0 and population standard deviation 1.

    Each column becomes ``(x - mean(x)) / sqrt(mean((x - mean(x))**2))``, computed in float64; a
    constant column becomes 0.

    Parameters
    ----------
    X : array_like of float32 or float64, shape (n, d) or (n,), or rows of `tilewise.open_rows`
        Without NaN or infinity. Rows are read once, here, and shifted and scaled whenever they
        are read again; their labels stay as they are.

    Returns
    -------
    ndarray or StandardizedDataset
        A new array of the shape and dtype of `X`. Of rows, rows to `fit`: their
        ``standardization`` has the ``mean`` and ``scale`` of the columns, and ``apply`` does the
        same to other rows.

    Raises
    ------
    TypeError, ValueError
        `X` has another dtype or shape, no rows, or a value that is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> import tilewise as tw
    >>> tw.data.standardize(np.array([[1.0, 30.0], [3.0, 10.0]]))
    array([[-1.,  1.],
           [ 1., -1.]])
    """
    if isinstance(X, Dataset):
        return StandardizedDataset.of(X, moments_of(X).standardization())
    X = check_float_array("X", X)
    if X.ndim not in (1, 2) or X.size == 0:
        raise ValueError(f"X has shape {X.shape}; give (n, d) or (n,) with at least one value")
    standardized = np.array(check_finite("X", X), order="C")
    columns = standardized.reshape(len(X), -1)
    standardization = moments_of(columns).standardization()
    for block in _blocks(columns):
        block[...] = standardization.apply(block)
    return standardized


def moments_of(data: Array | Dataset, labels: bool = False) -> Moments:
    """Return the moments of the columns of X, from one reading; with `labels` those of y follow."""
    blocks = _checked(data, labels) if isinstance(data, Dataset) else _blocks(data)
    return reduce(add, map(Moments.of, blocks))


def _checked(dataset: Dataset, labels: bool) -> Iterator[Array]:
    """Yield blocks of X, with y as the last column where the labels are wanted."""
    for batch, start, X, y in dataset.blocks(_NUMBERS):
        for array in (X, y) if labels else (X,):
            finite = np.isfinite(array)
            if not finite.all():
                row, *column = map(int, np.argwhere(~finite)[0])
                where = column[0] if column else None
                raise batch.nonfinite(start + row, where, array[(row, *column)])
        yield np.column_stack([X, y]) if labels else X


def _blocks(X: Array) -> Iterator[Array]:
    """Yield parts of X that stay in the cache."""
    size = max(1, _NUMBERS // X.shape[1])
    return (X[i : i + size] for i in range(0, len(X), size))
