"""What a trainer is besides its numbers: resumed, damaged, pickled, and of one thread."""

import io
import json
import pickle
import zipfile
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tilewise as tw
from tests.support.damage import DAMAGE, damaged
from tilewise.training.settings import Settings

RNG = np.random.default_rng(5)
X = RNG.normal(size=(300, 5)).astype(np.float32)
Y = (X @ np.arange(5) + RNG.normal(size=300)).astype(np.float32)

NPY = io.BytesIO()
np.save(NPY, np.zeros(3))


@pytest.mark.parametrize("rate", [1e-4, tw.schedules.InverseScaling(1e-4)])
def test_single_steps_go_on_bit_by_bit_in_long_epochs(rate, tmp_path):
    n = 200_003  # several looks and blocks of rates lie in an epoch, none at its end
    big = RNG.normal(size=(n, 5)).astype(np.float32)
    y = big.sum(axis=1)
    whole, halves = (tw.Trainer(5, batch_size=1, learning_rate=rate, seed=0) for _ in range(2))
    whole.fit(big, y, epochs=2, record_every=10**12)
    halves.fit(big, y, epochs=1, record_every=10**12)
    halves.save(tmp_path / "half.npz")
    halves = tw.Trainer.load(tmp_path / "half.npz")
    halves.fit(big, y, epochs=1, record_every=10**12)
    np.testing.assert_array_equal(halves.weights, whole.weights)
    assert halves.bias == whole.bias


@pytest.mark.parametrize("settings", [{}, {"batch_size": 1, "learning_rate": 1e-3}])
@pytest.mark.parametrize("n_features", [5, 40])
def test_ten_epochs_are_four_and_six_bit_by_bit(settings, n_features, tmp_path):
    rows, y, _, _ = tw.data.synthetic(1003, n_features, seed=0)
    whole, parts = (tw.Trainer(n_features, seed=0, **settings) for _ in range(2))
    whole.fit(rows, y, epochs=10)
    parts.fit(rows, y, epochs=4)
    parts.save(tmp_path / "four.npz")
    parts = tw.Trainer.load(tmp_path / "four.npz")
    parts.fit(rows, y, epochs=6)
    np.testing.assert_array_equal(parts.weights, whole.weights)
    assert parts.bias == whole.bias


def test_a_count_of_rows_near_the_largest_integer_ends_the_training():
    trainer = tw.Trainer(5, batch_size=1, learning_rate=1e-3, seed=0)
    trainer._state.counters[:] = 2**63 - 51
    trainer.fit(X, Y, record_every=7)
    assert trainer.examples <= 2**63 - 1


def test_one_trainer_trains_in_one_thread():
    trainer = tw.Trainer(5)

    def rate(step):
        trainer.run_epoch(X, Y)
        return 0.01

    trainer.learning_rate = rate
    with pytest.raises(RuntimeError, match="training already; use one trainer a thread"):
        trainer.run_epoch(X, Y)
    trainer.learning_rate = 0.01
    trainer.run_epoch(X, Y)
    copied = pickle.loads(pickle.dumps(trainer))
    copied.run_epoch(X, Y)
    assert copied.steps > trainer.steps


def test_a_divergence_can_be_pickled():
    with pytest.raises(tw.DivergenceError) as error:
        tw.fit(X, Y, learning_rate=1e6, epochs=100)
    again = pickle.loads(pickle.dumps(error.value))
    assert str(again) == str(error.value)
    assert (again.history.weights == error.value.history.weights).all()


def test_the_last_record_is_of_the_weights_that_patience_kept():
    trainer = tw.Trainer(5, learning_rate=0.3, batch_size=1, seed=0)
    history = trainer.fit(X, Y, epochs=50, record_every=len(X), patience=2)
    assert history.losses[-1] == pytest.approx(trainer.loss(X, Y))
    assert history.losses[-1] == history.losses.min()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"optimizer": tw.Optimizer("adagrad", epsilon=1e-50)}, "epsilon=1e-50 is 0 in float32"),
        ({"optimizer": tw.Optimizer("adam", beta2=1 - 1e-10)}, "beta2=0.9999999999 is 1 in float"),
        ({"clip_norm": 1e-50}, "clip_norm=1e-50 is out of range; .* above 0 in float32"),
    ],
)
def test_settings_are_in_range_in_the_dtype(settings, message):
    with pytest.raises(ValueError, match=message):
        tw.Trainer(5, **settings)
    tw.Trainer(5, **settings, dtype=np.float64)


