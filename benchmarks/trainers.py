"""Ways to run one epoch of minibatch SGD on a linear model, row after row from zero weights."""

from collections.abc import Callable
from importlib import import_module

import numpy as np

from benchmarks.rival import OURS, Array, UnsupportedError

Epoch = Callable[[], tuple[Array, float]]
"""Runs the epoch and returns the weights and the bias."""


def tilewise(X: Array, y: Array, batch_size: int, learning_rate: float) -> Epoch:
    """One native call; it also evaluates the loss at the end."""
    from tilewise import fit

    def epoch() -> tuple[Array, float]:
        history = fit(
            X,
            y,
            batch_size=batch_size,
            learning_rate=learning_rate,
            sampling="sequential",
            initial_weights=np.zeros(X.shape[1], X.dtype),
            record_every=len(X),
        )
        return history.weights, history.bias

    return epoch


def numpy(X: Array, y: Array, batch_size: int, learning_rate: float) -> Epoch:
    """Return a loop in Python over views of the rows."""

    def epoch() -> tuple[Array, float]:
        w, b = np.zeros(X.shape[1], X.dtype), X.dtype.type(0)
        for start in range(0, len(X), batch_size):
            rows, targets = X[start : start + batch_size], y[start : start + batch_size]
            residual = rows @ w
            residual += b - targets
            rate = X.dtype.type(learning_rate / len(rows))
            w -= rate * (residual @ rows)
            b -= rate * residual.sum()
        return w, float(b)

    return epoch


def torch(X: Array, y: Array, batch_size: int, learning_rate: float) -> Epoch:
    """Return a loop in Python with the gradient written out, which is faster than autograd."""
    library = import_module("torch")
    library.set_num_threads(1)
    columns, target = library.from_numpy(X), library.from_numpy(y)

    def epoch() -> tuple[Array, float]:
        w, b = (
            library.zeros(X.shape[1], dtype=columns.dtype),
            library.zeros((), dtype=columns.dtype),
        )
        for rows, targets in zip(columns.split(batch_size), target.split(batch_size), strict=True):
            residual = library.mv(rows, w).add_(b).sub_(targets)
            rate = learning_rate / len(rows)
            w.addmv_(rows.t(), residual, alpha=-rate)
            b.sub_(residual.sum(), alpha=rate)
        return w.numpy(), float(b)

    with library.inference_mode():
        return library.inference_mode()(epoch)


def torch_chapter(X: Array, y: Array, batch_size: int, learning_rate: float) -> Epoch:
    """Return the loop of d2l.ai, section 12.5: a shuffling DataLoader, and autograd."""
    library = import_module("torch")
    library.set_num_threads(1)
    examples = library.utils.data.TensorDataset(library.from_numpy(X), library.from_numpy(y))
    batches = library.utils.data.DataLoader(examples, batch_size, shuffle=True)

    def epoch() -> tuple[Array, float]:
        w = library.zeros(X.shape[1], 1, dtype=examples.tensors[0].dtype, requires_grad=True)
        b = library.zeros(1, dtype=w.dtype, requires_grad=True)
        for rows, targets in batches:
            loss = (rows @ w + b - targets.reshape(-1, 1)) ** 2 / 2
            loss.mean().backward()
            with library.no_grad():
                for parameter in (w, b):
                    parameter -= learning_rate * parameter.grad
                    parameter.grad.zero_()
        return w.detach().numpy().ravel(), float(b)

    return epoch


def sklearn(X: Array, y: Array, batch_size: int, learning_rate: float) -> Epoch:
    """Return SGDRegressor, which is compiled and takes one row at a time."""
    if batch_size != 1:
        raise UnsupportedError("SGDRegressor has no minibatches")
    model = import_module("sklearn.linear_model").SGDRegressor(
        penalty=None,
        learning_rate="constant",
        eta0=learning_rate,
        shuffle=False,
        max_iter=1,
        tol=None,
    )

    def epoch() -> tuple[Array, float]:
        model.fit(X, y)
        return model.coef_, float(model.intercept_[0])

    return epoch


TRAINERS = {OURS: tilewise, "numpy": numpy, "torch": torch, "scikit-learn": sklearn}
