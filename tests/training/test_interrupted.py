"""What stops a training keeps the weights and the records so far; a faulty schedule keeps none."""

import signal

import numpy as np
import pytest

import tilewise as tw
from tests.support.signalled import signalled

pytestmark = pytest.mark.once

RNG = np.random.default_rng(3)
X = RNG.normal(size=(1000, 5)).astype(np.float32)
Y = (X @ np.arange(5) + RNG.normal(size=1000)).astype(np.float32)
NEVER_ENDS = 10**9


def pressed_at(step):
    """Return a schedule in which Ctrl-C comes at a step."""

    def rate(now):
        if now == step:
            signal.raise_signal(signal.SIGINT)
        return 0.01

    return rate


@pytest.mark.parametrize("options", [{}, {"callbacks": [lambda *_: None]}])
def test_ctrl_c_in_a_schedule_keeps_weights_and_records(options):
    trainer = tw.Trainer(5, batch_size=1, seed=0, learning_rate=pressed_at(20_000))
    with pytest.raises(KeyboardInterrupt) as interrupt:
        trainer.fit(X, Y, epochs=100, record_every=200, **options)
    history = interrupt.value.history
    assert 10_000 < trainer.steps <= 20_000  # rates are asked ahead
    assert len(history.losses) == trainer.examples // 200
    np.testing.assert_array_equal(history.weights, trainer.weights)


class OutOfTimeError(ValueError):
    """Raised by a signal's handler; bad data raise ValueError too, and take all back."""


@pytest.fixture
def alarm():
    """Have SIGALRM raise."""

    def ring(*_):
        raise OutOfTimeError

    before = signal.signal(signal.SIGALRM, ring)
    yield
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("options", [{}, {"patience": NEVER_ENDS}])
def test_handlers_of_other_signals_keep_weights_and_records(options, alarm):
    trainer = tw.Trainer(5, seed=0)
    with pytest.raises(OutOfTimeError) as error, signalled(signal.SIGALRM, steps=10_000):
        trainer.fit(X, Y, epochs=NEVER_ENDS, **options)
    assert error.traceback[-1].name == "ring"
    assert trainer.steps >= 10_000
    assert trainer.loss(X, Y) < 1


@pytest.mark.parametrize("options", [{}, {"callbacks": [lambda *_: None]}])
def test_a_fault_of_a_schedule_takes_all_epochs_back(options):
    trainer = tw.Trainer(5, batch_size=1, seed=0, learning_rate=0.01)
    trainer.run_epoch(X, Y)
    before = trainer.weights
    trainer.learning_rate = lambda step: 0.01 if step < 9000 else -1.0
    with pytest.raises(ValueError, match="learning rate of step 9000 is -1"):
        trainer.fit(X, Y, epochs=20, **options)
    np.testing.assert_array_equal(trainer.weights, before)
    assert (trainer.steps, trainer.examples, trainer.epochs) == (1000, 1000, 1)
    assert np.isnan(trainer._state.start_loss)


def test_an_estimator_counts_the_epochs_before_ctrl_c():
    pytest.importorskip("sklearn")
    estimator = tw.SGDRegressor(epochs=NEVER_ENDS, random_state=0)
    with pytest.raises(KeyboardInterrupt), signalled(signal.SIGINT, steps=10_000):
        estimator.fit(X, Y)
    assert estimator.n_iter_ > 0


def test_a_trainer_is_not_saved_while_it_trains(tmp_path):
    trainer = tw.Trainer(5)

    def rate(step):
        trainer.save(tmp_path / "half.npz")
        return 0.01

    trainer.learning_rate = rate
    with pytest.raises(RuntimeError, match="training already"):
        trainer.run_epoch(X, Y)
    assert not list(tmp_path.iterdir())
