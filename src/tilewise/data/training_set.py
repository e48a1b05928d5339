"""What a linear model is trained on, checked once."""

from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from tilewise import _core
from tilewise._checks import (
    Array,
    check_array,
    check_float_array,
    check_fraction,
    converted,
    nonfinite,
)


@dataclass(frozen=True)
class TrainingSet:
    """Rows of X (n, d) and y (n, t), and perhaps sample weights (n,) of mean 1, all of one dtype.

    X has contiguous rows; y and the weights are contiguous. Nothing is copied that lies so already.
    """

    X: Array
    y: Array
    weights: Array | None

    @classmethod
    def checked(
        cls,
        X: ArrayLike,
        y: ArrayLike | None,
        sample_weight: ArrayLike | None,
        *,
        n_features: int,
        n_targets: int | None,
        dtype: DTypeLike,
    ) -> "TrainingSet":
        """Return what the arguments hold; NaN and infinity are not looked for."""
        if y is None:
            raise TypeError("y is missing; give the labels of X")
        X = _with_contiguous_rows(check_matrix(X, n_features, dtype))
        if not (plain := is_plain(y, X.dtype)):
            y = check_float_array("y", y)
        shape = (len(X),) if n_targets is None else (len(X), n_targets)
        if y.shape != shape:
            raise ValueError(f"y has shape {y.shape}; give shape {shape}")
        weights = None if sample_weight is None else _mean_one(sample_weight, len(X))
        if not plain:
            y = np.require(converted("y", y, X.dtype), None, ["C", "A"])
        y = y.reshape(len(X), -1)
        return cls(X, y, None if weights is None else weights.astype(X.dtype))

    def check_finite(self, only_labels: bool = False) -> None:
        """Raise with the position of the first NaN or infinity, if there is one."""
        y = self.y[:, 0] if self.y.shape[1] == 1 else self.y
        for name, array in (("X", self.X), ("y", y))[only_labels:]:
            at = _core.first_nonfinite(array)
            if at >= 0:
                raise nonfinite(name, array, at)

    def split(self, fraction: float, seed: int) -> tuple["TrainingSet", "TrainingSet"]:
        """Return copies of most rows and of a fraction of them, drawn at random."""
        n = len(self.X)
        held_out = round(check_fraction("validation_fraction", fraction) * n)
        if not 1 <= held_out < n:
            raise ValueError(
                f"validation_fraction={fraction} of {n} rows leaves a part empty; give more rows"
            )
        self.check_finite()  # training would not find what is bad in the part held out
        order = np.random.default_rng(seed).permutation(n)
        return self._rows(np.sort(order[held_out:])), self._rows(np.sort(order[:held_out]))

    def _rows(self, rows: NDArray[np.int64]) -> "TrainingSet":
        if self.weights is None:
            return TrainingSet(self.X[rows], self.y[rows], None)
        weights = self.weights[rows]
        if not weights.any():
            raise ValueError(
                "sample_weight is 0 in all of a part of validation_fraction; give more weights"
            )
        return TrainingSet(self.X[rows], self.y[rows], weights / weights.mean())


def is_plain(value: Any, dtype: DTypeLike) -> TypeGuard[Array]:
    """Return whether it is an array that native code takes as it lies: nothing else to check."""
    if type(value) is not np.ndarray or value.dtype is not dtype:
        return False
    flags = value.flags
    return flags.c_contiguous and flags.aligned


def check_matrix(X: ArrayLike, n_features: int, dtype: DTypeLike) -> Array:
    """Return X (n, d) in any layout; a copy only if needed."""
    if not is_plain(X, dtype):
        X = check_float_array("X", X)
    if X.ndim != 2 or X.shape[0] == 0 or X.shape[1] != n_features:
        raise ValueError(f"X has shape {X.shape}; give shape (n, {n_features}) with at least a row")
    if X.dtype != dtype:
        raise TypeError(
            f"X has dtype {X.dtype}, but the model {np.dtype(dtype)}; convert one of them"
        )
    return X


def aligned(X: Array) -> Array:
    """Return X (n, d) with whole elements between its numbers; a copy only if needed."""
    size, (rows, columns) = X.itemsize, X.strides
    good = rows % size == 0 and columns % size == 0 and X.flags.aligned
    return X if good else np.ascontiguousarray(X)


def _with_contiguous_rows(X: Array) -> Array:
    """Return X with contiguous, aligned rows; a copy only if needed."""
    return aligned(X if X.strides[1] == X.itemsize else np.ascontiguousarray(X))


def _mean_one(sample_weight: ArrayLike, n: int) -> Array:
    """Return the sample weights divided by their mean."""
    weights = check_array("sample_weight", sample_weight)
    if weights.dtype.kind not in "iufb":
        raise TypeError(f"sample_weight has dtype {weights.dtype}; give numbers")
    if weights.shape != (n,):
        raise ValueError(f"sample_weight has shape {weights.shape}; give shape ({n},)")
    weights = weights.astype(np.float64)
    bad = ~(np.isfinite(weights) & (weights >= 0))
    if bad.any():
        at = int(np.argmax(bad))
        raise ValueError(f"sample_weight[{at}] is {weights[at]}; give finite weights, 0 or more")
    if not weights.any():
        raise ValueError("sample_weight is zero everywhere; give one row a weight above 0")
    weights /= weights.max()
    return np.asarray(weights / weights.mean())
