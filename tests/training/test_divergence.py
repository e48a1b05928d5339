"""A divergence is found soon, the last good weights are kept, and nothing else is taken for one."""

import re

import numpy as np
import pytest

import tilewise as tw
from tilewise.training import auto_rate

RNG = np.random.default_rng(11)
X = RNG.normal(size=(300, 5)).astype(np.float32)
Y = (X @ np.arange(5) + RNG.normal(size=300)).astype(np.float32)
ZEROS = float(np.mean(Y.astype(np.float64) ** 2) / 2)


def with_callbacks(trainer):
    trainer.fit(X, Y, epochs=1000, callbacks=[lambda *_: None])


def without_records(trainer):
    trainer.fit(X, Y, epochs=1000, record_every=10**12)


@pytest.mark.parametrize("train", [with_callbacks, without_records])
@pytest.mark.parametrize("batch_size", [1, 300])
def test_a_slow_divergence_is_found_long_before_infinity(train, batch_size):
    rate = 1.02 * auto_rate.largest_rates(X, 300)[0]
    trainer = tw.Trainer(5, batch_size=batch_size, learning_rate=rate, seed=0)
    start = trainer.loss(X, Y)
    with pytest.raises(tw.DivergenceError):
        train(trainer)
    assert trainer.loss(X, Y) < 2 * max(start, ZEROS)  # judged by some of the rows


def test_a_slow_divergence_is_found_over_several_epochs():
    trainer = tw.Trainer(
        5, batch_size=300, learning_rate=1.02 * auto_rate.largest_rates(X, 300)[0], seed=0
    )
    with pytest.raises(tw.DivergenceError):
        for _ in range(1000):
            before = trainer.weights
            trainer.run_epoch(X, Y)
    np.testing.assert_array_equal(trainer.weights, before)
    assert trainer.loss(X, Y) < 1e8


def test_weights_from_just_before_the_divergence_are_kept():
    n = 400_000
    big = RNG.normal(size=(n, 5)).astype(np.float32)
    y = big.sum(axis=1)
    trainer = tw.Trainer(5, batch_size=1, sampling="sequential", initial_weights=np.zeros(5))
    trainer.learning_rate = lambda step: 1e-4 if step < n // 2 else 10.0
    with pytest.raises(tw.DivergenceError) as error:
        trainer.fit(big, y, record_every=10**12)
    assert trainer.loss(big, y) < 1e-3
    assert 0 < trainer.examples <= n // 2
    assert "learning_rate=<lambda>" in str(error.value)
    # A millisecond's rows after the last look, and the rest of the steps that are taken together.
    found = int(re.search(r"diverged within (\d+) examples", str(error.value))[1])
    assert 333_332 <= found < 333_332 + 16


def test_rare_large_targets_are_no_divergence():
    wide = RNG.normal(size=(20_000, 50)).astype(np.float32)
    y = np.zeros(20_000, np.float32)
    y[7::997] = 1e8  # none of the rows that are judged
    history = tw.fit(
        wide, y, batch_size=100, learning_rate=0.01, epochs=5, record_every=200, seed=0
    )
    assert history.losses[-1] < history.losses[0]


def test_rows_of_weight_zero_are_not_judged():
    rows, y = X.copy(), Y.copy()
    weights = np.ones(300)
    rows[::2], y[::2], weights[::2] = 1e12, 0, 0
    start = np.zeros(5)
    history = tw.fit(rows, y, sample_weight=weights, epochs=20, initial_weights=start, seed=0)
    assert history.losses[-1] < ZEROS


@pytest.mark.parametrize("optimizer", ["adagrad", "rmsprop", "adadelta", "adam"])
def test_squares_that_overflow_are_found(optimizer):
    trainer = tw.Trainer(5, optimizer=optimizer, seed=0)
    before = trainer.weights
    with pytest.raises(
        tw.DivergenceError, match=r"scale X and y: .* overflow float32 at 1\.8e\+19"
    ):
        trainer.fit(X * np.float32(1e12), Y * np.float32(1e12))
    np.testing.assert_array_equal(trainer.weights, before)
    history = tw.fit(X.astype(float) * 1e12, Y.astype(float) * 1e12, optimizer=optimizer)
    assert np.isfinite(history.weights).all()


