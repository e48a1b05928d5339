"""The automatic learning rate, on data and settings that need a smaller one."""

import numpy as np
import pytest

import tilewise as tw
from tilewise.training import auto_rate

RNG = np.random.default_rng(5)
X = RNG.normal(size=(300, 5)).astype(np.float32)
Y = (X @ np.arange(5) + RNG.normal(size=300)).astype(np.float32)


@pytest.mark.parametrize(
    "settings",
    [
        {"weight_decay": 100.0},
        {"sampling": "sequential", "batch_size": 8},
        {"sampling": "chunked", "batch_size": 1},
    ],
)
def test_the_automatic_rate_knows_decay_and_order(settings):
    order = np.argsort(np.abs(X).sum(axis=1))  # the longest rows last, in one batch
    skewed = X[order] * np.linspace(0.1, 10, len(X), dtype=np.float32)[:, None]
    history = tw.fit(skewed, Y, learning_rate="auto", epochs=50, seed=0, **settings)
    assert history.losses[-1] < 2 * tw.Trainer(5, seed=0).loss(skewed, Y)  # the noise stays


def test_the_automatic_rate_knows_sample_weights():
    weights = np.ones(len(X))
    weights[0] = 1000
    history = tw.fit(X, Y, learning_rate="auto", batch_size=1, epochs=50, sample_weight=weights)
    assert np.isfinite(history.losses).all()
    assert history.losses[-1] < history.losses[0] + 1


def test_many_features_have_the_same_limits():
    wide = RNG.normal(size=(1500, 1001))
    wide[:, 0] *= 20  # far from the other eigenvalues
    wide[:, 1:] -= wide[:, 1:].mean(axis=1, keepdims=True)  # a start of ones has no part in these
    full, _ = auto_rate.largest_rates(wide, 10)
    with_ones = np.column_stack([wide, np.ones(len(wide))])
    largest = np.linalg.eigvalsh(with_ones.T @ with_ones / len(wide))[-1]
    assert full == pytest.approx(2 / largest, rel=1e-3)


@pytest.mark.parametrize(("batch_size", "minibatch"), [(2, 1.0), (1, 0.5)])
def test_the_limits_of_two_opposite_rows(batch_size, minibatch):
    rows = np.array([[1.0], [-1.0]])  # the curvature is 1, and each row has the squared length 2
    assert auto_rate.largest_rates(rows, batch_size) == (2.0, minibatch)
