"""The names of *Dive into Deep Learning*, section 12.5, over this library.

In the cells of that section write ``from tilewise import d2l`` in place of
``from d2l import torch as d2l``. Nothing else changes: the functions that the cells call take NumPy
arrays and tensors of PyTorch alike. The cells that make tensors still need PyTorch.

The functions that the section defines itself, `get_data_ch11`, `sgd`, `train_ch11` and
`train_concise_ch11`, are here too, on NumPy arrays. With these in place of the cells that define
them, and `sgd` from the section's PyTorch cell or from here, the cells that train and the one that
compares the runs need no PyTorch. The cells of the MXNet, TensorFlow and JAX editions are not
covered.

What goes wrong in the section's code is mended here, not in cells that define it anew:

- it records the loss where ``n % 200 == 0``, which many batch sizes miss: here at the first
  batch that reaches a multiple of 200, and at the end;
- the time after the last record is lost, and editions differ in what they print as seconds an
  epoch, some the mean time between two records: here it is all the training over the epochs;
- one cold timing varies several-fold: here a first step, or in native code a first training, is
  not timed;
- `squared_loss` has a factor of 1/2 that PyTorch's and Keras' losses do not have, so that one
  learning rate means two different steps: here it always has it;
- limits of a plot or an animator can hide a whole curve: here such limits are left out;
- `plot` takes back what `set_figsize` has set: here the size stays.
"""

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tilewise._checks import check_int
from tilewise.custom_optimizer import train
from tilewise.d2l.arrays import Batches, Parameter, load_array
from tilewise.d2l.plots import Animator, plot, set_figsize
from tilewise.data import airfoil
from tilewise.experiments.published import RECORD_EVERY
from tilewise.linear_regression import fit
from tilewise.timing import Timer
from tilewise.training.history import History
from tilewise.training.optimizers import Optimizer

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
"""Where the section's cell says that its data are; nothing is fetched from there."""

DATA_HUB = {
    "airfoil": (DATA_URL + "airfoil_self_noise.dat", "76e5be1548fd8222e5074cf0faae75edff8cf93f")
}
"""The address and the SHA-1 of the section's data, as its cell sets them."""


def __getattr__(name: str) -> Any:
    if name == "plt":  # imported when it is asked for: Matplotlib is an extra
        import matplotlib.pyplot as plt

        return plt
    raise AttributeError(f"module 'tilewise.d2l' has no attribute {name!r}")


def download(name: str) -> str:
    r"""Return the path of the section's data, which are in the package: nothing is downloaded.

    Raises
    ------
    ValueError
        `name` is not "airfoil", the only data in the package.

    Examples
    --------
    >>> np.genfromtxt(download("airfoil"), dtype=np.float32, delimiter="\t").shape
    (1503, 6)
    """
    if name != "airfoil":
        raise ValueError(
            f"name={name!r} is not in the package, which has 'airfoil' only and downloads nothing"
        )
    return airfoil.AIRFOIL_PATH


def get_data_ch11(batch_size: int = 10, n: int = 1500) -> tuple[Any, int]:
    """Return minibatches of the standardized airfoil data, and the number of features.

    Examples
    --------
    >>> data_iter, feature_dim = get_data_ch11(batch_size=100)
    >>> len(data_iter), feature_dim
    (15, 5)
    """
    X, y = airfoil.load_airfoil(n)
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

    Parameters
    ----------
    net : callable
    data_iter : iterable of (X, y)
    loss : callable
        ``loss(net(X), y)``, with `y` in the shape of ``net(X)``, of each row or already a mean.

    Raises
    ------
    ValueError
        There are no minibatches.

    Examples
    --------
    >>> batches = load_array((np.ones((4, 1)), np.zeros(4)), batch_size=3)
    >>> evaluate_loss(lambda X: 2 * X, batches, squared_loss)
    2.0
    """
    total, count = 0.0, 0
    for X, y in data_iter:
        y_hat = net(X)
        losses = loss(y_hat, y.reshape(y_hat.shape))
        total += losses.sum().item()
        count += math.prod(losses.shape)
    if count == 0:
        raise ValueError("data_iter gave no minibatch; it must yield pairs (X, y)")
    return total / count


def sgd(params: Iterable[Any], states: Any, hyperparams: dict[str, float]) -> None:
    """Take a step of SGD, ``p -= lr * p.grad`` in place, and clear the gradients.

    `train_ch11` runs it in native code.

    Examples
    --------
    >>> p = np.ones(1).view(Parameter)
    >>> p.grad = np.ones(1).view(Parameter)
    >>> sgd([p], None, {"lr": 0.5})
    >>> float(p[0])
    0.5
    """
    for p in params:
        p.data.sub_(hyperparams["lr"] * p.grad)
        p.grad.data.zero_()


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
        ``trainer_fn(params, states, hyperparams)`` updates the arrays of `params` in place: w of
        shape (feature_dim, 1) and b of (1,), each a `Parameter` with its ``grad``. It is called
        once more at first, on copies, to warm up. `sgd` of this module runs as native code.
    states, hyperparams
        Handed to `trainer_fn`.
    data_iter
        Of `get_data_ch11` or `load_array`: X (n, feature_dim) and y (n,).
    feature_dim : int
    num_epochs : int, default 2

    Returns
    -------
    tuple of list of float
        Seconds of training until each record, and the losses.

    Raises
    ------
    TypeError, ValueError
        An argument does not fit: see `tilewise.train`.
    FloatingPointError
        The training diverged.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y, _, _ = tw.data.synthetic(1000, 3, noise=0.0, seed=0)
    >>> batches = load_array((X, y), 10)
    >>> times, losses = train_ch11(sgd, None, {"lr": 0.1}, batches, 3)  # doctest: +ELLIPSIS
    loss: 0.000, ... sec/epoch
    >>> len(times) == len(losses) == 10
    True
    """
    feature_dim = check_int("feature_dim", feature_dim)
    num_epochs = check_int("num_epochs", num_epochs)
    if trainer_fn is sgd:
        return _native("sgd", dict(hyperparams), data_iter, num_epochs, feature_dim)

    def step(params: list[Any], grads: list[Any], states: Any, hyperparams: dict[str, Any]) -> None:
        w, b, w_grad, b_grad = (array.view(Parameter) for array in (*params, *grads))
        w = w.reshape(-1, 1)
        w.grad, b.grad = w_grad.reshape(-1, 1), b_grad
        trainer_fn([w, b], states, hyperparams)

    for batch in data_iter:
        spare = copy.deepcopy((states, hyperparams))
        train(step, *spare, [batch], feature_dim, 1)
        break
    history = train(
        step, states, hyperparams, data_iter, feature_dim, num_epochs, record_every=RECORD_EVERY
    )
    return _shown(history, num_epochs)


