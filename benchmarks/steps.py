"""Steps of minibatch SGD, as a case asks for them and a rival takes them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Steps:
    """Plain SGD on half the mean squared error of ``X w + b``, from zero weights."""

    batch_size: int = 1  # the last batch of an epoch may have fewer rows
    epochs: int = 1
    sampling: str = "sequential"  # as `tilewise.fit` has it; "permutation" is new for each epoch
    average: bool = False  # the answer is the mean of the weights after each step
    weight_decay: float = 0.0  # times the weights, not the bias, is added to the gradient
    learning_rate: float = 0.0

    def count(self, rows: int) -> int:
        """Return how many steps all epochs have."""
        return self.epochs * -(-rows // self.batch_size)


def plain_sgd(X: Array, y: Array, steps: Steps, dtype: Any) -> Array:
    """Return weights and bias after the steps in order, written down as they are defined."""
    w, b = np.zeros(X.shape[1], dtype), dtype(0)
    total = np.zeros(X.shape[1] + 1, dtype)
    for start in [*range(0, len(X), steps.batch_size)] * steps.epochs:
        rows = X[start : start + steps.batch_size].astype(dtype)
        residual = rows @ w + b - y[start : start + steps.batch_size]
        w -= steps.learning_rate * ((residual @ rows) / len(rows) + steps.weight_decay * w)
        b -= steps.learning_rate / len(rows) * residual.sum()
        if steps.average:
            total += np.append(w, b)
    return total / steps.count(len(X)) if steps.average else np.append(w, b)
