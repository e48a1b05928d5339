"""The native trainer with all that it changes: what `Trainer` wraps."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from tilewise import _core
from tilewise._checks import Array, check_finite, check_float_array
from tilewise.data.training_set import Examples
from tilewise.schedules import rate_block
from tilewise.training.auto_rate import largest_rates, momentum_factor
from tilewise.training.history import DivergenceError, History
from tilewise.training.settings import Config, Rate

__all__ = ["Engine", "Records", "starting_weights"]

EngineState = tuple[dict[str, Array], int, int, float]
_INITIAL_STD = 0.01  # of the weights, as in d2l.ai, section 12.5


@dataclass
class Records:
    """Losses over time, of one or several calls of the engine."""

    losses: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    examples: list[int] = field(default_factory=list)
    total_seconds: float = 0.0
    epochs: float = 0.0  # done, with the part of one that was cut short
    faulty: bool = False  # a schedule raised
    start_loss: float = float("nan")  # for the next call; see DivergenceCheck in cpp/sgd

    def add(
        self,
        losses: list[float],
        seconds: list[float],
        examples: list[int],
        total_seconds: float,
        epochs: float,
        start_loss: float,
    ) -> None:
        """Append the records of a call that began after those so far."""
        self.losses += losses
        self.seconds += [self.total_seconds + second for second in seconds]
        self.examples += examples
        self.total_seconds += total_seconds
        self.epochs += epochs
        self.start_loss = start_loss


class Engine:
    """A model's parameters and everything else that training changes."""

    ARRAYS = ("parameters", "slots", "counters", "random")

    def __init__(self, config: Config, rate: Rate, weights: Array) -> None:
        self.config = config
        self.rate = rate
        self.parameters = np.zeros(config.parameters_shape, config.dtype)
        self.parameters[:-1] = weights.reshape(config.n_features, -1)
        slots = config.optimizer.slots + config.average
        self.slots = np.zeros((slots, *config.parameters_shape), config.dtype)
        self.counters = np.zeros(2, np.int64)  # steps and examples
        self.epochs = 0  # finished ones
        self.epoch_examples = 0  # of the next one, done before a checkpoint of several ranks
        self.trained_on: dict[str, Any] = {}  # what a checkpoint tells of the data
        self.start_loss = float("nan")  # see Records
        self.random = _core.Sampler(1, config.sampling, config.seed).state
        self._training = Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the lock, which cannot be copied."""
        return {name: value for name, value in vars(self).items() if name != "_training"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the state, with a lock of its own."""
        vars(self).update(state, _training=Lock())

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Refuse a second thread, or a schedule that trains: they would share the arrays."""
        if not self._training.acquire(blocking=False):
            raise RuntimeError("the trainer is training already; use one trainer a thread")
        try:
            yield
        finally:
            self._training.release()

    @property
    def result(self) -> Array:
        """The weights with the bias below them: averaged ones, if the model is averaged."""
        averaged = self.config.average and self.counters[0] > 0
        return np.ascontiguousarray(self.slots[-1]) if averaged else self.parameters

    @property
    def weights(self) -> Array:
        """A copy of the weights."""
        return self.result[:-1].reshape(self.config.weights_shape).copy()

    @property
    def bias(self) -> Any:
        """A float, or a copy of the biases."""
        last = self.result[-1]
        return float(last[0]) if self.config.n_targets is None else last.copy()

    def loss(self, examples: Examples) -> float:
        """Return half the mean squared error."""
        return _core.mean_loss(examples.X, examples.y, examples.weights, self.result)

    def step(self, examples: Examples) -> None:
        """Take one step on all examples; see `Trainer.step`."""
        with self.alone():
            self._step(examples)

    def _step(self, examples: Examples) -> None:
        rate = self.resolved_rate(examples)
        if not isinstance(rate, float):
            rate = float(rate_block(rate, self.counters[:1], np.array([self.epochs]))[0])
        before = self.copy()
        _core.step(
            examples.X, examples.y, examples.weights, self.parameters, self.slots, self.counters,
            self.config.native, rate,
        )  # fmt: skip
        if not (np.isfinite(self.parameters).all() and np.isfinite(self.slots).all()):
            self.restore(before)
            examples.check_finite()
            diverged_at = int(self.counters[1]) + len(examples.X)
            raise self.divergence(examples, Records(), diverged_at)

    def train(
        self, examples: Examples, epochs: int, records: Records, record_every: int, record_end: bool
    ) -> None:
        """Train for some epochs, and add to the records; see `Trainer.fit` for what it raises."""
        with self.alone():
            self._train(examples, epochs, records, record_every, record_end)

    def _train(
        self, examples: Examples, epochs: int, records: Records, record_every: int, record_end: bool
    ) -> None:
        steps_per_epoch = -(-len(examples.X) // self.config.batch_size)
        rates = self._native_rates(examples, steps_per_epoch, records)
        begun = int(self.counters[0])
        try:
            self._run(examples, epochs, rates, records, record_every, record_end)
        finally:
            self.epochs += (int(self.counters[0]) - begun) // steps_per_epoch

    def train_part(self, examples: Examples, records: Records, record_end: bool) -> None:
        """Train on a part of an epoch. The caller is `alone`, and counts the epochs."""
        rates = self._native_rates(examples, -(-len(examples.X) // self.config.batch_size), records)
        self._run(examples, 1, rates, records, 0, record_end)

    def _run(
        self,
        examples: Examples,
        epochs: int,
        rates: Any,
        records: Records,
        record_every: int,
        record_end: bool,
    ) -> None:
        if self.config.sampling == "replacement":  # may miss a bad row
            examples.check_finite()
        self.epoch_examples = 0
        n = len(examples.X)
        row_bytes = examples.X[0].nbytes  # not the stride: the same rows have the same order
        sampler = _core.Sampler(n, self.config.sampling, self.config.seed, row_bytes)
        sampler.state = self.random
        before = self.copy()
        plan = _core.Plan(epochs, record_every, record_end, self.start_loss)
        try:
            diverged_at = _core.train(
                examples.X, examples.y, examples.weights, self.parameters, self.slots,
                self.counters, self.config.native, rates, sampler, plan, records.add,
            )  # fmt: skip
        except BaseException as error:
            if records.faulty:
                self.restore(before)
                raise
            self.random, self.start_loss = sampler.state, records.start_loss
            error.history = self.history(records)  # type: ignore[attr-defined]
            raise
        self.random, self.start_loss = sampler.state, records.start_loss
        if diverged_at:
            good = self.copy()
            self.restore(before)
            examples.check_finite()
            self.restore(good)
            raise self.divergence(examples, records, diverged_at)

    def history(self, records: Records) -> History:
        """Return the records with the model as it is."""
        return History(
            losses=np.asarray(records.losses, np.float64),
            seconds=np.asarray(records.seconds, np.float64),
            examples=np.asarray(records.examples, np.int64),
            seconds_per_epoch=records.total_seconds / records.epochs if records.epochs else 0.0,
            weights=self.weights,
            bias=self.bias,
            seed=self.config.seed,
        )

    @property
    def arrays(self) -> dict[str, Array]:
        """The arrays that training changes."""
        return {name: getattr(self, name) for name in self.ARRAYS}

    def copy(self) -> EngineState:
        """Return a copy of all that training changes."""
        arrays = {name: array.copy() for name, array in self.arrays.items()}
        return arrays, self.epochs, self.epoch_examples, self.start_loss

    def restore(self, state: EngineState) -> None:
        """Go back to what `copy` returned."""
        arrays, self.epochs, self.epoch_examples, self.start_loss = state
        for name, own in self.arrays.items():
            own[:] = arrays[name]

    def resolved_rate(self, examples: Examples) -> Any:
        """Return the learning rate; 'auto' becomes a number."""
        if isinstance(self.rate, str):
            examples.check_finite()
            config = self.config
            rate = self._largest_rates(examples)[1] / 2
            rate *= 1 - config.optimizer.hyperparameters.get("momentum", 0.0)
            if not config.dtype.type(rate) > 0:
                raise ValueError(
                    f"learning_rate='auto' is {rate:.3g} for this X, too small for {config.dtype}; "
                    "scale X, as tilewise.data.standardize does"
                )
            self.rate = rate
        return self.rate

    def _native_rates(self, examples: Examples, steps_per_epoch: int, records: Records) -> Any:
        rate = self.resolved_rate(examples)
        if isinstance(rate, float):
            return rate
        begun, finished = int(self.counters[0]), self.epochs

        def rates(first: int, count: int) -> Array:
            steps = np.arange(first, first + count)
            try:
                return rate_block(rate, steps, finished + (steps - begun) // steps_per_epoch)
            except Exception:
                records.faulty = True
                raise

        return rates

    def _largest_rates(self, examples: Examples) -> tuple[float, float]:
        config = self.config
        return largest_rates(
            examples.X, config.batch_size, config.sampling, examples.weights, config.weight_decay
        )

    def divergence(self, examples: Examples, records: Records, diverged_at: int) -> DivergenceError:
        """Return the error for a divergence, seen when so many examples were done."""
        config = self.config
        rate = getattr(self.rate, "__name__", self.rate)  # a function's name
        if config.scales_gradient:
            limit = np.sqrt(np.finfo(config.dtype).max)
            why = f"or scale X and y: squares of gradients overflow {config.dtype} at {limit:.1e}"
        else:
            full, minibatch = self._largest_rates(examples)
            if config.batch_size >= len(examples.X):
                limit = full * momentum_factor(config.optimizer)
                why = f"on all rows at once {config.optimizer.name} is stable below {limit:.3g}"
            else:
                why = f"plain SGD with this batch size is stable below {minibatch:.3g}"
        return DivergenceError(
            f"learning_rate={rate} is too large: training diverged within {diverged_at} "
            f"examples; use a smaller one ({why})",
            self.history(records),
        )


def starting_weights(
    initial_weights: ArrayLike | None, shape: tuple[int, ...], dtype: DTypeLike, seed: int
) -> Array:
    """Return a fresh array for the training to write to."""
    if initial_weights is None:
        drawn = np.random.default_rng(seed).normal(0, _INITIAL_STD, shape)
        return np.asarray(drawn, dtype)
    given = check_float_array("initial_weights", initial_weights)
    if given.shape != shape:
        raise ValueError(f"initial_weights has shape {given.shape}; give shape {shape}")
    check_finite("initial_weights", given)
    with np.errstate(over="ignore"):  # found below
        converted = given.astype(dtype)
    return check_finite(f"initial_weights.astype({np.dtype(dtype)})", converted)
