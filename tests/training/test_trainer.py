"""The native trainer against a plain NumPy one fed the same minibatches, and known results."""

import signal

import numpy as np
import pytest

import tilewise as tw
from tests.support.signalled import signalled

# Half squared error after each of ten full-batch steps at learning rate 1, from zero weights.
GRADIENT_DESCENT_LOSSES = [0.27571, 0.25031, 0.24649, 0.24550, 0.24513, 0.24508]


def numpy_trainer(X, y, batches, learning_rate, epochs, weights):
    """Return the weights and bias after the same steps, in float64."""
    w, b = weights.astype(np.float64), 0.0
    for _ in range(epochs):
        for X_b, y_b in batches:
            residual = X_b.astype(np.float64) @ w + b - y_b
            w = w - learning_rate * X_b.T.astype(np.float64) @ residual / len(X_b)
            b = b - learning_rate * residual.mean()
    return w, b


def loss(X, y, w, b):
    return float(np.mean((X.astype(np.float64) @ w + b - y) ** 2) / 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("features", [1, 5, 16, 33, 130])
@pytest.mark.parametrize("batch_size", [1, 7, 32, 100, 500])
@pytest.mark.parametrize("sampling", ["permutation", "replacement", "sequential"])
def test_matches_a_numpy_trainer_on_the_same_minibatches(dtype, features, batch_size, sampling):
    X, y, _, _ = tw.data.synthetic(203, features, noise=0.3, seed=1, dtype=dtype)
    w0 = np.random.default_rng(2).normal(0, 0.1, features).astype(dtype)
    options = {"learning_rate": 0.5 / (features + 2), "epochs": 3}
    history = tw.fit(
        X, y, batch_size=batch_size, sampling=sampling, seed=5, initial_weights=w0, **options
    )
    batches = tw.data.Minibatches(
        X,
        y,
        batch_size,
        shuffle=sampling != "sequential",
        replacement=sampling == "replacement",
        seed=5,
    )
    w, b = numpy_trainer(X, y, batches, weights=w0, **options)
    tolerance = float(2000 * np.finfo(dtype).eps)
    np.testing.assert_allclose(history.weights, w, rtol=0, atol=tolerance)
    assert history.bias == pytest.approx(b, abs=tolerance)
    assert history.losses[-1] == pytest.approx(loss(X, y, w, b), rel=tolerance)
    assert history.weights.dtype == dtype


@pytest.mark.parametrize("features", [1, 5, 8, 9, 16, 17])
def test_single_steps_at_once_are_the_plain_steps(features):
    """Batch size 1 takes groups of rows as matrix products: the same steps, to rounding."""
    X, y, _, _ = tw.data.synthetic(5003, features, noise=0.5, seed=3, dtype=np.float64)
    start = np.full(features, 0.1)
    options = {"learning_rate": 0.3 / (features + 2), "epochs": 2}
    history = tw.fit(X, y, batch_size=1, seed=1, initial_weights=start, **options)
    batches = tw.data.Minibatches(X, y, 1, seed=1)
    w, b = numpy_trainer(X, y, batches, weights=start, **options)
    np.testing.assert_allclose(history.weights, w, rtol=0, atol=1e-12)
    assert history.bias == pytest.approx(b, abs=1e-12)


def test_gradient_descent_reproduces_the_known_losses(airfoil):
    X, y = airfoil
    for dtype in (np.float32, np.float64):
        history = tw.fit(
            X.astype(dtype),
            y.astype(dtype),
            batch_size=1500,
            learning_rate=1.0,
            epochs=10,
            record_every=1500,
            initial_weights=np.zeros(5),
        )
        np.testing.assert_allclose(history.losses[:6], GRADIENT_DESCENT_LOSSES, rtol=0, atol=6e-6)
        assert history.losses[9] == pytest.approx(0.24699, abs=6e-6)
        assert history.losses.argmin() == 5, "the chapter's rate of 1 turns after step 6"


@pytest.mark.parametrize(
    ("batch_size", "record_every", "expected"),
    [
        (1, 200, [200, 400, 600, 800, 1000]),
        (100, 200, [200, 400, 600, 800, 1000]),
        (300, 200, [300, 500, 800, 1000]),
        (7, 400, [406, 801, 1000]),
        (500, 10**9, [1000]),
    ],
)
def test_records_come_every_so_many_examples_and_at_the_end(batch_size, record_every, expected):
    X, y, _, _ = tw.data.synthetic(500, 3, seed=0)
    history = tw.fit(X, y, batch_size=batch_size, epochs=2, record_every=record_every, seed=0)
    assert history.examples.tolist() == expected
    assert len(history.losses) == len(history.seconds) == len(expected)
    assert (np.diff(history.seconds) >= 0).all()
    assert history.seconds_per_epoch == history.seconds[-1] / 2


@pytest.mark.parametrize(
    ("epochs", "records"),
    [
        (1, [1]),
        (4, [4]),
        (12, [5, 10, 12]),
        (495, range(5, 496, 5)),
        (1000, [*range(11, 1000, 11), 1000]),
    ],
)
def test_records_by_default_come_every_fifth_epoch_and_at_most_a_hundred(epochs, records):
    X, y, _, _ = tw.data.synthetic(50, 3, seed=0)
    history = tw.fit(X, y, epochs=epochs, seed=0)
    assert history.examples.tolist() == [50 * epoch for epoch in records]
    assert len(records) <= 100
    batches = tw.data.Minibatches(X, y, batch_size=50)
    alike = tw.train(lambda *_: None, None, {}, batches, 3, epochs)
    assert (alike.examples == history.examples).all()


def test_epochs_without_end_have_records_too():
    X, y, _, _ = tw.data.synthetic(50, 3, seed=0)
    history = tw.Trainer(3, seed=0).fit(X, y, epochs=10**18, callbacks=[lambda *_: True])
    assert history.examples.tolist() == [50]


@pytest.mark.parametrize("record_every", [1, 7, None])
def test_rates_asked_for_at_a_record_count_as_training(record_every):
    X, y, _, _ = tw.data.synthetic(300, 3, seed=0)
    laps = tw.Timer()
    laps.stop()

    def rate(step):
        with laps:
            sum(range(1000))
        return 1e-3

    trainer = tw.Trainer(3, batch_size=1, learning_rate=rate, seed=0)
    history = trainer.fit(X, y, record_every=record_every)
    assert history.seconds_per_epoch >= laps.sum() - laps.times[0]


@pytest.mark.parametrize("rate", [1e-3, tw.schedules.InverseScaling(1e-3)])
@pytest.mark.parametrize(("n_features", "dtype"), [(5, "f4"), (5, "f8"), (40, "f4"), (40, "f8")])
@pytest.mark.parametrize("batch_size", [1, 7])
def test_records_do_not_change_the_weights(batch_size, n_features, dtype, rate):
    X, y, _, _ = tw.data.synthetic(1003, n_features, seed=0, dtype=dtype)

    def fit(record_every):
        return tw.fit(
            X, y, batch_size=batch_size, learning_rate=rate, epochs=6, record_every=record_every,
            seed=0,
        )  # fmt: skip

    seldom = fit(None)
    for record_every in (1, 5, 200, 1003):
        often = fit(record_every)
        np.testing.assert_array_equal(often.weights, seldom.weights)
        assert often.losses[-1] == seldom.losses[-1]
        assert often.examples[-1] == seldom.examples[-1] == 6 * 1003
    always, now_and_then = fit(1), fit(200)
    both = np.isin(always.examples, now_and_then.examples)
    np.testing.assert_array_equal(always.losses[both], now_and_then.losses)


def test_the_seed_fixes_the_run():
    X, y, _, _ = tw.data.synthetic(500, 4, seed=0)
    first, second, other = (tw.fit(X, y, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.weights, second.weights)
    assert first.bias == second.bias
    assert not np.array_equal(first.weights, other.weights)
    again = tw.fit(X, y)
    np.testing.assert_array_equal(tw.fit(X, y, seed=again.seed).weights, again.weights)


def test_initial_weights_are_small_and_not_written():
    X, y, _, _ = tw.data.synthetic(50, 400, seed=0)
    start = np.ones(400, np.float32)
    tw.fit(X, y, initial_weights=start, learning_rate=1e-3)
    assert (start == 1).all()
    still = tw.fit(X, y, learning_rate=1e-30, seed=0)
    assert still.weights.std() == pytest.approx(0.01, rel=0.15)


def test_ctrl_c_stops_a_long_run():
    X, y, _, _ = tw.data.synthetic(1000, 5, seed=0)
    with pytest.raises(KeyboardInterrupt), signalled(signal.SIGINT):
        tw.fit(X, y, epochs=10**9, record_every=10**12)


def test_any_layout_and_read_only_input():
    X, y, _, _ = tw.data.synthetic(100, 6, seed=0)
    expected = tw.fit(X, y, seed=0).weights
    X.setflags(write=False)
    for layout in (X, np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2], X[::-1].copy()[::-1]):
        np.testing.assert_array_equal(tw.fit(layout, y, seed=0).weights, expected)


def test_divergence_is_an_error_that_names_the_rate():
    X, y, _, _ = tw.data.synthetic(100, 3, seed=0)
    with pytest.raises(FloatingPointError, match=r"learning_rate=50.0 is too large"):
        tw.fit(X, y, learning_rate=50.0, epochs=200, seed=0)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"batch_size": 0}, ValueError, "batch_size=0"),
        ({"batch_size": 2.0}, TypeError, "batch_size=2.0"),
        ({"batch_size": True}, TypeError, "batch_size=True"),
        ({"epochs": 0}, ValueError, "epochs=0"),
        ({"epochs": 10**30}, ValueError, "epochs="),
        ({"learning_rate": 0.0}, ValueError, "learning_rate=0.0"),
        ({"learning_rate": float("nan")}, ValueError, "learning_rate=nan"),
        ({"learning_rate": "fast"}, TypeError, "learning_rate='fast'"),
        ({"record_every": -1}, ValueError, "record_every=-1"),
        ({"sampling": "random"}, ValueError, "sampling='random'"),
        ({"seed": -1}, ValueError, "seed=-1"),
        ({"seed": 2**64}, ValueError, "seed="),
        ({"initial_weights": np.zeros(3)}, ValueError, "initial_weights"),
        ({"sampling": 5}, ValueError, "sampling=5"),
        ({"learning_rate": 1e-300, "X": np.ones((10, 2), np.float32)}, ValueError, "1e-300"),
        (
            {"initial_weights": np.full(2, 1e300), "X": np.ones((10, 2), np.float32)},
            ValueError,
            "initial_weights",
        ),
        ({"X": np.ma.masked_less(np.ones((10, 2)), 2)}, TypeError, "X is a masked array"),
        ({"X": np.ones((10, 2), int)}, TypeError, "X"),
        ({"X": np.ones((10, 2), complex)}, TypeError, "X"),
        ({"X": np.ones(10)}, ValueError, "X"),
        ({"X": np.ones((0, 2))}, ValueError, "X"),
        ({"X": np.ones((10, 0))}, ValueError, "X"),
        ({"X": np.array([[1.0, 2], [3, np.nan]] * 5)}, ValueError, "X"),
        ({"y": np.ones(9)}, ValueError, "y"),
        ({"y": np.full(10, np.inf)}, ValueError, "y"),
        ({"y": np.ones((9, 1))}, ValueError, "y"),
        ({"y": np.ones((10, 1, 1))}, ValueError, "y"),
        ({"optimizer": "sgdd"}, ValueError, "optimizer='sgdd'"),
        ({"clip_norm": 0}, ValueError, "clip_norm=0"),
        ({"weight_decay": -1.0}, ValueError, "weight_decay=-1.0"),
        ({"average": 1}, TypeError, "average=1"),
        ({"sample_weight": np.zeros(10)}, ValueError, "sample_weight is zero everywhere"),
        ({"sample_weight": -np.ones(10)}, ValueError, r"sample_weight\[0\] is -1"),
        ({"sample_weight": np.ones(9)}, ValueError, "sample_weight has shape"),
    ],
)
def test_bad_arguments_are_named(change, error, message):
    arguments = {"X": np.ones((10, 2)), "y": np.ones(10), **change}
    with pytest.raises(error, match=message):
        tw.fit(arguments.pop("X"), arguments.pop("y"), **arguments)


def test_the_loss_over_many_rows():
    X, y, weights, _ = tw.data.synthetic(5000, 7, seed=0, dtype=np.float64)
    trainer = tw.Trainer(7, dtype=np.float64, initial_weights=weights)
    assert trainer.loss(X, y) == pytest.approx(loss(X, y, weights, 0), rel=1e-12)
