"""Linear regression by minibatch stochastic gradient descent, in one call."""

from typing import Any

from numpy.typing import ArrayLike

from tilewise.data.dataset import Dataset
from tilewise.distributed.ranks import agreed
from tilewise.trainer import fit_state
from tilewise.training.history import History
from tilewise.training.optimizers import Optimizer
from tilewise.training.settings import FitOptions, Rate, Settings, passed, settings_of_data
from tilewise.training.state import State


def fit(
    X: ArrayLike | Dataset,
    y: ArrayLike | None = None,
    *,
    batch_size: int = 32,
    epochs: int = 1,
    learning_rate: Rate = 0.01,
    optimizer: str | Optimizer = "sgd",
    sampling: str = "permutation",
    weight_decay: float = 0.0,
    clip_norm: float | None = None,
    average: bool = False,
    initial_weights: ArrayLike | None = None,
    seed: int | None = None,
    sample_weight: ArrayLike | None = None,
    record_every: int | None = None,
    validation_fraction: float | None = None,
    patience: int | None = None,
    tolerance: float = 0.0,
    progress: bool = False,
    verbose: bool = False,
    comm: Any = None,
    average_every: int = 1,
) -> History:
    """Fit ``y = X w + b`` by minibatch SGD.

    Each step takes the next `batch_size` rows of the epoch's order and updates
    ``w -= learning_rate * X_b.T @ (X_b @ w + b - y_b) / len(X_b)``, and b likewise: the gradient
    of half the squared error, averaged over the minibatch (d2l.ai, equation 12.5.2 and
    section 3.1). The last batch of an epoch may be smaller.

    Parameters
    ----------
    X : array_like of float32 or float64, shape (n, d)
        Without NaN or infinity. Copied unless its rows are contiguous.
        Or rows of `tilewise.open_rows`, without y: data larger than memory; see `Trainer.fit`.
    y : array_like of float32 or float64, shape (n,) or (n, t)
        Converted to the dtype of `X`, in which everything is computed.
    batch_size : int, default 32
        Rows in a step; n or more is gradient descent.
    epochs : int, default 1
    learning_rate, optimizer, sampling, weight_decay, clip_norm, average, initial_weights, seed
        See `Trainer`.
    sample_weight : array_like, shape (n,), optional
        Weights of the rows in the loss, 0 or more.
    record_every : int, optional
        Rows between two entries of the history; see `Trainer.fit`.
    validation_fraction, patience, tolerance, progress, verbose, comm, average_every
        See `Trainer.fit`.

    Returns
    -------
    History

    Raises
    ------
    TypeError, ValueError
        An argument has the wrong type, shape or value. `X` and `y` are never changed.
    DivergenceError
        The learning rate is too large. Its `history` has the last good weights.
    KeyboardInterrupt
        After Ctrl-C, within some milliseconds. Its `history` has the weights so far.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y, weights, bias = tw.data.synthetic(1000, 3, noise=0.0, seed=0)
    >>> history = tw.fit(X, y, batch_size=10, learning_rate=0.05, epochs=5, seed=0)
    >>> bool(abs(history.weights - weights).max() < 1e-3)
    True
    """
    arguments = locals()
    with agreed(comm):
        settings = Settings(**settings_of_data(X, y), **passed(Settings, arguments))
        state = State(settings, initial_weights)
        options = FitOptions(**passed(FitOptions, arguments))
    return fit_state(state, X, y, sample_weight, options)
