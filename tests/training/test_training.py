"""`Trainer`: steps, epochs, resuming, early stopping, faults."""

import os
import signal
import time

import numpy as np
import pytest

import tilewise as tw
from tests.support.signalled import signalled
from tilewise.training import auto_rate

RNG = np.random.default_rng(11)
X = RNG.normal(size=(300, 5)).astype(np.float32)
Y = (X @ np.float32([1, -2, 3, 0.5, 0]) + 1 + 0.1 * RNG.normal(size=300)).astype(np.float32)
OPTIMIZERS = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam"]


def state(trainer):
    """Return everything that training changes, as bytes."""
    return {
        name: value.tobytes() if isinstance(value, np.ndarray) else str(value)
        for name, value in trainer._state.copy().items()
        if name != "settings"
    }


def limit(X):
    """Return 2 / lambda_max, in float64 from the data."""
    ones = np.hstack([X.astype(np.float64), np.ones((len(X), 1))])
    return 2 / np.linalg.eigvalsh(ones.T @ ones / len(X))[-1]


def test_epochs_are_a_fit():
    one = tw.Trainer(5, batch_size=7, seed=1)
    for _ in range(3):
        one.run_epoch(X, Y)
    other = tw.Trainer(5, batch_size=7, seed=1)
    history = other.fit(X, Y, epochs=3)
    assert state(one) == state(other)
    assert (history.weights == one.weights).all()
    alike = tw.fit(X, Y, batch_size=7, epochs=3, seed=1)
    assert (alike.weights == one.weights).all()


def test_a_step_is_a_batch():
    one = tw.Trainer(5, batch_size=10, sampling="sequential", seed=1)
    one.run_epoch(X, Y)
    other = tw.Trainer(5, seed=1)
    for begin in range(0, 300, 10):
        other.step(X[begin : begin + 10], Y[begin : begin + 10])
    assert np.allclose(one.weights, other.weights, rtol=1e-5)
    assert other.steps == 30


@pytest.mark.parametrize("hook", [{"callbacks": [lambda *_: None]}, {"patience": 100}])
def test_the_history_does_not_depend_on_hooks(hook):
    plain = tw.Trainer(5, batch_size=8, seed=2).fit(X, Y, epochs=4, record_every=70)
    hooked = tw.Trainer(5, batch_size=8, seed=2).fit(X, Y, epochs=4, record_every=70, **hook)
    assert (plain.examples == hooked.examples).all()
    assert (plain.losses == hooked.losses).all()
    assert (plain.weights == hooked.weights).all()
    assert (np.diff(hooked.seconds) >= 0).all()


