"""What a training run leaves."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise import _core


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


@dataclass
class Records:
    """Losses over time, as they come."""

    rows_per_epoch: int | None = None  # if that is known
    finished: int = 0  # epochs of the model before these
    losses: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    examples: list[int] = field(default_factory=list)
    total_seconds: float = 0.0
    rows: int = 0  # trained on, also those that a divergence took back
    start_loss: float = float("nan")  # for the next call; see DivergenceCheck in cpp/sgd
    faulty: bool = False  # bad data, a fault in reading or a bad schedule: the epochs go back

    def add(self, loss: float, examples: int) -> None:
        """Append a record of this moment."""
        self.losses.append(loss)
        self.seconds.append(self.total_seconds)
        self.examples.append(examples)

    def add_call(self, call: _core.Records) -> None:
        """Append the records of a native call that began after those so far."""
        self.losses += call.losses
        self.seconds += [self.total_seconds + second for second in call.seconds]
        self.examples += call.examples
        self.total_seconds += call.total_seconds
        self.rows += call.rows
        self.start_loss = call.start_loss

    def history(self, model: Any) -> History:
        """Return the records with the model as it is."""
        epochs = model.epochs - self.finished
        if self.rows_per_epoch:
            epochs = self.rows / self.rows_per_epoch
        return History(
            losses=np.asarray(self.losses, np.float64),
            seconds=np.asarray(self.seconds, np.float64),
            examples=np.asarray(self.examples, np.int64),
            seconds_per_epoch=self.total_seconds / epochs if epochs else 0.0,
            weights=model.weights,
            bias=model.bias,
            seed=model.settings.seed,
        )
