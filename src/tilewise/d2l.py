"""The names of *Dive into Deep Learning*, section 12.5, over this library.

In the cells of that section write ``from tilewise import d2l`` in place of
``from d2l import torch as d2l``. Nothing else changes: the functions that the cells call take NumPy
arrays and tensors of PyTorch alike. The cells that make tensors still need PyTorch.

The functions that the section defines itself, `get_data_ch11`, `sgd`, `train_ch11` and
`train_concise_ch11`, are here too, on NumPy arrays, with the training in native code.

What goes wrong in the section's code is mended here:

- it records the loss where ``n % 200 == 0``, which many batch sizes miss: here at the first
  batch that reaches a multiple of 200, and at the end;
- the time after the last record is lost: here it counts;
- `squared_loss` has a factor of 1/2 that PyTorch's and Keras' losses do not have, so that one
  learning rate means two different steps: here it always has it;
- limits of a plot can hide a whole curve: `plot` does without such limits.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tilewise import data
from tilewise.animator import Animator
from tilewise.d2l_plots import plot, set_figsize
from tilewise.generic import train
from tilewise.history import History
from tilewise.sgd import fit
from tilewise.timing import Timer

__all__ = [
    "DATA_HUB",
    "DATA_URL",
    "Animator",
    "Parameter",
    "Timer",
    "download",
    "evaluate_loss",
    "get_data_ch11",
    "linreg",
    "load_array",
    "plot",
    "set_figsize",
    "sgd",
    "squared_loss",
    "train_ch11",
    "train_concise_ch11",
]

DATA_URL = "http://d2l-data.s3-accelerate.amazonaws.com/"
"""Where the section's cell says that its data are; `download` does not ask it."""

DATA_HUB: dict[str, tuple[str, str]] = {}
"""Filled by the section's cell."""


def __getattr__(name: str) -> Any:
    if name == "plt":  # imported when it is asked for: Matplotlib is an extra
        import matplotlib.pyplot as plt

        return plt
    raise AttributeError(f"module 'tilewise.d2l' has no attribute {name!r}")


class Parameter(np.ndarray[Any, Any]):
    """An array with its gradient: what `train_ch11` hands to an optimizer."""

    grad: Any = None


