"""Epochs of minibatch SGD that are measured: their data, their work, and the check of an answer."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.rival import Rival

Array = NDArray[Any]

_BLOCK = 2**20 + 7  # random numbers, repeated: drawing gigabytes takes longer than measuring
_NOISE = 0.1


@dataclass(frozen=True)
class Epochs:
    """Training of ``y = X w + b`` from zero weights, by steps of plain SGD.

    Parameters
    ----------
    group : str
        Such as "sgd-airfoil".
    rows, features : int
        The shape of X.
    batch_size : int
        Rows in a step; the last of an epoch may have fewer.
    epochs : int, default 1
        In one call. Several where they are short, so that the call itself counts little.
    sampling : str, default "sequential"
        As `tilewise.fit` has it. "permutation" is a new order for each epoch.
    dtype : str, default "float32"
    threads : int, default 1
        For every contestant.

    Examples
    --------
    >>> Epochs("sgd-airfoil", 1500, 5, batch_size=100).key
    'sgd-airfoil 1500 x 5, batch 100, sequential float32 1t'
    """

    group: str
    rows: int
    features: int
    batch_size: int
    epochs: int = 1
    sampling: str = "sequential"
    dtype: str = "float32"
    threads: int = 1

    @property
    def name(self) -> str:
        """Return the shape of X, the batch size and the order of the rows."""
        return f"{self.rows} x {self.features}, batch {self.batch_size}, {self.sampling}"

    @property
    def key(self) -> str:
        """Return what tells the case from all others."""
        return f"{self.group} {self.name} {self.dtype} {self.threads}t"

    @property
    def units(self) -> int:
        """Return how many of what the times are of, an epoch, a call does."""
        return self.epochs

    @property
    def steps(self) -> int:
        """Return how many steps a call takes."""
        return self.epochs * -(-self.rows // self.batch_size)

    @property
    def flops(self) -> int:
        """Return the operations of an epoch: predictions and gradients, whatever the batch size."""
        return 4 * self.rows * self.features

    @property
    def bytes(self) -> int:
        """Return the least traffic of an epoch: X and y, read once."""
        return self.rows * (self.features + 1) * np.dtype(self.dtype).itemsize

    @property
    def working_set(self) -> int:
        """Return the bytes that are met again and again."""
        return self.bytes

    @property
    def learning_rate(self) -> float:
        """Return a rate at which a call gets about two thirds of the way, if that is stable.

        All steps count in the end then, the first as much as the last: missing ones are seen.
        The largest eigenvalue of a batch of random rows is that of Marchenko and Pastur.
        """
        largest = (1 + sqrt((self.features + 1) / self.batch_size)) ** 2
        return min(1 / self.steps, 0.5 / largest)

    def reference(self) -> Array:
        """Return weights and bias after the same steps in order, in float64."""
        return _reference(replace(self, group="", sampling="sequential", threads=1))

    def start(self, rival: Rival, reference: Array) -> list[Callable[[], object]]:
        """Return what is timed, after a first call of which the answer was right.

        Raises
        ------
        UnsupportedError
            The contestant has no such trainer.
        ArithmeticError
            It is wrong.
        """
        X, y = data(self)
        call = rival.epochs(X, y, self)
        weights, bias = call()
        check(self, np.append(weights, bias), reference)
        return [call]


def data(task: Epochs) -> tuple[Array, Array]:
    """Return X and y: a linear model with noise; the numbers repeat after a million."""
    rng = np.random.default_rng(0)
    X = np.empty((task.rows, task.features), task.dtype)
    _fill(X.reshape(-1), rng.standard_normal(_BLOCK))
    y = X @ rng.standard_normal(task.features).astype(task.dtype)
    noise = np.empty_like(y)
    _fill(noise, 0.5 + _NOISE * rng.standard_normal(_BLOCK))
    y += noise
    return X, y


def _fill(target: Array, block: Array) -> None:
    for start in range(0, len(target), len(block)):
        part = target[start : start + len(block)]
        part[:] = block[: len(part)]


@cache  # all contestants are held to it, in all visits, and it takes longer than they do
def _reference(task: Epochs) -> Array:
    X, y = data(task)
    return plain_sgd(task, X, y, np.float64)


def check(task: Epochs, found: Array, expected: Array) -> None:
    """Raise ArithmeticError unless the parameters are those of the same steps in float64.

    Steps in another order end near by, not at the same: the nearer, the more rows there are for
    each feature. README.md has the figures behind the bounds.
    """
    distance = np.abs(found - expected).max() / np.abs(expected).max()
    shuffled = 1e-3 + 4 * task.features / (task.rows * task.epochs)
    bound = 2e-4 if task.sampling == "sequential" else shuffled
    if not distance <= bound:
        raise ArithmeticError(
            f"wrong weights for {task.name}: off by {distance:.2g} of the largest"
        )


def plain_sgd(task: Epochs, X: Array, y: Array, dtype: Any) -> Array:
    """Return weights and bias after the steps in order, written down as they are defined."""
    w, b = np.zeros(task.features, dtype), dtype(0)
    for start in [*range(0, task.rows, task.batch_size)] * task.epochs:
        rows = X[start : start + task.batch_size].astype(dtype)
        residual = rows @ w + b - y[start : start + task.batch_size]
        w -= task.learning_rate / len(rows) * (residual @ rows)
        b -= task.learning_rate / len(rows) * residual.sum()
    return np.append(w, b)


AIRFOIL = (1500, 5)
_BATCHES = (1, 10, 100, 1500)
_EPOCHS = 50  # a call of scikit-learn takes as long as some epochs of so few rows
_LARGE = ((1_000_000, 16), (1_000_000, 128), (200_000, 1024))
_IN_CACHE = (16_384, 128)


def epoch_cases(*, quick: bool, threads: int) -> list[Epochs]:
    """Return the cases for so many threads; on several, those with batches worth it."""
    if threads > 1:
        cases = [("sgd-large", *_IN_CACHE, 1024, 20, "sequential")]
        cases += [] if quick else [("sgd-large", *_LARGE[1], 1024, 1, "sequential")]
    else:
        cases = _quick() if quick else _full()
    return [Epochs(*case, threads=threads) for case in cases]


def _quick() -> list[Any]:
    orders = ("sequential", "permutation")
    return [
        ("sgd-airfoil", *AIRFOIL, 1, _EPOCHS, "sequential"),
        *[("sgd-airfoil", *AIRFOIL, 100, _EPOCHS, order) for order in orders],
        ("sgd-large", 20_000, 64, 1, 1, "sequential"),
        ("sgd-large", 200_000, 64, 100, 1, "sequential"),
    ]


def _full() -> list[Any]:
    orders = ("sequential", "permutation", "chunked")
    return [
        *[("sgd-airfoil", *AIRFOIL, b, _EPOCHS, order) for b in _BATCHES for order in orders],
        *[("sgd-large", 200_000, 64, 1, 1, order) for order in orders],
        *[("sgd-large", *shape, 1, 1, order) for shape in _LARGE for order in orders[:2]],
        *[
            ("sgd-large", *shape, b, 1, order)
            for shape in _LARGE
            for b in (32, 1024)
            for order in orders
        ],
        ("sgd-large", *_IN_CACHE, 1024, 20, "sequential"),
    ]
