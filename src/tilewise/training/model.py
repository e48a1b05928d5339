"""The model that a trainer has so far."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tilewise._checks import Array
from tilewise.data.training_set import check_matrix
from tilewise.products import matmul
from tilewise.training.state import Engine

__all__ = ["TrainedModel"]


class TrainedModel:
    """The part of `Trainer` that reads: what the training has come to."""

    _engine: Engine

    @property
    def weights(self) -> Array:
        """A copy of the weights, shape (n_features,) or (n_features, n_targets)."""
        return self._engine.weights

    @property
    def bias(self) -> Any:
        """The bias: a float, or an array of shape (n_targets,)."""
        return self._engine.bias

    @property
    def steps(self) -> int:
        """Steps so far."""
        return int(self._engine.counters[0])

    @property
    def examples(self) -> int:
        """Rows seen so far."""
        return int(self._engine.counters[1])

    @property
    def epochs(self) -> int:
        """Epochs finished so far, by `run_epoch` and `fit`."""
        return self._engine.epochs

    def predict(self, X: ArrayLike) -> Array:
        """Return ``X @ weights + bias``, shape (n,) or (n, n_targets).

        Examples
        --------
        >>> import numpy as np
        >>> import tilewise as tw
        >>> tw.Trainer(1, initial_weights=[2.0]).predict(np.float32([[3]]))
        array([6.], dtype=float32)
        """
        config = self._engine.config
        X = check_matrix(X, config.n_features, config.dtype)
        return np.asarray(matmul(X, self.weights) + np.asarray(self.bias, config.dtype))

    def loss(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return half the squared error, summed over targets and averaged over rows.

        Examples
        --------
        >>> import numpy as np
        >>> import tilewise as tw
        >>> tw.Trainer(1, initial_weights=[2.0]).loss(np.float32([[3]]), np.float32([5]))
        0.5
        """
        return self._engine.loss(self._engine.config.examples(X, y, sample_weight))
