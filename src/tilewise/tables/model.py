"""A fitted linear model in the units of the user's own columns."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise._checks import Array
from tilewise.data.columns import Columns, columns_of
from tilewise.data.moments import Standardization
from tilewise.products import matmul
from tilewise.tables.table import NumericTable

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LinearModel:
    """``y = X @ weights + bias``, in the units of the table that it was fitted to."""

    columns: Columns
    weights: Floats
    bias: float
    mean: Floats  # of the features in training; `predict` does not need it
    scale: Floats
    training: dict[str, Any] = field(default_factory=dict)  # settings, results, versions: to read

    @classmethod
    def of_standardized(
        cls,
        columns: Columns,
        weights: Array,
        bias: float,
        standardizations: tuple[Standardization, Standardization],
        training: dict[str, Any],
    ) -> "LinearModel":
        """Undo the standardization: ``(y - m) / s = ((X - m') / s') @ w + b``; or raise."""
        of_X, of_y = standardizations
        mean, scale = of_X.mean, of_X.scale
        with np.errstate(over="ignore", invalid="ignore"):
            weights = weights * (of_y.scale / scale)
            bias = float(of_y.mean[0] + of_y.scale[0] * bias - np.sum(weights * mean))
        if not (np.isfinite(weights).all() and np.isfinite(bias)):
            raise ValueError(
                "the weights are too large in the units of the table; rescale its columns"
            )
        return cls(columns, weights, bias, mean, scale, training)

    def predict(self, X: Floats) -> Floats:
        """Return ``X @ weights + bias``, or raise where that is beyond the largest number."""
        with np.errstate(over="ignore", invalid="ignore"):
            y = np.asarray(matmul(X, self.weights) + self.bias)
        if not np.isfinite(y).all():
            row = int(np.argmin(np.isfinite(y))) + 1
            raise ValueError(f"row {row} has values too large for a prediction; rescale them")
        return y

    def features_of(self, table: NumericTable) -> Floats:
        """Return the features' columns of a table, or raise.

        Where the table and the model have names, the order of the columns does not matter, and
        others are left out. Otherwise the table has the features in the order of the training,
        with the target among them or without.
        """
        columns = self.columns
        if columns.features is not None and table.names is not None:
            return table.values[:, columns_of(table.names, columns.features)]
        d, found = len(self.weights), table.values.shape[1]
        if found == d + 1:
            return np.delete(table.values, columns.target_position, axis=1)
        if found != d:
            raise ValueError(
                f"columns: {found}, features of the model: {d}; give these, or these and "
                f"the target as {columns.label(None)}"
            )
        return table.values
