"""Linear regression by minibatch stochastic gradient descent."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tilewise import _core
from tilewise._validation import (
    check_choice,
    check_examples,
    check_finite,
    check_float_vector,
    check_int,
    check_rate,
    check_seed,
)

__all__ = ["History", "fit", "mean_loss"]

Array = NDArray[Any]

_SAMPLINGS = ("permutation", "replacement", "sequential")
_INITIAL_STD = 0.01  # of the weights, as in d2l.ai, section 12.5


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
        Training time of the whole run over its epochs.
    weights : ndarray, shape (n_features,)
    bias : float
    seed : int or None
        Gives the same run again, for `fit`.
    """

    losses: NDArray[np.float64]
    seconds: NDArray[np.float64]
    examples: NDArray[np.int64]
    seconds_per_epoch: float
    weights: Array
    bias: float
    seed: int | None


def fit(
    X: ArrayLike,
    y: ArrayLike,
    *,
    batch_size: int = 32,
    learning_rate: float = 0.01,
    epochs: int = 1,
    sampling: str = "permutation",
    seed: int | None = None,
    initial_weights: ArrayLike | None = None,
    record_every: int = 200,
) -> History:
    """Fit ``y = X w + b`` by minibatch SGD, in one native call.

    Each step takes the next `batch_size` rows of the epoch's order and updates
    ``w -= learning_rate * X_b.T @ (X_b @ w + b - y_b) / len(X_b)``, and b likewise: the gradient
    of half the squared error, averaged over the minibatch (d2l.ai, equation 12.5.2 and
    section 3.1). The last batch of an epoch may be smaller.

    Parameters
    ----------
    X : array_like of float32 or float64, shape (n, d)
        Without NaN or infinity. Copied unless it is C-contiguous.
    y : array_like of float32 or float64, shape (n,)
        Converted to the dtype of `X`, in which everything is computed.
    batch_size : int, default 32
        Rows in a step; n or more is gradient descent.
    learning_rate : float, default 0.01
    epochs : int, default 1
    sampling : {'permutation', 'replacement', 'sequential'}, default 'permutation'
        An exact uniform permutation for each epoch, n draws with replacement, or the rows in
        order.
    seed : int, optional
        Fixes the initial weights and the order of the rows. By default a fresh one.
    initial_weights : array_like, shape (d,), optional
        By default drawn from a normal distribution with standard deviation 0.01. The bias starts
        at 0.
    record_every : int, default 200
        Rows between two entries of the history. The end is always recorded.

    Returns
    -------
    History

    Raises
    ------
    TypeError, ValueError
        An argument has the wrong type, shape or value. `X` and `y` are never changed.
    FloatingPointError
        The training diverged: the learning rate is too large.
    KeyboardInterrupt
        After Ctrl-C, which is looked for between batches, about every millisecond.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y, weights, bias = tw.data.synthetic(1000, 3, noise=0.0, seed=0)
    >>> history = tw.fit(X, y, batch_size=10, learning_rate=0.05, epochs=5, seed=0)
    >>> bool(abs(history.weights - weights).max() < 1e-3)
    True
    """
    X, y = check_examples(X, y)
    schedule = _core.Schedule(
        batch_size=check_int("batch_size", batch_size),
        learning_rate=check_rate("learning_rate", learning_rate, X.dtype),
        epochs=check_int("epochs", epochs),
        record_every=check_int("record_every", record_every),
    )
    check_choice("sampling", sampling, _SAMPLINGS)
    seed = check_seed(seed)
    weights = starting_weights(initial_weights, X, seed)
    sampler = _core.Sampler(len(X), sampling, seed)
    losses, seconds, examples, bias = _core.fit(
        np.ascontiguousarray(X), np.ascontiguousarray(y), weights, 0.0, schedule, sampler
    )
    if not np.isfinite(losses[-1]):
        raise FloatingPointError(
            f"learning_rate={learning_rate} is too large: the loss overflowed after "
            f"{examples[-1]} examples; use a smaller one"
        )
    return History(
        losses=np.asarray(losses),
        seconds=np.asarray(seconds),
        examples=np.asarray(examples, dtype=np.int64),
        seconds_per_epoch=seconds[-1] / epochs,
        weights=weights,
        bias=bias,
        seed=seed,
    )


def starting_weights(initial_weights: ArrayLike | None, X: Array, seed: int) -> Array:
    """Return a fresh array (d,) of X's dtype for the training to write to."""
    features = X.shape[1]
    if initial_weights is None:
        drawn = np.random.default_rng(seed).normal(0, _INITIAL_STD, (features,))
        return np.asarray(drawn, X.dtype)
    given = check_float_vector("initial_weights", initial_weights, length=features)
    with np.errstate(over="ignore"):  # found below
        converted = given.astype(X.dtype)
    return check_finite(f"initial_weights.astype({X.dtype})", converted)


def mean_loss(X: Array, y: Array, weights: Array, bias: float) -> float:
    """Return half the squared error of ``X w + b``, averaged over the rows.

    Parameters
    ----------
    X : ndarray of float32 or float64, shape (n, d)
    y : ndarray, shape (n,)
    weights : ndarray, shape (d,)
    bias : float

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> mean_loss(np.eye(2), np.ones(2), np.zeros(2), 0.0)
    0.5
    """
    X = np.ascontiguousarray(X)
    y = np.ascontiguousarray(y, X.dtype)
    return _core.mean_loss(X, y, np.ascontiguousarray(weights, X.dtype), float(bias))