def test_a_step_that_overflows_is_taken_back():
    trainer = tw.Trainer(5, optimizer="adam", seed=0)
    before = trainer.weights
    with pytest.raises(tw.DivergenceError, match="overflow float32"):
        trainer.step(X * np.float32(1e12), Y * np.float32(1e12))
    np.testing.assert_array_equal(trainer.weights, before)
    assert trainer.steps == 0


def test_a_sample_of_rows_of_weight_zero_is_not_taken():
    weights = np.zeros(300)
    weights[[5, 299]] = 1  # most parts of the rows have none
    trainer = tw.Trainer(5, learning_rate=50.0, seed=0)
    with pytest.raises(tw.DivergenceError):
        for _ in range(50):
            trainer.run_epoch(X, Y, weights)
    assert np.isfinite(trainer.weights).all()


@pytest.mark.parametrize("period", [2, 4, 64])
def test_a_divergence_in_rows_that_come_with_a_period_is_found(period):
    rows, y = np.zeros((64 * 1024, 2)), np.ones(64 * 1024)
    rows[:, 0] = 1
    rows[1::period] = [0, 100]
    with pytest.raises(tw.DivergenceError):
        trainer = tw.Trainer(2, batch_size=1, learning_rate=2.1e-4, dtype=np.float64, seed=0)
        trainer.run_epoch(rows, y)


def test_a_divergence_in_one_row_is_seen_by_the_records():
    rows, y = np.zeros((100_000, 2)), np.ones(100_000)
    rows[:, 0] = 1
    rows[77_777] = [0, 100]
    trainer = tw.Trainer(2, learning_rate=0.02, batch_size=1, dtype=np.float64, seed=0)
    with pytest.raises(tw.DivergenceError, match="within 300000 examples"):
        trainer.fit(rows, y, epochs=10, record_every=100_000)
    assert trainer.loss(rows, y) < 1e6


def test_one_huge_row_that_a_tiny_rate_descends_is_no_divergence():
    rows = X.astype(float)
    rows[123] *= 1e9
    history = tw.fit(rows, Y.astype(float), learning_rate="auto", epochs=3, seed=0)
    assert history.losses[-1] <= history.losses[0]


@pytest.mark.parametrize(("optimizer", "factor"), [("momentum", 1.5), ("nesterov", 0.75)])
@pytest.mark.parametrize("part", [0.99, 1.01])
def test_the_limit_in_the_message_is_that_of_the_optimizer(optimizer, factor, part):
    limit = factor * auto_rate.largest_rates(X, 300)[0]
    trainer = tw.Trainer(
        5,
        batch_size=300,
        optimizer=tw.Optimizer(optimizer, momentum=0.5),
        learning_rate=part * limit,
        dtype=np.float64,
        seed=0,
    )
    rows, y = X.astype(float), Y.astype(float)
    if part < 1:
        assert trainer.fit(rows, y, epochs=5000, record_every=10**9).losses[-1] < ZEROS
        return
    with pytest.raises(tw.DivergenceError, match=f"{optimizer} is stable below {limit:.3g}"):
        trainer.fit(rows, y, epochs=5000, record_every=10**9)


def test_other_data_of_another_scale_are_no_divergence():
    trainer = tw.Trainer(5, batch_size=20, initial_weights=np.ones(5), seed=0)
    nothing = np.zeros(300, np.float32)
    trainer.run_epoch(X * np.float32(1e-4), nothing)
    trainer.run_epoch(X, nothing + np.float32(1e-6))
    assert trainer.loss(X, nothing) < ZEROS
