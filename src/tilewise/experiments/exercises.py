"""The exercises of the section: batch size and rate, decay, replacement, duplicated rows."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tilewise._checks import check_float_array, check_float_matrix, check_int, check_seed
from tilewise.experiments.published import RECORD_EVERY
from tilewise.linear_regression import fit
from tilewise.schedules import EpochDecay
from tilewise.training.history import DivergenceError


@dataclass(frozen=True)
class SweepResult:
    """A run of one batch size and learning rate.

    Attributes
    ----------
    batch_size : int
        Rows of a step.
    learning_rate : float
        Learning rate, constant.
    loss : float or None
        Half the mean squared error at the end; None if the run diverged.
    seconds : float or None
        Training time; None if the run diverged.
    """

    batch_size: int
    learning_rate: float
    loss: float | None
    seconds: float | None


@dataclass(frozen=True)
class Curve:
    """How far the loss is above the least possible, as a mean over seeds.

    Attributes
    ----------
    name : str
        What was varied.
    epochs : tuple of int
        Epochs after which the loss was recorded.
    excess_losses : tuple of float
        Loss after each of these epochs, less that of the least squares solution.
    """

    name: str
    epochs: tuple[int, ...]
    excess_losses: tuple[float, ...]


def batch_rate_sweep(
    X: ArrayLike,
    y: ArrayLike,
    batch_sizes: Sequence[int] = (1, 10, 100, 1000),
    learning_rates: Sequence[float] = (0.001, 0.01, 0.1, 1.0),
    epochs: int = 2,
    seed: int | None = None,
) -> list[SweepResult]:
    """Train with each batch size and learning rate.

    Parameters
    ----------
    X : array_like of float32 or float64, shape (n, d)
        Features of the rows.
    y : array_like of float32 or float64, shape (n,)
        Targets of the rows.
    batch_sizes : sequence of int, default (1, 10, 100, 1000)
        Batch sizes to train with.
    learning_rates : sequence of float, default (0.001, 0.01, 0.1, 1.0)
        Learning rates to train with.
    epochs : int, default 2
        Epochs of each run.
    seed : int, optional
        Fixes the initial weights and the order of the rows, the same for all runs.

    Returns
    -------
    list of SweepResult
        The runs, batch size by batch size.

    Raises
    ------
    TypeError, ValueError
        As `tilewise.fit` does.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y, _, _ = tw.data.synthetic(100, 3, seed=0)
    >>> [result.loss is None for result in batch_rate_sweep(X, y, [1], [0.01, 100.0], seed=0)]
    [False, True]
    """
    seed = check_seed(seed)
    results = []
    for batch_size, rate in product(batch_sizes, learning_rates):
        loss, seconds = None, None
        settings: dict[str, Any] = {"batch_size": batch_size, "learning_rate": rate}
        with suppress(DivergenceError):
            history = fit(X, y, epochs=epochs, seed=seed, record_every=RECORD_EVERY, **settings)
            loss, seconds = float(history.losses[-1]), history.seconds_per_epoch * epochs
        results.append(SweepResult(batch_size, rate, loss, seconds))
    return results


def rate_decay(
    X: ArrayLike, y: ArrayLike, epochs: int = 5, repeats: int = 200, seed: int | None = None
) -> list[Curve]:
    """Train with a constant rate, and with one divided by ten after each epoch.

    Batch size 10 and rate 0.05 at the start, as in the section.

    Parameters
    ----------
    X : array_like of float32 or float64, shape (n, d)
        Features of the rows.
    y : array_like of float32 or float64, shape (n,)
        Targets of the rows.
    epochs : int, default 5
        Epochs of each run.
    repeats : int, default 200
        Number of seeds over which the mean is taken.
    seed : int, optional
        Seed from which these seeds are made. By default a fresh one.

    Returns
    -------
    list of Curve
        "constant rate" and "divided by ten".

    Raises
    ------
    TypeError, ValueError, DivergenceError
        As `tilewise.fit` does.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y, _, _ = tw.data.synthetic(100, 3, seed=0)
    >>> [curve.name for curve in rate_decay(X, y, repeats=1, seed=0)]
    ['constant rate', 'divided by ten']
    """
    variants = {"constant rate": 0.05, "divided by ten": EpochDecay(0.05, factor=0.1)}
    return [
        _curve(name, X, y, epochs, repeats, seed, batch_size=10, learning_rate=rate)
        for name, rate in variants.items()
    ]


def replacement(
    X: ArrayLike, y: ArrayLike, epochs: int = 5, repeats: int = 200, seed: int | None = None
) -> list[Curve]:
    """Train on minibatches of a permutation, and on minibatches drawn with replacement.

    Batch size 10 and rate 0.05, as in the section.

    Parameters
    ----------
    X : array_like of float32 or float64, shape (n, d)
        Features of the rows.
    y : array_like of float32 or float64, shape (n,)
        Targets of the rows.
    epochs : int, default 5
        Epochs of each run.
    repeats : int, default 200
        Number of seeds over which the mean is taken.
    seed : int, optional
        Seed from which these seeds are made. By default a fresh one.

    Returns
    -------
    list of Curve
        "without replacement" and "with replacement".

    Raises
    ------
    TypeError, ValueError, DivergenceError
        As `tilewise.fit` does.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y, _, _ = tw.data.synthetic(100, 3, seed=0)
    >>> [curve.name for curve in replacement(X, y, repeats=1, seed=0)]
    ['without replacement', 'with replacement']
    """
    variants = {"without replacement": "permutation", "with replacement": "replacement"}
    settings: dict[str, Any] = {"batch_size": 10, "learning_rate": 0.05}
    return [
        _curve(name, X, y, epochs, repeats, seed, sampling=sampling, **settings)
        for name, sampling in variants.items()
    ]


def duplicated_data(
    X: ArrayLike, y: ArrayLike, epochs: int = 5, repeats: int = 200, seed: int | None = None
) -> list[Curve]:
    """Train on the rows, and on the rows twice, by gradient descent and by minibatches.

    Rate 0.5 with all rows, 0.05 with batch size 10.

    Parameters
    ----------
    X : array_like of float32 or float64, shape (n, d)
        Features of the rows.
    y : array_like of float32 or float64, shape (n,)
        Targets of the rows.
    epochs : int, default 5
        Epochs of each run.
    repeats : int, default 200
        Number of seeds over which the mean is taken.
    seed : int, optional
        Seed from which these seeds are made. By default a fresh one.

    Returns
    -------
    list of Curve
        "gd" and "batch 10", each on the rows and on the rows twice.

    Raises
    ------
    TypeError, ValueError, DivergenceError
        As `tilewise.fit` does.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y, _, _ = tw.data.synthetic(100, 3, seed=0)
    >>> [curve.name for curve in duplicated_data(X, y, repeats=1, seed=0)]
    ['gd', 'gd, rows twice', 'batch 10', 'batch 10, rows twice']
    """
    X, y = check_float_matrix("X", X), check_float_array("y", y)
    curves = []
    for name, batch_size, rate in (("gd", 2 * len(X), 0.5), ("batch 10", 10, 0.05)):
        for suffix, copies in (("", 1), (", rows twice", 2)):
            rows = np.tile(X, (copies, 1)), np.tile(y, copies)
            settings: dict[str, Any] = {"batch_size": batch_size, "learning_rate": rate}
            curves.append(_curve(name + suffix, *rows, epochs, repeats, seed, **settings))
    return curves


def _curve(
    name: str,
    X: ArrayLike,
    y: ArrayLike,
    epochs: int,
    repeats: int,
    seed: int | None,
    **settings: Any,
) -> Curve:
    """Return the mean curve of some seeds, an entry an epoch."""
    X, y = check_float_matrix("X", X), check_float_array("y", y)
    seeds = np.random.SeedSequence(check_seed(seed)).generate_state(check_int("repeats", repeats))
    losses = [
        fit(X, y, epochs=epochs, record_every=len(X), seed=int(s), **settings).losses for s in seeds
    ]
    excess = np.mean(losses, axis=0) - _least_loss(X, y)
    return Curve(name, tuple(range(1, epochs + 1)), tuple(excess.tolist()))


def _least_loss(X: NDArray[Any], y: NDArray[Any]) -> float:
    X1 = np.column_stack([X.astype(np.float64), np.ones(len(X))])
    solution = np.linalg.lstsq(X1, y.astype(np.float64), rcond=None)[0]
    return float(np.mean((X1 @ solution - y) ** 2)) / 2
