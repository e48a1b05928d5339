"""What training changes: a model's parameters, and all that the next step depends on."""

from dataclasses import replace
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tilewise import _core
from tilewise._checks import Array, check_finite, check_float_array, converted
from tilewise.data.training_set import TrainingSet, aligned, check_matrix
from tilewise.training.settings import Rate, Settings

_INITIAL_STD = 0.01  # of the weights, as in d2l.ai, section 12.5


class _Alone:
    """A lock that is refused, not waited for."""

    def __init__(self) -> None:
        self._lock = Lock()

    def __enter__(self) -> None:
        """Take the lock."""
        if not self._lock.acquire(blocking=False):
            raise RuntimeError("the trainer is training already; use one trainer a thread")

    def __exit__(self, *error: object) -> None:
        """Give it back."""
        self._lock.release()


class State:
    """A model in training. `settings` is replaced where the learning rate changes."""

    ARRAYS = ("parameters", "slots", "counters", "random")
    _KEPT = ("values", "counters", "random")  # what they are views of

    def __init__(self, settings: Settings, initial_weights: ArrayLike | None = None) -> None:
        self.settings = settings
        shape = settings.parameters_shape
        count = 1 + settings.optimizer.slots + settings.average  # in this order
        self.values = np.zeros((count, *shape), settings.dtype)
        weights = _starting_weights(initial_weights, settings)
        self.parameters[:-1] = weights.reshape(settings.n_features, -1)
        self.counters = np.zeros(2, np.int64)  # steps and rows
        self.random = _core.Sampler(1, settings.sampling, settings.seed).state
        self.epochs = 0  # finished ones
        self.rows_into_epoch = 0  # of the next one, done before a checkpoint
        self.trained_on: dict[str, Any] = {}  # what a checkpoint tells of the data
        self.start_loss = float("nan")  # see DivergenceCheck in cpp/sgd
        self._training = _Alone()

    @cached_property
    def native(self) -> _core.State:
        """Settings and arrays for native code, which sees neither the rate nor the seed."""
        return _core.State(self.settings.native, self.values, self.counters)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what cannot be copied."""
        state = vars(self).copy()
        del state["_training"]
        state.pop("native", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the state, and a new lock. Arrays that joblib maps are read-only, so copied."""
        self._training = _Alone()
        arrays = {name: np.require(state[name], None, ["C", "W"]) for name in self._KEPT}
        self.restore(state | arrays)

    def alone(self) -> "_Alone":
        """Refuse a second thread, or a schedule that trains: they would share the arrays."""
        return self._training

    def set_rate(self, rate: Rate) -> None:
        """Set the learning rate of the next steps."""
        self.settings = replace(self.settings, learning_rate=rate)

    @property
    def parameters(self) -> Array:
        """The weights with the bias below them."""
        return self.values[0, ...]

    @property
    def slots(self) -> Array:
        """What training keeps beside the parameters, in arrays like them."""
        return self.values[1:]

    @property
    def average(self) -> Array:
        """The mean of the parameters, where it is kept."""
        return self.slots[-1, ...]

    @property
    def steps(self) -> int:
        """Steps so far."""
        return int(self.counters[0])

    @property
    def rows(self) -> int:
        """Rows seen so far."""
        return int(self.counters[1])

    @property
    def result(self) -> Array:
        """The parameters, or their average if it is kept."""
        averaged = self.settings.average and self.counters[0] > 0
        return self.average if averaged else self.parameters

    @property
    def weights(self) -> Array:
        """A copy of the weights."""
        return self.result[:-1].reshape(self.settings.weights_shape).copy()

    @property
    def bias(self) -> Any:
        """A float, or a copy of the biases."""
        last = self.result[-1]
        return float(last[0]) if self.settings.n_targets is None else last.copy()

    @property
    def is_finite(self) -> bool:
        """Whether no number is NaN or infinite."""
        return bool(np.isfinite(self.values).all())

    def predict(self, X: ArrayLike) -> Array:
        """Return what the model predicts; see `Trainer.predict`."""
        settings = self.settings
        X = check_matrix(X, settings.n_features, settings.dtype)
        predictions = _core.predict(aligned(X), self.native)
        return predictions[:, 0] if settings.n_targets is None else predictions

    def loss(self, rows: TrainingSet) -> float:
        """Return half the mean squared error."""
        return _core.mean_loss(rows.X, rows.y, rows.weights, self.native)

    @property
    def arrays(self) -> dict[str, Array]:
        """The arrays that training changes, as a checkpoint names them."""
        return {name: getattr(self, name) for name in self.ARRAYS}

    def copy(self) -> dict[str, Any]:
        """Return all that training changes, with copies of the arrays."""
        return self.__getstate__() | {name: getattr(self, name).copy() for name in self._KEPT}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to what `copy` returned, or a part; the arrays become those of the state."""
        vars(self).update(state)
        vars(self).pop("native", None)


def _starting_weights(initial_weights: ArrayLike | None, settings: Settings) -> Array:
    """Return the weights to begin with, which the training does not write to."""
    shape, dtype = settings.weights_shape, settings.dtype
    if initial_weights is None:
        return np.random.default_rng(settings.seed).normal(0, _INITIAL_STD, shape)
    given = check_float_array("initial_weights", initial_weights)
    if given.shape != shape:
        raise ValueError(f"initial_weights has shape {given.shape}; give shape {shape}")
    return converted("initial_weights", check_finite("initial_weights", given), dtype)
