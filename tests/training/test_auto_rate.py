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


def unequal(n, d, dtype, *, longest):
    """Return rows of which five are `longest` times as long, in one direction."""
    random = np.random.default_rng(d)
    rows = random.normal(size=(n, d))
    rows[:: n // 5] = longest * random.normal(size=d)
    return rows.astype(dtype)


def exact(rows, batch_size, sampling):
    """Return 1 / L of the definition, with nothing but NumPy."""
    n, with_ones = len(rows), np.column_stack([rows, np.ones(len(rows))]).astype(np.float64)
    largest = np.linalg.eigvalsh(with_ones.T @ with_ones / n)[-1]
    longest, b = np.square(with_ones).sum(axis=1).max(), min(batch_size, n)
    if sampling in ("sequential", "chunked"):
        return 1 / longest
    if sampling == "replacement":
        return 1 / ((b - 1) / b * largest + longest / b)
    return 1 / (n * (b - 1) / (b * (n - 1)) * largest + (n - b) / (b * (n - 1)) * longest)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sampling", ["permutation", "replacement", "sequential", "chunked"])
@pytest.mark.parametrize("batch_size", [1, 50, 5000])
@pytest.mark.parametrize("longest", [1, 30, 3000])
def test_the_rate_of_a_sample_is_near_the_limit_and_stable(dtype, sampling, batch_size, longest):
    for d in (3, 120):
        rows = unequal(5000, d, dtype, longest=longest)
        trainer = tw.Trainer(d, dtype=dtype, batch_size=batch_size, sampling=sampling, seed=0)
        trainer.set_learning_rate("auto")
        y = (rows @ np.ones(d) + 1).astype(dtype)
        begun = trainer.loss(rows, y)
        trainer.run_epoch(rows, y)
        limit = exact(rows, batch_size, sampling)
        assert 0.6 * limit < 2 * trainer.learning_rate < 1.4 * limit, d
        trainer.fit(rows, y, epochs=4)
        assert trainer.loss(rows, y) < begun, d


def test_a_single_long_row_is_in_every_sample():
    for at in (0, 4321, 9999):
        rows = np.ones((10_000, 2), np.float32)
        rows[at] = 1e4
        training_set = tw.Trainer(2).settings.training_set(rows, np.ones(10_000, np.float32))
        full = auto_rate.stable_rate(training_set, 10_000, "permutation")
        assert full == pytest.approx(1 / (2e8 / 1e4 + 3), rel=1e-3)


def test_sample_weights_weigh_in_a_sample_too():
    weights = np.zeros(10_000)
    weights[::1000] = 1  # ten rows alone count
    rows = RNG.normal(size=(10_000, 3))
    alone, settings = rows[::1000], tw.Trainer(3, dtype=np.float64).settings
    of_all = settings.training_set(rows, rows[:, 0], weights)
    expected = auto_rate.largest_rates(alone, 10)[0] / 2
    found = auto_rate.stable_rate(of_all, 10_000, "permutation")
    assert found == pytest.approx(expected, rel=0.1)


def test_a_last_batch_of_one_row_makes_the_rate_smaller():
    rows = RNG.normal(size=(65, 3))
    trainer = tw.Trainer(3, dtype=np.float64, batch_size=64, learning_rate="auto", seed=0)
    trainer.fit(rows, rows @ np.arange(3), epochs=200)
    assert trainer.loss(rows, rows @ np.arange(3)) < 1e-6
    assert trainer.learning_rate < auto_rate.largest_rates(rows[:64], 64)[1] / 4


@pytest.mark.parametrize("n", [100, 10_000])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["X", "y"])
def test_bad_data_leave_the_rate_automatic(n, bad, where):
    data = {"X": np.ones((n, 2)), "y": np.ones(n)}
    data[where][n // 2] = bad
    trainer = tw.Trainer(2, dtype=np.float64, learning_rate="auto")
    with pytest.raises(ValueError, match=rf"{where}\[{n // 2}.* is {bad}; remove or replace"):
        trainer.step(**data)
    assert trainer.learning_rate == "auto"


def test_rows_whose_squares_overflow_have_a_rate_where_there_is_one():
    rows = np.full((10_000, 2), 1e30, np.float32)  # squares overflow float32, not float64
    training_set = tw.Trainer(2).settings.training_set(rows, np.ones(10_000, np.float32))
    assert auto_rate.stable_rate(training_set, 32, "permutation") == pytest.approx(5e-61, rel=1e-3)
    trainer = tw.Trainer(2, dtype=np.float64, learning_rate="auto")
    with pytest.raises(ValueError, match="is 0 for this X, too small"):
        trainer.step(np.full((10_000, 2), 1e200), np.ones(10_000))
