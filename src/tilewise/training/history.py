"""What a training run leaves."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise._checks import INT64_MAX, check_int

__all__ = ["DivergenceError", "History", "rows_between_records"]


@dataclass(frozen=True)
class History:
    """What a training run leaves: one entry a record, and the model at the end.

    Attributes
    ----------
    losses : ndarray of float64
        Half the squared error, averaged over all rows.
    seconds : ndarray of float64
        Training time so far. Evaluating the loss is not counted.
    examples : ndarray of int64
        Rows seen so far.
    seconds_per_epoch : float
        Training time so far, over the epochs so far.
    weights : ndarray, shape (n_features,) or (n_features, n_targets)
    bias : float, or ndarray of shape (n_targets,)
    seed : int or None
        Gives the same run again, for `fit`.
    """

    losses: NDArray[np.float64]
    seconds: NDArray[np.float64]
    examples: NDArray[np.int64]
    seconds_per_epoch: float
    weights: NDArray[Any]
    bias: Any
    seed: int | None


class DivergenceError(FloatingPointError):
    """The training diverged: the learning rate is too large.

    A number was not finite, or the loss a million times that of the start and of weights of zero.
    The loss is looked at over 64 of the rows now and then, and over all where it is recorded. A
    training that ends with a loss above the start's but below that is not reported.

    Attributes
    ----------
    history : History
        Until then, with the last good weights.
    """

    def __init__(self, message: str, history: History) -> None:
        super().__init__(message, history)  # both, so that it can be pickled
        self.history = history

    def __str__(self) -> str:
        """Return the message."""
        return str(self.args[0])


def rows_between_records(record_every: int | None, n_rows: int, epochs: int) -> int:
    """Return `record_every`, checked, or for None an interval that takes little time.

    The loss over all rows is about half the work of an epoch, so one in five epochs is about a
    tenth of the training's. With the end there are at most a hundred.
    """
    if record_every is not None:
        return check_int("record_every", record_every)
    return min(n_rows * max(5, -(-epochs // 99)), INT64_MAX)
