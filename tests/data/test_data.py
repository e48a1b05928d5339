"""Standardizing, synthetic data and minibatches."""

from itertools import pairwise, permutations

import numpy as np
import pytest

from tilewise._core import Sampler
from tilewise.data import Minibatches, standardize, synthetic

DTYPES = [np.float32, np.float64]


def rows(n, d=2, dtype=np.float64):
    """Return X and y in which every entry tells its row: y is 0 .. n - 1."""
    y = np.arange(n, dtype=dtype)
    return y[:, None] * d + np.arange(d, dtype=dtype), y


def drawn(batches):
    """Return the rows of the next epoch, which the targets of `rows` tell."""
    return np.concatenate([y_b for _, y_b in batches]).astype(int).tolist()


def chi_square(counts):
    """Return Pearson's statistic of counts that should all be equal."""
    counts = np.asarray(counts, float).ravel()
    return float(((counts - counts.mean()) ** 2).sum() / counts.mean())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(50,), (50, 1), (50, 7), (2, 3)])
def test_standardize_is_by_mean_and_population_deviation(dtype, shape):
    X = (np.random.default_rng(0).normal(3, 5, shape)).astype(dtype)
    before = X.copy()
    found = standardize(X)
    exact = X.astype(np.longdouble)
    expected = (exact - exact.mean(0)) / np.sqrt(((exact - exact.mean(0)) ** 2).mean(0))
    np.testing.assert_allclose(found, expected.astype(float), rtol=0, atol=8 * np.finfo(dtype).eps)
    assert found.dtype == dtype
    assert found.shape == shape
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scale", ["tiny", "smallest_subnormal", "max"])
def test_standardize_at_the_ends_of_the_range(dtype, scale):
    X = np.array([0.0, 1.0, 0.0, 1.0], dtype) * getattr(np.finfo(dtype), scale)
    np.testing.assert_allclose(standardize(X), [-1, 1, -1, 1], rtol=1e-6)
    np.testing.assert_allclose(standardize(2 * (X / 2) - X[::-1]), [-1, 1, -1, 1], rtol=1e-6)


def test_standardize_of_deviations_far_below_the_mean():
    small = np.random.default_rng(0).integers(0, 3, 100_000).astype(np.float32)
    found = standardize(small + np.float32(2**23))
    np.testing.assert_allclose(found, standardize(small), rtol=0, atol=1e-6)
    assert abs(standardize(small.astype(float) + 2.0**51).mean()) < 1e-12


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_constant_column_becomes_zero(dtype):
    X = np.c_[np.arange(1000), np.full(1000, 0.1)].astype(dtype)
    found = standardize(X)
    assert not found[:, 1].any() and found[0, 0] < 0
    assert not standardize(X[:, 1]).any() and not standardize(X[:1]).any()


def test_standardize_takes_any_layout():
    X = np.random.default_rng(0).normal(size=(20, 6))
    expected = standardize(X)
    X.setflags(write=False)
    for layout in (np.asfortranarray(X), X[::-1].copy()[::-1], X.astype(">f8"), X.tolist()):
        found = standardize(layout)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)
        assert found.dtype == np.float64  # in native byte order


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ([[1.0, 2.0], [np.nan, np.inf]], ValueError, r"X\[1, 0\] is nan"),
        ([1.0, 2.0, -np.inf], ValueError, r"X\[2\] is -inf"),
        (np.ones((0, 3)), ValueError, r"X has shape \(0, 3\)"),
        (np.ones((2, 2, 2)), ValueError, r"X has shape \(2, 2, 2\)"),
        (1.0, ValueError, r"X has shape \(\)"),
        ([1, 2], TypeError, "X has dtype int64"),
        (None, TypeError, "X is a NoneType"),
        ([[1.0], [1.0, 2.0]], ValueError, "X has rows of different lengths"),
    ],
)
def test_standardize_names_what_is_wrong(X, error, message):
    with pytest.raises(error, match=message):
        standardize(X)


@pytest.mark.parametrize("dtype", DTYPES)
def test_synthetic_follows_its_formula(dtype):
    X, y, weights, bias = synthetic(20_000, 5, noise=0.3, seed=1, dtype=dtype)
    assert (X.dtype, y.dtype, weights.dtype, type(bias)) == (dtype, dtype, dtype, float)
    assert (X.shape, y.shape, weights.shape) == ((20_000, 5), (20_000,), (5,))
    noise = y - (X @ weights + bias)
    assert noise.std() == pytest.approx(0.3, rel=0.02)
    assert abs(noise.mean()) < 0.01
    np.testing.assert_allclose(X.mean(0), 0, atol=0.03)
    np.testing.assert_allclose(np.cov(np.c_[X, noise / 0.3].T), np.eye(6), atol=0.03)


