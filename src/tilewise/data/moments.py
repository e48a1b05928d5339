"""Mean and deviation of columns: found block by block, and taken out of other rows."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tilewise import _core
from tilewise._checks import Array, check_float_array

NUMBERS = 2**15  # computed with at once, in float64: they stay in the cache
_ORDINARY = 400  # exponents of numbers whose squares, and sums of these, are well within float64


@dataclass(frozen=True)
class Standardization:
    """Mean and population standard deviation of columns, to standardize other rows alike.

    Attributes
    ----------
    mean, scale : ndarray of float64, shape (d,)
        Mean and deviation of each column. The scale of a constant column is 1.
    constant : ndarray of bool, shape (d,)
        Whether each column is constant.
    """

    # In units of each column, so that no sum or square leaves the range of float64; the mean as a
    # center and the rest, so that it is as exact as the deviations.
    _unit: Array  # a power of two: 1 but for very large or small numbers
    _center: Array
    _rest: Array  # 0 where the deviations do not show it
    _deviation: Array

    @property
    def mean(self) -> Array:
        """Mean of each column."""
        return np.asarray(self._center * self._unit)

    @property
    def scale(self) -> Array:
        """Standard deviation of each column; 1 where it is constant."""
        return np.where(self.constant, 1.0, self._deviation * self._unit)

    @property
    def constant(self) -> Array:
        """Whether each column is constant."""
        return np.asarray(self._deviation == 0)

    def apply(self, X: ArrayLike) -> Array:
        """Return ``(X - mean) / scale`` in float64.

        Parameters
        ----------
        X : array_like of float32 or float64, shape (n, d)

        Returns
        -------
        ndarray of float64, shape (n, d)

        Raises
        ------
        TypeError, ValueError
            `X` has another dtype or shape.

        Examples
        --------
        >>> import numpy as np
        >>> import tilewise as tw
        >>> rows = tw.open_rows(np.array([[1.0, 5.0], [3.0, 5.0]]), np.zeros(2))
        >>> tw.data.standardize(rows).standardization.apply([[4.0, 6.0]])
        array([[2., 1.]])
        """
        X, d = check_float_array("X", X), len(self._unit)
        if X.ndim != 2 or X.shape[1] != d:
            raise ValueError(f"X has shape {X.shape}; give shape (n, {d})")
        return self._applied(X)

    def _applied(self, X: Array) -> Array:
        with np.errstate(over="ignore"):  # of rows that are not those of the statistics
            Z = X if (self._unit == 1).all() else X / self._unit
            Z = Z - self._center
            if self._rest.any():
                Z -= self._rest
            Z /= np.where(self.constant, 1.0, self._deviation)
        return np.asarray(Z)

    def apply_in_place(self, X: Array) -> None:
        """Do what `apply` does to X itself, in its dtype."""
        for block in blocks(X):
            block[...] = self._applied(block)


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
        """Return the moments of the columns of X (n, d), which is finite."""
        if X.dtype == np.float32 and X.strides[1] == X.itemsize:  # all is ordinary in float64
            return cls(len(X), np.ones(X.shape[1]), *_core.column_moments(X))
        largest = np.maximum(-X.min(axis=0), X.max(axis=0)).astype(np.float64)
        exponent = np.clip(np.frexp(largest)[1], -1000, 1000)  # the inverse is a number too
        exponent[abs(exponent) < _ORDINARY] = 0
        exponent[largest == 0] = -1000  # zeros have the unit of what is added to them
        unit = np.ldexp(1.0, exponent)
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
        unit = np.where(deviation == 0, 1.0, self.unit)  # other rows may differ by more
        return Standardization(unit, center * (self.unit / unit), rest, deviation)

    def __getitem__(self, columns: slice) -> "Moments":
        """Return the moments of some of the columns."""
        arrays = (array[columns] for array in (self.unit, self.origin, self.rest, self.squares))
        return Moments(self.n, *arrays)


def blocks(X: Array) -> Iterator[Array]:
    """Yield parts of X that stay in the cache."""
    size = max(1, NUMBERS // X.shape[1])
    return (X[i : i + size] for i in range(0, len(X), size))