@pytest.mark.parametrize("batch_size", [2**63 - 1, 2**63 - 100])
def test_any_batch_size_above_the_rows_is_gradient_descent(batch_size):
    expected = tw.fit(X, Y, batch_size=len(X), epochs=3, seed=0)
    history = tw.fit(X, Y, batch_size=batch_size, epochs=3, seed=0)
    np.testing.assert_array_equal(history.weights, expected.weights)
    np.testing.assert_array_equal(history.losses, expected.losses)


def test_a_divergence_is_judged_by_the_start_after_loading_too(tmp_path):
    def descend(trainer):
        for epoch in range(1000):
            try:
                trainer.run_epoch(X, Y)
            except tw.DivergenceError:
                return epoch
            trainer.save(tmp_path / "model.npz")
            trainer = tw.Trainer.load(tmp_path / "model.npz")
        return None

    rate = 1.02 * tw.training.auto_rate.largest_rates(X, len(X))[0]
    kept = tw.Trainer(5, batch_size=len(X), learning_rate=rate, seed=0)
    with pytest.raises(tw.DivergenceError):
        kept.fit(X, Y, epochs=1000, record_every=10**9)
    assert descend(tw.Trainer(5, batch_size=len(X), learning_rate=rate, seed=0)) is not None


class Doubled(tw.schedules.EpochDecay):
    """A schedule that no file can name."""

    def rates(self, steps, epochs):
        """Return twice as much."""
        return 2 * super().rates(steps, epochs)


def test_a_schedule_of_ones_own_is_not_saved_as_another(tmp_path):
    Doubled.__name__ = "EpochDecay"
    trainer = tw.Trainer(5, learning_rate=Doubled(0.1, factor=0.5))
    with pytest.raises(TypeError, match="cannot be saved"):
        trainer.save(tmp_path / "model.npz")
    assert not list(tmp_path.iterdir())


def test_epochs_of_different_sizes_are_counted(tmp_path):
    decay = tw.schedules.EpochDecay(0.1, factor=0.5)
    trainer, plain = (tw.Trainer(5, batch_size=10, seed=0, learning_rate=0.1) for _ in range(2))
    trainer.learning_rate = decay
    for epoch, n in enumerate([300, 10, 25, 300]):
        plain.learning_rate = 0.1 * 0.5**epoch
        for each in (trainer, plain):
            each.run_epoch(X[:n], Y[:n])
        np.testing.assert_array_equal(trainer.weights, plain.weights)
        trainer.save(tmp_path / "model.npz")
        trainer = tw.Trainer.load(tmp_path / "model.npz")
    for each in (trainer, plain):
        each.learning_rate = decay if each is trainer else 0.1 * 0.5**4
        each.step(X, Y)  # no epoch
        each.step(X, Y)
    np.testing.assert_array_equal(trainer.weights, plain.weights)


@pytest.mark.parametrize("batch_size", [1, 300])
def test_the_last_good_weights_are_good(batch_size):
    start = tw.Trainer(5, seed=0).loss(X, Y)
    with pytest.raises(tw.DivergenceError) as error:
        tw.fit(X, Y, batch_size=batch_size, learning_rate=4.0, epochs=1000, seed=0)
    assert np.abs(error.value.history.weights).max() < 1e5
    assert (error.value.history.losses <= 1e6 * start).all()
    far = np.full(5, 1e6)  # a bad start is no divergence
    history = tw.fit(X, Y, initial_weights=far, learning_rate=0.1, epochs=50, seed=0)
    assert history.losses[-1] < start


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: t.fit(X, Y, callbacks=print), TypeError, "callbacks=<built-in function print>"),
        (lambda t: t.fit(X, Y, callbacks=None), TypeError, "callbacks=None is not a sequence"),
        (lambda t: t.fit(X, Y, callbacks=[3]), TypeError, r"callbacks\[0\]=3 is not callable"),
        (
            lambda t: tw.Trainer(5, dtype=None),
            TypeError,
            "dtype=None is not supported; choose float",
        ),
        (lambda t: t.save(None), TypeError, "path=None is not a path"),
        (lambda t: t.save(b"a.npz"), TypeError, "path=b'a.npz' is not a path"),
        (lambda t: t.load(3), TypeError, "path=3 is not a path; give a str"),
        (lambda t: tw.fit(X, Y, foo=3), TypeError, "argument 'foo'"),
        (lambda t: tw.fit(X, Y, weight_decay=1e300), ValueError, "finite and 0 or more in float32"),
    ],
)
def test_bad_arguments_are_named_and_change_nothing(call, error, message):
    trainer = tw.Trainer(5, seed=0)
    with pytest.raises(error, match=message):
        call(trainer)
    np.testing.assert_array_equal(trainer.weights, tw.Trainer(5, seed=0).weights)