class _Batches:
    """Minibatches of arrays or tensors, in a new order each epoch; see `load_array`."""

    def __init__(self, arrays: Sequence[Any], batch_size: int, is_train: bool) -> None:
        self.arrays, self.batch_size, self._shuffle = tuple(arrays), batch_size, is_train

    def __len__(self) -> int:
        return -(-len(self.arrays[0]) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        n = len(self.arrays[0])
        order = np.random.permutation(n) if self._shuffle else np.arange(n)
        for first in range(0, n, self.batch_size):
            rows = order[first : first + self.batch_size]
            yield tuple(array[rows] for array in self.arrays)


def load_array(data_arrays: Sequence[Any], batch_size: int, is_train: bool = True) -> Any:
    """Return an iterable of minibatches, an epoch each time it is iterated.

    Parameters
    ----------
    data_arrays : sequence of arrays or tensors of n rows
    batch_size : int
    is_train : bool, default True
        A new permutation each epoch, from NumPy's global random state; otherwise in order.

    Examples
    --------
    >>> batches = load_array((np.eye(5), np.arange(5)), batch_size=2, is_train=False)
    >>> len(batches), [y.tolist() for X, y in batches]
    (3, [[0, 1], [2, 3], [4]])
    """
    return _Batches(data_arrays, batch_size, is_train)


def download(name: str) -> io.BytesIO:
    r"""Return the airfoil data as an open file; see `tilewise.data.load_airfoil`.

    Raises
    ------
    ValueError
        Another name.

    Examples
    --------
    >>> rows = np.genfromtxt(download("airfoil"), delimiter="\t")  # doctest: +SKIP
    """
    if name != "airfoil":
        raise ValueError(f"name={name!r} is not known; tilewise.d2l has 'airfoil' only")
    return io.BytesIO(data._read_airfoil())


def get_data_ch11(batch_size: int = 10, n: int = 1500) -> tuple[Any, int]:
    """Return minibatches of the standardized airfoil data, and the number of features.

    Examples
    --------
    >>> data_iter, feature_dim = get_data_ch11(batch_size=100)  # doctest: +SKIP
    """
    X, y = data.load_airfoil(n)
    return load_array((X, y), batch_size), X.shape[1]


def linreg(X: Any, w: Any, b: Any) -> Any:
    """Return ``X @ w + b``.

    Examples
    --------
    >>> linreg(np.ones((2, 3)), np.ones((3, 1)), 0.5).tolist()
    [[3.5], [3.5]]
    """
    return X @ w + b


def squared_loss(y_hat: Any, y: Any) -> Any:
    """Return half the squared error of each row, shaped as `y_hat`.

    Examples
    --------
    >>> squared_loss(np.array([[3.0]]), np.array([1.0])).tolist()
    [[2.0]]
    """
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def evaluate_loss(
    net: Callable[[Any], Any], data_iter: Iterable[Any], loss: Callable[[Any, Any], Any]
) -> float:
    """Return the mean of a loss over all minibatches.

    Examples
    --------
    >>> batches = load_array((np.ones((4, 1)), np.zeros(4)), batch_size=3)
    >>> evaluate_loss(lambda X: 2 * X, batches, squared_loss)
    2.0
    """
    total, rows = 0.0, 0
    for X, y in data_iter:
        losses = loss(net(X), y)
        total += losses.sum().item()
        rows += len(losses)
    return total / rows


def sgd(params: Iterable[Any], states: Any, hyperparams: dict[str, float]) -> None:
    """Take a step of SGD: ``p -= lr * p.grad`` in place. `train_ch11` runs it in native code.

    Examples
    --------
    >>> p = np.ones(1).view(Parameter)
    >>> p.grad = np.ones(1)
    >>> sgd([p], None, {"lr": 0.5})
    >>> float(p[0])
    0.5
    """
    for p in params:
        p[:] -= hyperparams["lr"] * p.grad


def train_ch11(
    trainer_fn: Callable[[list[Any], Any, dict[str, Any]], None],
    states: Any,
    hyperparams: dict[str, Any],
    data_iter: Any,
    feature_dim: int,
    num_epochs: int = 2,
) -> tuple[list[float], list[float]]:
    """Train linear regression; print the loss and the seconds of an epoch.

    Parameters
    ----------
    trainer_fn : callable
        ``trainer_fn(params, states, hyperparams)`` updates the arrays of `params` in place, with
        their gradients in ``.grad``. `sgd` runs as native code.
    states, hyperparams
        Handed to `trainer_fn`.
    data_iter
        Of `get_data_ch11` or `load_array`, on NumPy arrays.
    feature_dim : int
    num_epochs : int, default 2

    Returns
    -------
    tuple of list of float
        Seconds of training until each record, and the losses.

    Examples
    --------
    >>> X, y, _, _ = data.synthetic(1000, 3, noise=0.0, seed=0)
    >>> batches = load_array((X, y), 10)
    >>> times, losses = train_ch11(sgd, None, {"lr": 0.1}, batches, 3)  # doctest: +ELLIPSIS
    loss: 0.000, ... sec/epoch
    >>> len(times) == len(losses) == 10
    True
    """
    if trainer_fn is sgd:
        X, y = data_iter.arrays
        history = fit(
            X,
            y,
            batch_size=data_iter.batch_size,
            learning_rate=hyperparams["lr"],
            epochs=num_epochs,
            seed=int(np.random.randint(2**31)),
        )
        return _shown(history, num_epochs, len(X))

    def step(params: list[Any], grads: list[Any], states: Any, hyperparams: dict[str, Any]) -> None:
        views = [param.view(Parameter) for param in params]
        for view, grad in zip(views, grads, strict=True):
            view.grad = grad
        trainer_fn(views, states, hyperparams)

    history = train(step, states, hyperparams, data_iter, feature_dim, num_epochs)
    return _shown(history, num_epochs, int(history.examples[-1]) // num_epochs)


def train_concise_ch11(
    trainer_fn: Any, hyperparams: dict[str, Any], data_iter: Any, num_epochs: int = 4
) -> tuple[list[float], list[float]]:
    """Train linear regression with an optimizer of this library.

    Parameters
    ----------
    trainer_fn : str, Optimizer or class
        Of `tilewise.Optimizer`; a class of ``torch.optim`` stands for the one of its name.
    hyperparams : dict
        ``"lr"`` or ``"learning_rate"``; the loss has its factor of 1/2, so PyTorch's concise rate
        of 0.01 is 0.02 here.
    data_iter
        Of `get_data_ch11` or `load_array`, on NumPy arrays.
    num_epochs : int, default 4

    Returns
    -------
    tuple of list of float
        As `train_ch11`.

    Examples
    --------
    >>> X, y, _, _ = data.synthetic(1000, 3, noise=0.0, seed=0)
    >>> batches = load_array((X, y), 10)
    >>> _ = train_concise_ch11("sgd", {"lr": 0.1}, batches)  # doctest: +ELLIPSIS
    loss: 0.000, ... sec/epoch
    """
    X, y = data_iter.arrays
    settings = dict(hyperparams)
    if "lr" in settings:
        settings["learning_rate"] = settings.pop("lr")
    optimizer = trainer_fn.__name__.lower() if isinstance(trainer_fn, type) else trainer_fn
    seed = int(np.random.randint(2**31))
    history = fit(
        X, y, batch_size=data_iter.batch_size, epochs=num_epochs, optimizer=optimizer, seed=seed,
        **settings,
    )  # fmt: skip
    return _shown(history, num_epochs, len(X))


def _shown(history: History, num_epochs: int, n: int) -> tuple[list[float], list[float]]:
    animator = Animator("epoch", "loss", xlim=(0, num_epochs), ylim=(0.22, 0.35))
    for examples, loss in zip(history.examples, history.losses, strict=True):
        animator.add(examples / n, loss)
    print(f"loss: {history.losses[-1]:.3f}, {history.seconds_per_epoch:.3g} sec/epoch")
    return history.seconds.tolist(), history.losses.tolist()
