"""Training with an optimizer written in Python."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from tilewise._checks import Array, check_examples, check_int, check_seed
from tilewise.data.minibatches import Minibatches
from tilewise.linear_regression import mean_loss
from tilewise.timing import Timer
from tilewise.training.history import History, rows_between_records
from tilewise.training.state import starting_weights

__all__ = ["train"]

Optimizer = Callable[[list[Array], list[Array], Any, dict[str, Any]], None]


def train(
    optimizer_fn: Optimizer,
    states: Any,
    hyperparams: dict[str, Any],
    data_iter: Iterable[tuple[Array, Array]],
    n_features: int,
    epochs: int = 2,
    *,
    seed: int | None = None,
    record_every: int | None = None,
) -> History:
    """Train with an optimizer of your own, written in Python (``train_ch11`` of d2l.ai, 12.5).

    Parameters
    ----------
    optimizer_fn : callable
        ``optimizer_fn(params, grads, states, hyperparams)`` updates the arrays of `params` in
        place. `params` is ``[w, b]`` of shapes (n_features,) and (1,); `grads` has the gradients of
        half the squared error, averaged over the minibatch.
    states : object
        Handed to `optimizer_fn` as it is, for what it keeps between steps.
    hyperparams : dict
        Handed to `optimizer_fn` as it is.
    data_iter : iterable of (X, y)
        Gives an epoch of minibatches each time it is iterated, such as `tilewise.data.Minibatches`.
    n_features : int
        Columns of X.
    epochs : int, default 2
    seed : int, optional
        Fixes the initial weights, drawn with standard deviation 0.01. The bias starts at 0.
    record_every : int, optional
        Rows between two entries of the history; see `tilewise.Trainer.fit`.

    Returns
    -------
    History
        The losses are over the rows of `data_iter` if it is a `tilewise.data.Minibatches`, else
        over those of one pass before the training.

    Raises
    ------
    TypeError, ValueError
        An argument has the wrong type or value; `data_iter` is empty, can be iterated only once, or
        gives something else than pairs of arrays that fit; or `optimizer_fn` put something else in
        the place of a parameter.
    FloatingPointError
        The training diverged.

    Examples
    --------
    >>> import tilewise as tw
    >>> def sgd(params, grads, states, hyperparams):
    ...     for param, grad in zip(params, grads):
    ...         param -= hyperparams["lr"] * grad
    >>> X, y, _, _ = tw.data.synthetic(1000, 3, noise=0.0, seed=0)
    >>> batches = tw.data.Minibatches(X, y, batch_size=10, seed=0)
    >>> history = tw.train(sgd, None, {"lr": 0.05}, batches, n_features=3, seed=0)
    >>> bool(history.losses[-1] < 1e-3)
    True
    """
    if not callable(optimizer_fn):
        raise TypeError(f"optimizer_fn={optimizer_fn!r} is not callable; give a function")
    n_features = check_int("n_features", n_features)
    epochs = check_int("epochs", epochs)
    X, y = _rows(data_iter, n_features)
    recorder = _Recorder(X, y, rows_between_records(record_every, len(X), epochs))
    seed = check_seed(seed)
    params = [
        starting_weights(None, (n_features,), recorder.X.dtype, seed),
        np.zeros(1, recorder.X.dtype),
    ]
    for epoch in range(epochs):
        before = recorder.examples
        recorder.timer.start()
        for X_b, y_b in _batches(data_iter, n_features):
            with np.errstate(over="ignore", invalid="ignore"):  # the recorder finds divergence
                optimizer_fn(params, _gradients(params, X_b, y_b), states, hyperparams)
            recorder.step(params, len(X_b))
        recorder.timer.stop()
        if recorder.examples == before:
            raise ValueError(
                f"data_iter gave nothing in epoch {epoch + 1}; pass an object that can be iterated "
                "again, such as tilewise.data.Minibatches"
            )
    return recorder.history(params, epochs, seed)


class _Recorder:
    """Counts rows and training time, and keeps the losses."""

    def __init__(self, X: Array, y: Array, record_every: int) -> None:
        self.X, self.y = X, y
        self.timer = Timer()
        self.examples = 0
        self._every = self._next = record_every
        self._records: list[tuple[float, float, int]] = []

    def step(self, params: list[Array], rows: int) -> None:
        self._check(params)
        self.examples += rows
        if self.examples < self._next:
            return
        self.timer.stop()
        self._record(params)
        self._next = (self.examples // self._every + 1) * self._every
        self.timer.start()

    def history(self, params: list[Array], epochs: int, seed: int) -> History:
        if not self._records or self._records[-1][2] != self.examples:
            self._record(params)
        losses, seconds, examples = zip(*self._records, strict=True)
        return History(
            losses=np.array(losses),
            seconds=np.array(seconds),
            examples=np.array(examples, dtype=np.int64),
            seconds_per_epoch=self.timer.sum() / epochs,
            weights=params[0],
            bias=float(params[1][0]),
            seed=seed,
        )

    def _check(self, params: list[Array]) -> None:
        shapes = [np.shape(param) for param in params]
        if shapes != [(self.X.shape[1],), (1,)]:
            raise ValueError(
                f"optimizer_fn left params of shapes {shapes}; update the arrays in place"
            )

    def _record(self, params: list[Array]) -> None:
        loss = mean_loss(self.X, self.y, params[0], params[1][0])
        if not np.isfinite(loss):
            raise FloatingPointError(
                f"the loss overflowed after {self.examples} examples; use a smaller learning rate"
            )
        self._records.append((loss, self.timer.sum(), self.examples))


def _gradients(params: list[Array], X: Array, y: Array) -> list[Array]:
    """Return the gradients of the mean half squared error with respect to weights and bias."""
    weights, bias = params
    residuals = X @ weights + bias - y
    return [X.T @ residuals / len(X), residuals.mean(keepdims=True)]


def _batches(
    data_iter: Iterable[tuple[Array, Array]], n_features: int
) -> Iterator[tuple[Array, Array]]:
    """Yield the minibatches of an epoch as pairs of arrays that fit each other."""
    try:
        iterator = iter(data_iter)
    except TypeError:
        raise TypeError(
            f"data_iter={data_iter!r} is not iterable; give one such as tilewise.data.Minibatches"
        ) from None
    for batch in iterator:
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise TypeError("data_iter must yield pairs (X, y)")
        X, y = map(np.asarray, batch)
        if X.ndim != 2 or X.shape[1] != n_features or y.shape != (len(X),) or len(X) == 0:
            raise ValueError(
                f"data_iter gave X of shape {X.shape} and y of shape {y.shape}; "
                f"n_features={n_features} needs (n, {n_features}) and (n,)"
            )
        yield X, y


def _rows(data_iter: Iterable[tuple[Array, Array]], n_features: int) -> tuple[Array, Array]:
    """Return the rows to evaluate the loss on."""
    if isinstance(data_iter, Minibatches):
        X, y = next(_batches([(data_iter.X, data_iter.y)], n_features))
        return X, y
    batches = list(_batches(data_iter, n_features))
    if not batches:
        raise ValueError("data_iter gave no minibatch; it must yield pairs (X, y)")
    return check_examples(*map(np.concatenate, zip(*batches, strict=True)))
