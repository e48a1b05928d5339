"""Epochs of SGD: the groups sgd-airfoil, with the shape of that data, and sgd-large."""

from collections.abc import Callable

import numpy as np
import pytest

import tilewise as tw
from benchmarks.rival import Array, UnsupportedError
from benchmarks.trainers import TRAINERS

_RATE = 0.005
_CASES = [
    *[("sgd-airfoil", 1_500, 5, batch_size) for batch_size in (1, 10, 100, 1_500)],
    *[("sgd-large", 100_000, 64, batch_size) for batch_size in (1, 100)],
]


@pytest.mark.parametrize("name", TRAINERS)
@pytest.mark.parametrize(("group", "n", "d", "batch_size"), _CASES)
def test_epoch(
    group: str, n: int, d: int, batch_size: int, name: str, clock: Callable[..., None]
) -> None:
    """Time one epoch; all trainers take the same steps, so that the weights tell a wrong one."""
    X, y, _, _ = tw.data.synthetic(n, d, noise=0.1, seed=0)
    X, y = np.asarray(X, np.float32), np.asarray(y, np.float32)
    tw.set_num_threads(1)
    try:
        epoch = TRAINERS[name](X, y, batch_size, _RATE)
    except (ImportError, UnsupportedError) as reason:
        pytest.skip(f"{name}: {reason}")
    weights, bias = epoch()
    expected = _exact(X, y, batch_size)
    np.testing.assert_allclose([*weights, bias], expected, rtol=0, atol=1e-3)
    clock(epoch, f"{group} {n}x{d}, batch {batch_size}", threads=1)


def _exact(X: Array, y: Array, batch_size: int) -> Array:
    """Return weights and bias in float64."""
    weights, bias = TRAINERS["numpy"](X.astype(float), y.astype(float), batch_size, _RATE)()
    return np.append(weights, bias)
