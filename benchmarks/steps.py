"""Steps of minibatch SGD, as a case asks for them and a rival takes them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Steps:
    """Plain SGD on half the mean squared error of ``X w + b``, from zero weights."""

    batch_size: int  # the last batch of an epoch may have fewer rows
    learning_rate: float
    epochs: int = 1
    sampling: str = "sequential"  # as `tilewise.fit` has it

    def count(self, rows: int) -> int:
        """Return how many steps all epochs have."""
        return self.epochs * -(-rows // self.batch_size)


def plain_sgd(X: Array, y: Array, steps: Steps, dtype: Any) -> Array:
    """Return weights and bias after the steps in order, written down as they are defined."""
    w, b = np.zeros(X.shape[1], dtype), dtype(0)
    for start in [*range(0, len(X), steps.batch_size)] * steps.epochs:
        rows = X[start : start + steps.batch_size].astype(dtype)
        residual = rows @ w + b - y[start : start + steps.batch_size]
        w -= steps.learning_rate / len(rows) * (residual @ rows)
        b -= steps.learning_rate / len(rows) * residual.sum()
    return np.append(w, b)