@pytest.mark.parametrize("sampling", ["permutation", "replacement", "sequential", "chunked"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_resumed_run_is_the_undisturbed_one(tmp_path, optimizer, sampling):
    settings = {"optimizer": optimizer, "sampling": sampling, "average": True, "seed": 4}
    rate = tw.schedules.Cosine(0.01, 60)
    undisturbed = tw.Trainer(5, learning_rate=rate, **settings)
    undisturbed.fit(X, Y, epochs=4)
    first = tw.Trainer(5, learning_rate=rate, **settings)
    first.fit(X, Y, epochs=2)
    first.save(tmp_path / "model.npz")
    second = tw.Trainer.load(tmp_path / "model.npz")
    assert second.learning_rate == rate
    second.fit(X, Y, epochs=2)
    assert state(second) == state(undisturbed)
    assert os.listdir(tmp_path) == ["model.npz"]


def test_a_crash_while_saving_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.npz"
    trainer = tw.Trainer(5, seed=0)
    trainer.save(path)
    old = path.read_bytes()

    def crash(*_):
        raise OSError("no power")

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(OSError, match="no power"):
        trainer.save(path)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == ["model.npz"]


def test_files_that_are_not_ours(tmp_path):
    path = tmp_path / "model.npz"
    tw.Trainer(5, seed=0).save(path)
    whole = path.read_bytes()
    other = tmp_path / "other.npz"
    for wrong in (b"", b"hello", whole[: len(whole) // 2], whole[:-10]):
        other.write_bytes(wrong)
        with pytest.raises(ValueError, match="is not a trainer saved by tilewise"):
            tw.Trainer.load(other)
    np.savez(other, a=np.ones(3))
    with pytest.raises(ValueError, match="is not a trainer saved by tilewise"):
        tw.Trainer.load(other)
    np.savez(other, settings=np.array([{}], object))
    with pytest.raises(ValueError, match="is not a trainer saved by tilewise"):
        tw.Trainer.load(other)
    with pytest.raises(FileNotFoundError):
        tw.Trainer.load(tmp_path / "none.npz")
    with pytest.raises(TypeError, match="cannot be saved"):
        tw.Trainer(5, learning_rate=lambda step: 0.1).save(path)
    assert path.read_bytes() == whole


def test_stability_limit():
    rate = limit(X)
    assert np.isclose(auto_rate.largest_rates(X, 300)[0], rate, rtol=1e-5)
    settings = {"batch_size": 300, "dtype": np.float64, "initial_weights": np.ones(5)}
    wide = X.astype(np.float64)
    y = Y.astype(np.float64)
    below = tw.Trainer(5, learning_rate=0.99 * rate, **settings)
    losses = below.fit(wide, y, epochs=2000, record_every=len(X)).losses
    assert losses[-1] < losses[100] or np.isclose(losses[-1], losses[100], rtol=1e-6)
    above = tw.Trainer(5, learning_rate=1.01 * rate, **settings)
    with pytest.raises(tw.DivergenceError) as error:
        above.fit(wide, y, epochs=2000)
    assert error.value.history.losses[-1] > 1e6


def test_full_batches_find_the_least_squares_solution():
    wide, y = X.astype(np.float64), Y.astype(np.float64)
    ones = np.hstack([wide, np.ones((300, 1))])
    wanted = np.linalg.lstsq(ones, y, rcond=None)[0]
    history = tw.fit(wide, y, batch_size=300, learning_rate=limit(X) / 2, epochs=2000)
    assert np.allclose(np.append(history.weights, history.bias), wanted, atol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 8, 300])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_the_automatic_rate_converges(optimizer, batch_size):
    trainer = tw.Trainer(
        5, learning_rate="auto", batch_size=batch_size, optimizer=optimizer, seed=0
    )
    history = trainer.fit(X, Y, epochs=200)
    assert isinstance(trainer.learning_rate, float)
    assert trainer.learning_rate < limit(X)
    assert history.losses[-1] < 0.05
    with pytest.raises(ValueError, match="has no meaning for adam"):
        tw.Trainer(5, learning_rate="auto", optimizer="adam")


def test_permuting_rows_changes_nothing_of_full_batches():
    order = RNG.permutation(300)
    one = tw.fit(X, Y, batch_size=300, epochs=20, learning_rate=0.3, seed=1)
    other = tw.fit(X[order], Y[order], batch_size=300, epochs=20, learning_rate=0.3, seed=1)
    assert np.allclose(one.weights, other.weights, atol=1e-5)


def test_sample_weights_are_repeated_rows():
    repeats = RNG.integers(0, 4, 300)
    weighted = tw.Trainer(5, batch_size=300, dtype=np.float64, seed=1, learning_rate=0.1)
    weighted.fit(X.astype(float), Y, epochs=50, sample_weight=repeats)
    repeated = tw.Trainer(5, batch_size=10_000, dtype=np.float64, seed=1, learning_rate=0.1)
    repeated.fit(np.repeat(X, repeats, axis=0).astype(float), np.repeat(Y, repeats), epochs=50)
    assert np.allclose(weighted.weights, repeated.weights, rtol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 20, 300])
@pytest.mark.parametrize("sampling", ["permutation", "replacement", "sequential"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_bad_data_changes_nothing(bad, sampling, batch_size):
    trainer = tw.Trainer(5, sampling=sampling, batch_size=batch_size, optimizer="adam", seed=3)
    trainer.run_epoch(X, Y)
    before = state(trainer)
    wrong_X, wrong_y = X.copy(), Y.copy()
    wrong_X[123, 4] = bad
    wrong_y[77] = bad
    for call in (trainer.run_epoch, trainer.fit, trainer.step):
        with pytest.raises(ValueError, match=r"X\[123, 4\] is"):
            call(wrong_X, Y)
        assert state(trainer) == before
        with pytest.raises(ValueError, match=r"y\[77\] is"):
            call(X, wrong_y)
        assert state(trainer) == before


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((X[:, :4], Y), ValueError, r"X has shape \(300, 4\); give shape \(n, 5\)"),
        ((X[:0], Y[:0]), ValueError, r"X has shape \(0, 5\)"),
        ((X[0], Y[:1]), ValueError, r"X has shape \(5,\)"),
        ((X, Y[1:]), ValueError, r"y has shape \(299,\); give shape \(300,\)"),
        ((X, Y[:, None]), ValueError, r"y has shape \(300, 1\)"),
        ((X.astype(int), Y), TypeError, "X has dtype int64; convert it"),
        ((X + 1j, Y), TypeError, "X has dtype complex64; give real numbers"),
        ((X, Y.astype(int)), TypeError, "y has dtype int64; convert it"),
        ((X, Y + 1j), TypeError, "y has dtype complex64; give real numbers"),
        ((X, Y, np.zeros(300)), ValueError, "sample_weight is zero everywhere"),
        (
            (X, Y, np.where(np.arange(300) == 7, np.nan, 1)),
            ValueError,
            r"sample_weight\[7\] is nan",
        ),
        ((X, Y, -np.arange(300)), ValueError, r"sample_weight\[1\] is -1"),
        ((X, Y, np.ones(300, complex)), TypeError, "sample_weight has dtype complex128"),
        ((X, Y, np.ma.masked_less(np.ones(300), 2)), TypeError, "sample_weight is a masked array"),
    ],
)
@pytest.mark.parametrize("method", ["step", "run_epoch", "fit"])
def test_bad_arguments_change_nothing(method, arguments, error, message):
    trainer = tw.Trainer(5, optimizer="adam", seed=3)
    trainer.run_epoch(X, Y)
    before = state(trainer)
    data = dict(zip(("X", "y", "sample_weight"), arguments, strict=False))
    with pytest.raises(error, match=message):
        getattr(trainer, method)(**data)
    assert state(trainer) == before


@pytest.mark.parametrize("rate", [0, -0.1, float("nan"), float("inf"), "fast", None])
def test_a_bad_rate_changes_nothing(rate):
    trainer = tw.Trainer(5, learning_rate=0.1, seed=3)
    with pytest.raises(
        (TypeError, ValueError), match=f"learning_rate={rate!r} is (not a number|out of range)"
    ):
        trainer.learning_rate = rate
    assert trainer.learning_rate == 0.1
    trainer.learning_rate = lambda step: rate if step == 5 else 0.01
    before = state(trainer)
    if rate != 0:  # a schedule may rest
        with pytest.raises((TypeError, ValueError), match=r"step 5|learning_rate\(5\)"):
            trainer.run_epoch(X, Y)
        assert state(trainer) == before


@pytest.mark.parametrize("hook", [{}, {"callbacks": [lambda *_: None]}])
@pytest.mark.parametrize("batch_size", [1, 20, 300])
def test_divergence_keeps_the_last_good_weights(batch_size, hook):
    trainer = tw.Trainer(5, batch_size=batch_size, learning_rate=1e6, seed=0)
    with pytest.raises(tw.DivergenceError, match=r"learning_rate=1000000\.0 is too") as error:
        trainer.fit(X, Y, epochs=100, **hook)
    assert np.isfinite(trainer.weights).all()
    assert np.isfinite(error.value.history.weights).all()
    stable = auto_rate.largest_rates(X, batch_size)[batch_size < 300]
    assert f"is stable below {stable:.3g})" in str(error.value)
    trainer = tw.Trainer(5, learning_rate=3e38, seed=0)
    for _ in range(3):
        before = state(trainer)
        try:
            trainer.step(X, Y)
        except tw.DivergenceError:
            assert state(trainer) == before
            break
    else:
        pytest.fail("no divergence")


def test_early_stopping_keeps_the_best():
    losses = []
    trainer = tw.Trainer(5, learning_rate=0.1, batch_size=2, seed=0)
    trainer.fit(
        X,
        Y,
        epochs=500,
        validation_fraction=0.2,
        patience=3,
        callbacks=[lambda trainer, epoch, loss: losses.append(loss) and False],
    )
    assert 4 <= len(losses) < 500
    assert min(losses) == losses[-4]
    ended = tw.Trainer(5).fit(X, Y, epochs=9, callbacks=[lambda trainer, epoch, loss: epoch == 2])
    assert ended.examples[-1] == 600


def test_verbose_and_progress(capsys):
    pytest.importorskip("tqdm")
    tw.Trainer(5).fit(X, Y, epochs=2, verbose=True, progress=True)
    captured = capsys.readouterr()
    assert "epoch 2: loss" in captured.out
    assert "600/600" in captured.err
    assert "loss=" in captured.err


@pytest.mark.parametrize(("n", "features", "batch_size"), [(3_000_000, 5, 3_000_000), (1000, 5, 1)])
def test_ctrl_c_keeps_the_weights_so_far(n, features, batch_size):
    big = RNG.normal(size=(n, features)).astype(np.float32)
    y = big.sum(axis=1)
    trainer = tw.Trainer(features, batch_size=batch_size, learning_rate=1e-4)
    with pytest.raises(KeyboardInterrupt) as interrupt, signalled(signal.SIGINT) as pressed:
        trainer.fit(big, y, epochs=10**9, record_every=len(big))
    assert time.perf_counter() - pressed[0] < 5  # no hang; how soon is measured elsewhere
    assert trainer.steps > 0
    history = interrupt.value.history
    assert (history.weights == trainer.weights).all()
    assert trainer.examples // len(big) - len(history.losses) in (0, 1)  # cut short before a record
    assert np.isfinite(history.seconds_per_epoch)


def test_several_targets_are_several_models():
    both = np.stack([Y, -2 * Y], axis=1)
    history = tw.fit(X, both, batch_size=300, epochs=50, learning_rate=0.3, seed=1)
    assert history.weights.shape == (5, 2)
    assert history.bias.shape == (2,)
    single = tw.fit(X, Y, batch_size=300, epochs=50, learning_rate=0.3, initial_weights=np.zeros(5))
    assert np.allclose(history.weights[:, 0], single.weights, atol=1e-3)
    trainer = tw.Trainer(5, n_targets=2)
    assert trainer.predict(X).shape == (300, 2)
    assert trainer.loss(X, both) > 0


def test_a_trainer_has_one_dtype():
    with pytest.raises(TypeError, match="X has dtype float64, but the model float32"):
        tw.Trainer(5).run_epoch(X.astype(float), Y)
    with pytest.raises(ValueError, match="y\\[2\\] is 1e\\+300, too large for float32"):
        tw.Trainer(5).run_epoch(X[:3], np.array([0, 0, 1e300]))
