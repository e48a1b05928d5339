"""Training with an optimizer written in Python."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tilewise._checks import Array, check_examples, check_int
from tilewise.data.minibatches import Minibatches
from tilewise.data.training_set import TrainingSet
from tilewise.timing import Timer
from tilewise.training.history import History, Records
from tilewise.training.loop import train as run_loop
from tilewise.training.settings import FitOptions, Settings
from tilewise.training.sources import Done
from tilewise.training.state import State

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

    Unlike `fit`, whose steps are native, it takes minibatches as they come and calls Python for
    each of them.

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
    options = FitOptions(epochs=epochs, record_every=record_every)
    n_features = check_int("n_features", n_features)
    X, y = _rows(data_iter, n_features)
    state = State(Settings(n_features=n_features, dtype=X.dtype, seed=seed))
    source = _PythonSteps(
        step=lambda params, grads: optimizer_fn(params, grads, states, hyperparams),
        params=[state.parameters[:-1, 0].copy(), state.parameters[-1].copy()],
        data_iter=data_iter,
        rows=state.settings.training_set(X, y),
        record_every=options.rows_between_records(len(X)),
    )
    return run_loop(state, source, options).history(state)


@dataclass
class _PythonSteps:
    """Minibatches of an iterable, and steps in Python: a source of the loop."""

    step: Callable[[list[Array], list[Array]], None]
    params: list[Array]  # the same in all epochs
    data_iter: Iterable[tuple[Array, Array]]
    rows: TrainingSet  # for the losses
    record_every: int
    n_rows = None  # an epoch may leave some out
    takes_back = False

    def train(self, state: State, records: Records, epochs: int, last: bool) -> Done:
        """See `Source.train`; one epoch."""
        before, timer = state.rows, Timer()
        for X, y in _batches(self.data_iter, state.settings.n_features):
            with np.errstate(over="ignore", invalid="ignore"):  # divergence is found below
                self.step(self.params, _gradients(self.params, X, y))
                _put(self.params, state)
            state.counters += 1, len(X)
            if state.rows // self.record_every > (state.rows - len(X)) // self.record_every:
                records.total_seconds += timer.stop()
                self._record(state, records)
                timer.start()
        records.total_seconds += timer.stop()
        if state.rows == before:
            raise ValueError(
                f"data_iter gave nothing in epoch {state.epochs + 1}; pass an object that can be "
                "iterated again, such as tilewise.data.Minibatches"
            )
        state.epochs += 1
        yield state.rows - before

    def finish(self, state: State, records: Records, restored: bool) -> None:
        """Record the end, unless it is recorded."""
        if records.examples[-1:] != [state.rows]:
            self._record(state, records)

    def _record(self, state: State, records: Records) -> None:
        loss = state.loss(self.rows)
        if not np.isfinite(loss):
            raise FloatingPointError(
                f"the loss overflowed after {state.rows} examples; use a smaller learning rate"
            )
        records.add(loss, state.rows)


def _put(params: list[Array], state: State) -> None:
    """Take the parameters, which may be new arrays, into the model."""
    shapes = [np.shape(param) for param in params]
    if shapes != [(state.settings.n_features,), (1,)]:
        raise ValueError(f"optimizer_fn left params of shapes {shapes}; update the arrays in place")
    state.parameters[:-1, 0], state.parameters[-1] = params


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