def test_synthetic_without_noise_is_exact():
    X, y, weights, bias = synthetic(100, 3, noise=0.0, seed=2, dtype=np.float64)
    np.testing.assert_allclose(y, X @ weights + bias, rtol=0, atol=1e-13)


def test_synthetic_is_fixed_by_its_seed():
    first, again, other = (synthetic(10, 2, seed=seed)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(synthetic(10, 2)[0], synthetic(10, 2)[0])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"n": 0}, ValueError, "n=0"),
        ({"n": 2.0}, TypeError, "n=2.0"),
        ({"d": -1}, ValueError, "d=-1"),
        ({"d": True}, TypeError, "d=True"),
        ({"noise": -0.1}, ValueError, "noise=-0.1"),
        ({"noise": float("nan")}, ValueError, "noise=nan"),
        ({"noise": 1e300}, ValueError, r"noise=1e\+300"),
        ({"noise": "loud"}, TypeError, "noise='loud'"),
        ({"seed": -1}, ValueError, "seed=-1"),
        ({"seed": 2**64}, ValueError, "seed="),
        ({"dtype": np.int32}, TypeError, "dtype="),
        ({"dtype": "float23"}, TypeError, "dtype='float23'"),
    ],
)
def test_synthetic_names_the_bad_argument(change, error, message):
    with pytest.raises(error, match=message) as raised:
        synthetic(**{"n": 10, "d": 2, **change})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("n", "batch_size", "drop_last", "sizes"),
    [
        (10, 4, False, [4, 4, 2]),
        (10, 4, True, [4, 4]),
        (10, 5, False, [5, 5]),
        (10, 5, True, [5, 5]),
        (10, 1, False, [1] * 10),
        (10, 10, True, [10]),
        (10, 99, False, [10]),
        (1, 1, False, [1]),
    ],
)
@pytest.mark.parametrize("options", [{}, {"shuffle": False}, {"replacement": True}])
def test_sizes_of_minibatches(n, batch_size, drop_last, sizes, options):
    batches = Minibatches(*rows(n), batch_size, drop_last=drop_last, seed=0, **options)
    assert len(batches) == len(sizes)
    for _ in range(2):
        assert [(X_b.shape, y_b.shape) for X_b, y_b in batches] == [((s, 2), (s,)) for s in sizes]


@pytest.mark.parametrize("options", [{}, {"shuffle": False}, {"replacement": True}])
@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_stay_with_their_targets(options, dtype):
    X, y = rows(37, 3, dtype)
    for X_b, y_b in Minibatches(X, y, 5, seed=0, **options):
        np.testing.assert_array_equal(X_b, X[y_b.astype(int)])
        assert X_b.dtype == y_b.dtype == dtype


