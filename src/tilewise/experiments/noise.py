"""How far a minibatch's gradient lies from that of all rows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tilewise._checks import check_examples, check_int, check_seed


@dataclass(frozen=True)
class NoiseResult:
    """The noise of the gradient at one batch size.

    Attributes
    ----------
    batch_size : int
        Rows of a minibatch.
    measured : float
        Root mean square distance of a minibatch's gradient from that of all rows.
    theory : float
        What it is on average over all minibatches.
    """

    batch_size: int
    measured: float
    theory: float


def gradient_noise(
    X: ArrayLike,
    y: ArrayLike,
    batch_sizes: Sequence[int] = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
    draws: int = 1000,
    seed: int | None = None,
) -> list[NoiseResult]:
    """Measure the noise of the minibatch gradient at w = 0, b = 0, over random minibatches.

    A minibatch is b of the n rows, without replacement. The theory is
    ``sigma / sqrt(b) * sqrt((n - b) / (n - 1))``, where sigma is the root mean square distance of a
    single row's gradient from the mean (Cochran, Sampling Techniques, theorem 2.2).

    Parameters
    ----------
    X : array_like of float32 or float64, shape (n, d)
        Features of the rows.
    y : array_like of float32 or float64, shape (n,)
        Targets of the rows.
    batch_sizes : sequence of int
        Batch sizes to measure. Those above n are left out.
    draws : int, default 1000
        Minibatches of each size.
    seed : int, optional
        Fixes the minibatches.

    Returns
    -------
    list of NoiseResult
        The noise at each batch size, computed in float64.

    Raises
    ------
    TypeError, ValueError
        `X`, `y` or a number does not fit.

    Examples
    --------
    >>> X, y = [[1.0], [1.0]], [1.0, -1.0]
    >>> [result.theory for result in gradient_noise(X, y, [1, 2], draws=1, seed=0)]
    [1.4142135623730951, 0.0]
    """
    X, y = (array.astype(np.float64) for array in check_examples(X, y))
    n = len(X)
    draws = check_int("draws", draws)
    rng = np.random.default_rng(check_seed(seed))
    gradients = np.column_stack([X, np.ones(n)]) * -y[:, None]
    noise = gradients - gradients.mean(axis=0)
    sigma = math.sqrt(np.sum(noise**2) / n)
    results = []
    for b in (check_int("batch_sizes", b) for b in batch_sizes):
        if b > n:
            continue
        means = [noise[rng.permutation(n)[:b]].mean(axis=0) for _ in range(draws)]
        measured = math.sqrt(np.mean(np.sum(np.square(means), axis=1)))
        theory = sigma / math.sqrt(b) * math.sqrt((n - b) / max(1, n - 1))
        results.append(NoiseResult(b, measured, theory))
    return results