def train_concise_ch11(
    trainer_fn: Any, hyperparams: dict[str, Any], data_iter: Any, num_epochs: int = 4
) -> tuple[list[float], list[float]]:
    """Train linear regression with an optimizer of this library.

    Parameters
    ----------
    trainer_fn : str, Optimizer or class
        Of `tilewise.Optimizer`; a class of ``torch.optim`` stands for the one of its name.
    hyperparams : dict
        ``"lr"`` or ``"learning_rate"``, and those of `tilewise.Optimizer`. The loss has its factor
        of 1/2, so PyTorch's concise rate of 0.01 is 0.02 here.
    data_iter
        Of `get_data_ch11` or `load_array`: X (n, d) and y (n,).
    num_epochs : int, default 4

    Returns
    -------
    tuple of list of float
        As `train_ch11`.

    Raises
    ------
    TypeError, ValueError
        There is no such optimizer or hyperparameter, or no rate, or `data_iter` is another.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y, _, _ = tw.data.synthetic(1000, 3, noise=0.0, seed=0)
    >>> batches = load_array((X, y), 10)
    >>> _ = train_concise_ch11("sgd", {"lr": 0.1}, batches)  # doctest: +ELLIPSIS
    loss: 0.000, ... sec/epoch
    """
    name: Any = trainer_fn.__name__.lower() if isinstance(trainer_fn, type) else trainer_fn
    return _native(name, dict(hyperparams), data_iter, check_int("num_epochs", num_epochs))


def _native(
    optimizer: Any,
    settings: dict[str, Any],
    data_iter: Any,
    num_epochs: int,
    feature_dim: int | None = None,
) -> tuple[list[float], list[float]]:
    """Train in native code: once to warm up, and again from the same start."""
    if not isinstance(data_iter, Batches) or len(data_iter.arrays) != 2:
        raise TypeError(f"data_iter={data_iter!r} is not of get_data_ch11 or load_array((X, y), n)")
    X, y = data_iter.arrays
    if feature_dim not in (None, *X.shape[1:]):
        raise ValueError(f"feature_dim={feature_dim} does not fit X of shape {tuple(X.shape)}")
    rates = [settings.pop(key) for key in ("lr", "learning_rate") if key in settings]
    if len(rates) != 1:
        raise ValueError("hyperparams must have the learning rate, as 'lr' or 'learning_rate'")
    if optimizer == "sgd" and "momentum" in settings:  # PyTorch's SGD has both
        optimizer = "momentum"
    if not isinstance(optimizer, Optimizer):
        optimizer, settings = Optimizer(optimizer, **settings), {}
    seed = int(np.random.randint(2**31))
    for _ in range(2):
        history = fit(
            X,
            y,
            batch_size=data_iter.batch_size,
            epochs=num_epochs,
            optimizer=optimizer,
            learning_rate=rates[0],
            sampling="permutation" if data_iter.is_train else "sequential",
            seed=seed,
            record_every=RECORD_EVERY,
            **settings,
        )
    return _shown(history, num_epochs)


def _shown(history: History, num_epochs: int) -> tuple[list[float], list[float]]:
    """Draw the losses over the epochs, print the last, and return what the section returns."""
    epochs = history.examples * num_epochs / history.examples[-1]
    animator = Animator("epoch", "loss", xlim=(0, num_epochs))
    animator.extend(zip(epochs, history.losses, strict=True))
    print(f"loss: {history.losses[-1]:.3f}, {history.seconds_per_epoch:.3g} sec/epoch")
    return history.seconds.tolist(), history.losses.tolist()