def test_each_epoch_visits_every_row_once_in_a_new_order():
    batches = Minibatches(*rows(100), 7, seed=0)
    epochs = [drawn(batches) for _ in range(5)]
    assert all(sorted(epoch) == list(range(100)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 5


@pytest.mark.parametrize("sampling", ["permutation", "replacement"])
def test_the_order_is_that_of_the_trainer(sampling):
    batches = Minibatches(*rows(50), 8, replacement=sampling == "replacement", seed=2**64 - 1)
    sampler = Sampler(50, sampling, 2**64 - 1)
    for _ in range(3):
        assert drawn(batches) == sampler.next_epoch().tolist()


def test_without_shuffle_the_minibatches_are_views_in_order():
    X, y = rows(10)
    batches = Minibatches(X, y, 4, shuffle=False)
    assert drawn(batches) == drawn(batches) == list(range(10))
    assert all(np.shares_memory(X_b, X) and np.shares_memory(y_b, y) for X_b, y_b in batches)


def test_shuffled_minibatches_are_copies():
    X, y = rows(10)
    for X_b, y_b in Minibatches(X, y, 10, seed=0):
        X_b[:] = -1
        y_b[:] = -1
    assert (X >= 0).all()
    assert (y >= 0).all()


def test_the_seed_fixes_the_epochs():
    first, again, other = (Minibatches(*rows(30), 4, seed=seed) for seed in (5, 5, 6))
    assert [drawn(first), drawn(first)] == [drawn(again), drawn(again)]
    assert drawn(first) != drawn(other)
    fresh = Minibatches(*rows(30), 4)
    assert fresh.seed != Minibatches(*rows(30), 4).seed
    assert drawn(fresh) == drawn(Minibatches(*rows(30), 4, seed=fresh.seed))


def test_epochs_side_by_side_are_those_one_after_the_other():
    apart = Minibatches(*rows(20), 3, seed=1)
    expected = [drawn(apart), drawn(apart)]
    batches = Minibatches(*rows(20), 3, seed=1)
    first, second = iter(batches), iter(batches)
    pairs = list(zip(second, first, strict=True))  # the second is asked first
    assert [drawn(pair[1] for pair in pairs), drawn(pair[0] for pair in pairs)] == expected


def test_the_permutation_is_uniform():
    batches = Minibatches(*rows(4), 4, seed=0)
    counts = dict.fromkeys(permutations(range(4)), 0)
    epochs = [tuple(drawn(batches)) for _ in range(12_000)]
    for epoch in epochs:
        counts[epoch] += 1
    assert chi_square(list(counts.values())) < 49.7  # 99.9 % point, 23 degrees of freedom
    follows = np.zeros((4, 4))
    for before, after in pairwise(epochs):
        follows[before[0], after[0]] += 1
    assert chi_square(follows) < 37.7  # 15 degrees of freedom


def test_draws_with_replacement_are_uniform_and_independent():
    batches = Minibatches(*rows(10), 10, replacement=True, seed=0)
    epochs = np.array([drawn(batches) for _ in range(4000)])
    counts = np.bincount(epochs.ravel(), minlength=10)
    assert chi_square(counts) < 27.9  # 99.9 % point, 9 degrees of freedom
    pairs = np.bincount(10 * epochs[:, 0] + epochs[:, 1], minlength=100)
    assert chi_square(pairs) < 148.2  # 99 degrees of freedom
    distinct = np.mean([len(set(epoch)) for epoch in epochs.tolist()])
    assert distinct == pytest.approx(10 * (1 - 0.9**10), abs=0.06)


@pytest.mark.parametrize("replacement", [False, True])
def test_deviation_of_a_minibatch_mean(replacement):
    n, b = 20, 8
    X, y = rows(n)
    batches = Minibatches(X, y, b, replacement=replacement, seed=0)
    means = [next(iter(batches))[1].mean() for _ in range(8000)]
    factor = 1.0 if replacement else np.sqrt((n - b) / (n - 1))
    assert np.std(means) == pytest.approx(factor * y.std() / np.sqrt(b), rel=0.03)


def test_targets_take_the_dtype_of_the_features():
    X, y = rows(6)
    for _, y_b in Minibatches(X.astype(np.float32), y, 2, seed=0):
        assert y_b.dtype == np.float32


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"batch_size": 0}, ValueError, "batch_size=0"),
        ({"batch_size": -3}, ValueError, "batch_size=-3"),
        ({"batch_size": 2.0}, TypeError, "batch_size=2.0"),
        ({"batch_size": True}, TypeError, "batch_size=True"),
        ({"batch_size": None}, TypeError, "batch_size=None"),
        ({"batch_size": np.ones((50, 50))}, TypeError, "batch_size=array"),
        ({"batch_size": 11, "drop_last": True}, ValueError, "batch_size=11 is above the 10 rows"),
        ({"replacement": True, "shuffle": False}, ValueError, "replacement=True"),
        ({"seed": -1}, ValueError, "seed=-1"),
        ({"seed": "x"}, TypeError, "seed='x'"),
        ({"X": np.ones((9, 2))}, ValueError, r"y has shape \(10,\); give shape \(9,\)"),
        ({"X": np.ones((0, 2)), "y": np.ones(0)}, ValueError, r"X has shape \(0, 2\)"),
        ({"X": np.ones(10)}, ValueError, r"X has shape \(10,\)"),
        ({"X": "rows"}, TypeError, "X has dtype <U4"),
        ({"X": np.array([[1.0, 2], [3, np.nan]] * 5)}, ValueError, r"X\[1, 1\] is nan"),
        ({"y": np.ones((10, 1))}, ValueError, r"y has shape \(10, 1\)"),
        ({"y": [0.0] * 3 + [np.inf] * 7}, ValueError, r"y\[3\] is inf"),
        (
            {"X": np.ones((10, 2), "f4"), "y": [1e300] * 10},
            ValueError,
            r"y\[0\] is 1e.*, too large for float32",
        ),
    ],
)
def test_minibatches_name_the_bad_argument(change, error, message):
    arguments = {"X": np.ones((10, 2)), "y": np.ones(10), "batch_size": 4, **change}
    with pytest.raises(error, match=message) as raised:
        Minibatches(**arguments)
    assert "\n" not in str(raised.value)
