"""The section's model, loss and optimizer, and its two ways to train."""

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tilewise._checks import check_int
from tilewise.custom_optimizer import train
from tilewise.d2l.arrays import Batches, Parameter
from tilewise.experiments.published import RECORD_EVERY
from tilewise.linear_regression import fit
from tilewise.plots.animator import Animator
from tilewise.training.history import History
from tilewise.training.optimizers import Optimizer


def linreg(X: Any, w: Any, b: Any) -> Any:
    """Return the predictions of linear regression, ``X @ w + b``.

    Parameters
    ----------
    X : array or tensor, shape (n, d)
        Features of the rows.
    w : array or tensor, shape (d, 1)
        Weights.
    b : array, tensor or float
        Bias.

    Returns
    -------
    array or tensor, shape (n, 1)
        A prediction for each row.

    Examples
    --------
    >>> linreg(np.ones((2, 3)), np.ones((3, 1)), 0.5).tolist()
    [[3.5], [3.5]]
    """
    return X @ w + b


def squared_loss(y_hat: Any, y: Any) -> Any:
    """Return half the squared error of each row.

    Parameters
    ----------
    y_hat : array or tensor
        Predictions.
    y : array or tensor
        Targets, as many as predictions.

    Returns
    -------
    array or tensor
        The losses, in the shape of `y_hat`.

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
        Model: ``net(X)`` are its predictions.
    data_iter : iterable of (X, y)
        Minibatches.
    loss : callable
        ``loss(net(X), y)``, with `y` in the shape of ``net(X)``, of each row or already a mean.

    Returns
    -------
    float
        The mean over all that `loss` returns.

    Raises
    ------
    ValueError
        There are no minibatches.

    Examples
    --------
    >>> from tilewise.d2l import load_array
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

    Parameters
    ----------
    params : iterable of Parameter or tensor
        Parameters with their gradients.
    states
        Not used.
    hyperparams : dict
        ``"lr"``: the learning rate.

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
    data_iter : Batches
        Result of `get_data_ch11` or `load_array`: X (n, feature_dim) and y (n,).
    feature_dim : int
        Number of features.
    num_epochs : int, default 2
        Number of epochs.

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
    >>> from tilewise.d2l import load_array
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
        One of `tilewise.Optimizer`; a class of ``torch.optim`` stands for the one of its name.
    hyperparams : dict
        ``"lr"`` or ``"learning_rate"``, and those of `tilewise.Optimizer`. The loss has its factor
        of 1/2, so PyTorch's concise rate of 0.01 is 0.02 here.
    data_iter : Batches
        Result of `get_data_ch11` or `load_array`: X (n, d) and y (n,).
    num_epochs : int, default 4
        Number of epochs.

    Returns
    -------
    tuple of list of float
        Seconds of training until each record, and the losses.

    Raises
    ------
    TypeError, ValueError
        There is no such optimizer or hyperparameter, or no rate, or `data_iter` is another.

    Examples
    --------
    >>> from tilewise.d2l import load_array
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