class OneRateTooMany(tw.schedules.Schedule):
    """A subclass with a fault."""

    def rates(self, steps, epochs):
        """Return one too many."""
        return np.ones(len(steps) + 1)


@pytest.mark.parametrize("train", [tw.Trainer.step, tw.Trainer.fit])
def test_a_schedule_of_the_wrong_length_is_named(train):
    trainer = tw.Trainer(5, learning_rate=OneRateTooMany(0.1))
    with pytest.raises(ValueError, match=r"OneRateTooMany\.rates gave shape \(.*give one rate"):
        train(trainer, X, Y)


MEMBERS = ("about", "parameters", "slots", "counters", "random")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return the path of a trainer that has learned."""
    path = tmp_path_factory.mktemp("saved") / "model.npz"
    rate = tw.schedules.InverseScaling(0.1)
    trainer = tw.Trainer(5, optimizer="adam", learning_rate=rate, average=True, seed=0)
    trainer.fit(X, Y, epochs=2)
    trainer.save(path)
    return path


def load_or_refuse(path):
    """Load a damaged trainer: what is loaded can go on, anything else is refused in one line."""
    try:
        trainer = tw.Trainer.load(path)
    except ValueError as error:
        assert len(str(error).splitlines()) == 1
        return
    assert np.isfinite([*trainer.weights.ravel()]).all()
    assert trainer.steps >= 0


@settings(max_examples=300)
@given(changes=DAMAGE)
def test_damaged_trainers_are_loaded_or_refused(saved, changes):
    path = saved.with_name("damaged.npz")
    path.write_bytes(damaged(saved.read_bytes(), changes))
    load_or_refuse(path)


@settings(max_examples=300)
@given(changes=st.dictionaries(st.sampled_from(MEMBERS), DAMAGE, min_size=1))
def test_damaged_arrays_are_loaded_or_refused(saved, changes):
    path = saved.with_name("arrays.npz")
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, "w") as new:
        for member in MEMBERS:
            content = old.read(f"{member}.npy")
            new.writestr(f"{member}.npy", damaged(content, changes.get(member, [])))
    load_or_refuse(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values),
    max_leaves=5,
)
SETTINGS = [field.name for field in fields(Settings)]
ABOUT = ["format", "version", "settings", "epochs", "rows_into_epoch", "trained_on", "start_loss"]


def with_about(saved, path, change):
    """Write the trainer that was saved to another file, with a change of what it says of itself."""
    with np.load(saved) as arrays:
        about = json.loads(str(arrays["about"]))
        change(about)
        np.savez(path, **{**arrays, "about": json.dumps(about)})
    return path


@settings(max_examples=300)
@given(name=st.sampled_from([*ABOUT, *SETTINGS]), value=JSON)
def test_changed_settings_are_loaded_or_refused(saved, name, value):
    def change(about):
        (about if name in ABOUT else about["settings"])[name] = value

    load_or_refuse(with_about(saved, saved.with_name("settings.npz"), change))


def test_a_damaged_shape_asks_for_no_memory(saved, tmp_path):
    path = with_about(
        saved, tmp_path / "wide.npz", lambda about: about["settings"].update(n_features=10**9)
    )
    with pytest.raises(ValueError, match=r"parameters is \(6, 1\), not \(1000000001, 1\)"):
        tw.Trainer.load(path)


def test_another_version_is_refused_by_name(saved, tmp_path):
    path = with_about(saved, tmp_path / "later.npz", lambda about: about.update(version=3))
    with pytest.raises(ValueError, match="version 3; this tilewise reads 'tilewise trainer', vers"):
        tw.Trainer.load(path)


@pytest.mark.parametrize("content", [b"", b"hello", NPY.getvalue()])
def test_what_is_no_npz_file_is_refused(tmp_path, content):
    (tmp_path / "trainer.npz").write_bytes(content)
    with pytest.raises(ValueError, match=r"is not a trainer saved by tilewise: it is no NPZ file"):
        tw.Trainer.load(tmp_path / "trainer.npz")


def test_a_folder_in_the_place_of_a_checkpoint_is_refused_before_the_work(tmp_path):
    (tmp_path / "trainer.npz").mkdir()
    trainer = tw.Trainer(5)
    for call in (trainer.save, lambda path: trainer.fit(X, Y, checkpoint=path)):
        with pytest.raises(IsADirectoryError, match="is a folder; choose another name"):
            call(tmp_path / "trainer.npz")
    assert trainer.steps == 0
