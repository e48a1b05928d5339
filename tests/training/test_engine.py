"""The native SGD engine against plain NumPy: every kind of step, at every edge."""

import itertools

import numpy as np
import pytest

import tilewise as tw
from tilewise import _core

RNG = np.random.default_rng(7)
ONE_EPOCH = _core.Schedule(1, 0, False, np.nan)


def reference(X, y, sample_weights, parameters, order, batch_size, rate):
    """Return the parameters (d + 1, t) after an epoch of plain SGD, in float64."""
    parameters = parameters.astype(np.float64)
    ones = np.ones((len(X), 1))
    X = np.hstack([X.astype(np.float64), ones])
    for begin in range(0, len(X), batch_size):
        rows = order[begin : begin + batch_size]
        residuals = X[rows] @ parameters - y[rows]
        if sample_weights is not None:
            residuals *= sample_weights[rows, None]
        parameters -= rate * X[rows].T @ residuals / len(rows)
    return parameters


def one_epoch(X, y, parameters, batch_size, rate, *, sampling="sequential", sample_weights=None):
    """Return the parameters after a native epoch, and the order of its rows."""
    values, counters = parameters[None].copy(), np.zeros(2, np.int64)
    settings = _core.Settings(batch_size, "sgd", [], 0.0, np.inf)
    state = _core.State(settings, values, counters)
    sampler = _core.Sampler(len(X), sampling, 3)
    order = _core.Sampler(len(X), sampling, 3).next_epoch()
    records, interrupt = _core.train(X, y, sample_weights, state, rate, sampler, ONE_EPOCH)
    assert (records.rows, records.diverged_at, interrupt) == (len(X), 0, None)
    assert counters.tolist() == [-(-len(X) // batch_size), len(X)]
    return values[0], order


SHORT = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 33, 40]
FEATURES = [*SHORT, 48, 50, 64, 79, 80, 95, 97, 112, 128, 129, 144, 161, 176, 191, 192, 193]


@pytest.mark.parametrize("sampling", ["sequential", "permutation", "chunked"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("features", FEATURES)
def test_an_epoch_is_that_of_numpy(features, dtype, sampling):
    for n, batch_size in ((1, 1), (17, 1), (67, 1), (67, 2), (100, 10), (257, 16), (257, 300)):
        for targets, weighted in ((1, False), (1, True), (3, False), (2, True)):
            X = RNG.normal(size=(n, features)).astype(dtype)
            y = RNG.normal(size=(n, targets)).astype(dtype)
            weights = RNG.uniform(0.5, 1.5, n).astype(dtype) if weighted else None
            start = RNG.normal(size=(features + 1, targets)).astype(dtype)
            rate = 0.3 / (features + 1)
            got, order = one_epoch(
                X, y, start, batch_size, rate, sampling=sampling, sample_weights=weights
            )
            wanted = reference(X, y, weights, start, order, batch_size, rate)
            bound = 100 * np.finfo(dtype).eps * abs(wanted).max()
            assert abs(got - wanted).max() < bound, (n, batch_size, targets, weighted)


@pytest.mark.parametrize("features", [5, 40])
def test_single_steps_in_blocks_are_the_plain_loop(features):
    X = RNG.normal(size=(10_000, features))
    y = RNG.normal(size=(10_000, 1))
    start = np.zeros((features + 1, 1))
    got, order = one_epoch(X, y, start, 1, 0.01, sampling="permutation")
    assert abs(got - reference(X, y, None, start, order, 1, 0.01)).max() < 1e-12


@pytest.mark.parametrize(("n", "features"), [(1000, 200), (300_000, 1), (70_000, 20), (64, 5000)])
def test_large_batches_do_not_depend_on_the_threads(n, features):
    X = RNG.normal(size=(n, features)).astype(np.float32)
    y = RNG.normal(size=(n, 1)).astype(np.float32)
    start = np.zeros((features + 1, 1), np.float32)
    results = []
    for threads in (1, 2, 3, 16):
        with tw.threads(threads):
            results.append(one_epoch(X, y, start, n, 0.1 / features, sampling="permutation")[0])
    for result in results[1:]:
        assert result.tobytes() == results[0].tobytes()
    order = np.arange(n)
    wanted = reference(X, y, None, start, order, n, 0.1 / features)
    assert abs(results[0] - wanted).max() < 1e-4 * abs(wanted).max()


def regularized(X, y, weights, start, batch_size, rate, decay, clip):
    """Return the parameters and their average after an epoch in order, in float64."""
    parameters = start.astype(np.float64)
    total, steps = np.zeros_like(parameters), 0
    X = np.hstack([X.astype(np.float64), np.ones((len(X), 1))])
    for begin in range(0, len(X), batch_size):
        rows = slice(begin, begin + batch_size)
        residuals = weights[rows, None] * (X[rows] @ parameters - y[rows])
        gradient = X[rows].T @ residuals / len(residuals)
        gradient *= min(1, clip / max(np.linalg.norm(gradient), 1e-30))
        gradient[:-1] += decay * parameters[:-1]
        parameters -= rate * gradient
        total, steps = total + parameters, steps + 1
    return parameters, total / steps


def averaged_epoch(X, y, weights, start, batch_size, rate, decay, clip, record_every=0):
    """Return the parameters and their average after a native epoch in order."""
    values, counters = np.stack([start, np.zeros_like(start)]), np.zeros(2, np.int64)
    state = _core.State(_core.Settings(batch_size, "sgd", [], decay, clip), values, counters)
    schedule = _core.Schedule(1, record_every, False, np.nan)
    sampler = _core.Sampler(len(X), "sequential", 0)
    records, interrupt = _core.train(X, y, weights, state, rate, sampler, schedule)
    assert (records.diverged_at, interrupt) == (0, None)
    return values


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("features", [1, 3, 5, 7, 11, 15, 16, 20, 40, 129])
def test_decay_clipping_and_averages_are_those_of_numpy(features, dtype):
    n = 103
    X = RNG.normal(size=(n, features)).astype(dtype)
    weights = RNG.uniform(0, 1.5, n).astype(dtype)
    weights[::5] = 0
    rate = 0.3 / (features + 1)
    weak, strong = 0.03 / rate, 0.5 / rate
    for targets, batch_size, decay, clip in itertools.chain(
        itertools.product((1,), (1, 2, 3, 10, 40), (0, weak, strong), (np.inf, 0.7, 1e-3)),
        itertools.product((2, 3, 4, 5), (1, 3, 40), (0, weak), (np.inf, 0.7)),
    ):
        y = RNG.normal(size=(n, targets)).astype(dtype)
        start = RNG.normal(size=(features + 1, targets)).astype(dtype)
        given = X, y, weights, start, batch_size, rate, decay, clip
        wanted = np.stack(regularized(*given))
        bound = 100 * np.finfo(dtype).eps * abs(wanted).max()
        got = averaged_epoch(*given)
        assert abs(got - wanted).max() < bound, (targets, batch_size, decay, clip)


@pytest.mark.parametrize("targets", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 2, 10])
@pytest.mark.parametrize("features", [2, 5, 11, 20, 40, 300])
def test_records_change_no_bit_of_what_is_averaged(features, batch_size, targets):
    n = 403
    X = RNG.normal(size=(n, features)).astype(np.float32)
    y = RNG.normal(size=(n, targets)).astype(np.float32)
    start = np.zeros((features + 1, targets), np.float32)
    rate = 0.3 / (features + 1)
    clip = 2.0 if targets == 1 else np.inf
    for decay in (0, 0.03 / rate):
        given = X, y, None, start, batch_size, rate, decay, clip
        wanted = averaged_epoch(*given).tobytes()
        for record_every in (1, 7, 100):
            assert averaged_epoch(*given, record_every).tobytes() == wanted


def test_rows_may_be_apart():
    wide = RNG.normal(size=(50, 40)).astype(np.float32)
    y = RNG.normal(size=(50, 1)).astype(np.float32)
    for columns in (slice(0, 5), slice(3, 30)):
        X = wide[::2, columns]
        start = np.zeros((X.shape[1] + 1, 1), np.float32)
        got, _ = one_epoch(X, y[:25], start, 4, 0.01)
        copied, _ = one_epoch(np.ascontiguousarray(X), y[:25], start, 4, 0.01)
        assert got.tobytes() == copied.tobytes()


def test_chunked_draws_every_row_once_and_stays_in_its_chunks():
    sampler = _core.Sampler(1000, "chunked", 0, 262144 // 64)  # chunks of 64 rows
    rows = sampler.next_epoch()
    assert sorted(rows) == list(range(1000))
    pieces = [rows[i] // 64 for i in range(1000)]
    changes = sum(a != b for a, b in itertools.pairwise(pieces))
    assert changes == 15  # 16 chunks, each in one piece
    assert (rows != sampler.next_epoch()).any()


def test_shuffles_are_uniform():
    # Every row comes to every place equally often: a chi-square with 30 * 29 degrees of freedom.
    n, epochs = 30, 20_000
    sampler = _core.Sampler(n, "permutation", 5)
    counts = np.zeros((n, n))
    for _ in range(epochs):
        counts[np.arange(n), sampler.next_epoch()] += 1
    expected = epochs / n
    chi = ((counts - expected) ** 2 / expected).sum()
    assert abs(chi - n * (n - 1)) < 6 * np.sqrt(2 * n * n)


@pytest.mark.parametrize("sampling", ["permutation", "replacement"])
def test_gradient_noise_is_that_of_the_sampling(sampling):
    n, batch_size, draws = 64, 16, 4000
    X, y = RNG.normal(size=(n, 3)), RNG.normal(size=n)

    def first_gradient(seed):
        trainer = tw.Trainer(
            3,
            batch_size=batch_size,
            learning_rate=lambda step: float(step == 0),
            sampling=sampling,
            dtype=np.float64,
            initial_weights=np.zeros(3),
            seed=seed,
        )
        trainer.run_epoch(X, y)
        return -np.append(trainer.weights, trainer.bias)

    rows = -np.column_stack([X, np.ones(n)]) * y[:, None]
    noise = [first_gradient(seed) - rows.mean(axis=0) for seed in range(draws)]
    wanted = np.sqrt(rows.var(axis=0).sum() / batch_size)
    if sampling == "permutation":
        wanted *= np.sqrt((n - batch_size) / (n - 1))
    assert abs(np.sqrt(np.square(noise).sum(axis=1).mean()) / wanted - 1) < 0.03


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_first_nonfinite(dtype):
    matrix = np.ones((40, 30), dtype)
    assert _core.first_nonfinite(matrix) == -1
    matrix[7, 3] = np.nan
    matrix[9, 0] = np.inf
    assert _core.first_nonfinite(matrix) == 7 * 30 + 3
    assert _core.first_nonfinite(matrix[8:, ::-2]) == 15 + 14 or matrix[9, ::-2][14] != np.inf
    assert _core.first_nonfinite(matrix[9]) == 0


def test_wrong_shapes_do_not_reach_memory():
    X, y = np.ones((4, 2)), np.ones((4, 1))
    settings = _core.Settings(1, "adam", [0.9, 0.999, 1e-8], 0.0, np.inf)
    values, counters = np.zeros((4, 3, 1)), np.zeros(2, np.int64)
    wrong = [
        (np.zeros((2, 3, 1)), counters),
        (np.zeros((5, 3, 1)), counters),
        (np.zeros((4, 0, 1)), counters),
        (np.zeros((4, 3)), counters),
        (np.zeros((8, 3, 1))[::2], counters),
        (values, np.zeros(1, np.int64)),
    ]
    for arrays in wrong:
        with pytest.raises(ValueError, match="must"):
            _core.State(settings, *arrays)
    sampler = _core.Sampler(4, "sequential", 0)
    for other in (np.zeros((4, 2, 1)), np.zeros((4, 3, 2)), values.astype(np.float32)):
        with pytest.raises(ValueError, match="must"):
            state = _core.State(settings, other, counters)
            _core.train(X, y, None, state, 0.1, sampler, ONE_EPOCH)
    state = _core.State(settings, values, counters)
    with pytest.raises(ValueError, match="another number of rows"):
        _core.train(X[:3], y[:3], None, state, 0.1, sampler, ONE_EPOCH)


def test_the_halves_of_a_step_are_a_step():
    random = np.random.default_rng(0)
    X, y = random.normal(size=(50, 3)), random.normal(size=(50, 1))
    order = random.permutation(50)
    rows = order[10:30]
    settings = _core.Settings(20, "adam", [0.9, 0.999, 1e-8], 0.1, 0.5)
    start = random.normal(size=(4, 1))
    values, counters = np.zeros((2, 4, 4, 1)), np.zeros((2, 2), np.int64)
    values[:, 0] = start
    parts, whole = (_core.State(settings, values[i], counters[i]) for i in range(2))
    gradient = np.full_like(start, np.nan)
    _core.sum_gradients(X, y, None, order, 10, 20, parts, gradient)
    residuals = X[rows] @ start[:-1] + start[-1] - y[rows]
    expected = np.append(X[rows].T @ residuals, residuals.sum())
    np.testing.assert_allclose(gradient[:, 0], expected, rtol=1e-13)
    _core.apply_gradient(gradient, 20, parts, 0.1)
    _core.step(X[rows], y[rows], None, whole, 0.1)
    np.testing.assert_allclose(values[0], values[1], rtol=1e-13)
    assert counters.tolist() == [[1, 20], [1, 20]]


def test_gradients_do_not_reach_memory_outside():
    X, y = np.ones((5, 2)), np.ones((5, 1))
    settings = _core.Settings(5, "sgd", [], 0.0, np.inf)
    state = _core.State(settings, np.zeros((1, 3, 1)), np.zeros(2, np.int64))
    gradient = np.zeros((3, 1))
    good = {"order": None, "first": 0, "count": 5, "gradient": gradient}
    wrong = [
        {"first": 1},
        {"first": -1},
        {"count": 0},
        {"count": 2**62, "first": 2**62},
        {"order": np.array([0, 1, 2, 3, 5])},
        {"order": np.array([0, 1, 2, 3, -1])},
        {"order": np.arange(4)},
        {"order": np.zeros((1, 5), np.int64)},
        {"gradient": np.zeros(2)},
        {"gradient": np.zeros((3, 2))[:, :1]},
    ]
    for change in wrong:
        arguments = {**good, **change}
        with pytest.raises(ValueError):
            _core.sum_gradients(X, y, None, state=state, **arguments)
    for count, wrong_gradient in ((0, gradient), (5, np.zeros(2)), (5, np.zeros((3, 1), "f4"))):
        with pytest.raises(ValueError):
            _core.apply_gradient(wrong_gradient, count, state, 0.1)


@pytest.mark.parametrize("rows", [1024, 1025, 1027, 2050])
@pytest.mark.parametrize("features", [3, 16, 70])
def test_the_loss_of_many_targets_where_a_few_rows_are_left(rng, rows, features):
    """The loss is summed over chunks of rows, of which the last one may have a row alone."""
    X, Y = rng.normal(size=(rows, features)), rng.normal(size=(rows, 33))
    weights = rng.normal(size=(features, 33))
    for dtype, tolerance in (("float32", 1e-5), ("float64", 1e-12)):
        trainer = tw.Trainer(features, n_targets=33, dtype=dtype, initial_weights=weights)
        expected = ((X @ weights - Y) ** 2).sum(axis=1).mean() / 2
        np.testing.assert_allclose(
            trainer.loss(X.astype(dtype), Y.astype(dtype)), expected, rtol=tolerance
        )
