"""A fitted linear model in the units of the user's own columns."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.data.columns import columns_of
from tilewise.products import matmul
from tilewise.tables.table import NumericTable

__all__ = ["Columns", "LinearModel", "Standardization"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Standardization:
    """Mean and population standard deviation of columns, to standardize other rows alike.

    Attributes
    ----------
    mean, scale : ndarray of float64, shape (d,)
        The scale of a constant column is 1.
    """

    mean: Floats
    scale: Floats

    @classmethod
    def of(cls, X: Floats) -> "Standardization":
        """Return the statistics of the columns of X (n, d).

        Examples
        --------
        >>> statistics = Standardization.of(np.array([[1.0, 5.0], [3.0, 5.0]]))
        >>> statistics.mean.tolist(), statistics.scale.tolist()
        ([2.0, 5.0], [1.0, 1.0])
        """
        largest = np.abs(X).max(axis=0)
        largest[largest == 0] = 1
        parts = X / largest  # no sum or square leaves the range of float64
        scale = parts.std(axis=0) * largest
        constant = X.min(axis=0) == X.max(axis=0)
        mean = np.where(constant, X[0], parts.mean(axis=0) * largest)
        return cls(mean, np.where(constant | (scale == 0), 1.0, scale))

    def apply(self, X: Floats) -> Floats:
        """Return ``(X - mean) / scale``."""
        return (X - self.mean) / self.scale


@dataclass(frozen=True)
class Columns:
    """What the columns of a table are to a model; see `LinearModel`."""

    features: tuple[str, ...] | None
    target: str | None
    target_position: int


@dataclass(frozen=True)
class LinearModel:
    """``y = X @ weights + bias``, in the units of the table that it was fitted to.

    Attributes
    ----------
    features : tuple of str or None
        Names of the columns of X; None if the table had none.
    target : str or None
        Name of the column y.
    target_position : int
        Of the target among all columns of the table, from 0.
    weights : ndarray of float64, shape (d,)
    bias : float
    standardization : Standardization
        Of the features in training. `predict` does not need it.
    training : dict
        Settings, results and versions, for people.
    """

    features: tuple[str, ...] | None
    target: str | None
    target_position: int
    weights: Floats
    bias: float
    standardization: Standardization
    training: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of_standardized(
        cls,
        columns: "Columns",
        weights: NDArray[Any],
        bias: float,
        standardizations: tuple[Standardization, Standardization],
        training: dict[str, Any],
    ) -> "LinearModel":
        """Undo the standardization: ``(y - m) / s = ((X - m') / s') @ w + b``.

        Raises
        ------
        ValueError
            The weights are too large in the units of the table.
        """
        of_X, of_y = standardizations
        with np.errstate(over="ignore", invalid="ignore"):
            weights = weights * (of_y.scale / of_X.scale)
            bias = float(of_y.mean[0] + of_y.scale[0] * bias - np.sum(weights * of_X.mean))
        if not (np.isfinite(weights).all() and np.isfinite(bias)):
            raise ValueError(
                "the weights are too large in the units of the table; rescale its columns"
            )
        features, target, position = columns.features, columns.target, columns.target_position
        return cls(features, target, position, weights, bias, of_X, training)

    def predict(self, X: Floats) -> Floats:
        """Return ``X @ weights + bias``.

        Raises
        ------
        ValueError
            A prediction is beyond the largest number.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            y = np.asarray(matmul(X, self.weights) + self.bias)
        if not np.isfinite(y).all():
            row = int(np.argmin(np.isfinite(y))) + 1
            raise ValueError(f"row {row} has values too large for a prediction; rescale them")
        return y

    def columns(self, table: NumericTable) -> Floats:
        """Return the features' columns of a table.

        Where the table and the model have names, the order of the columns does not matter, and
        others are left out. Otherwise the table has the features in the order of the training,
        with the target among them or without.

        Raises
        ------
        ValueError
            A column is missing, or there are too few or too many.
        """
        if self.features is not None and table.names is not None:
            return table.values[:, columns_of(table.names, self.features)]
        d, found = len(self.weights), table.values.shape[1]
        if found == d + 1:
            return np.delete(table.values, self.target_position, axis=1)
        if found != d:
            raise ValueError(
                f"columns: {found}, features of the model: {d}; give these, or these and "
                f"the target as column {self.target_position + 1}"
            )
        return table.values
