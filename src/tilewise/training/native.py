"""Steps and epochs in native code, on rows in memory."""

from typing import Any

import numpy as np

from tilewise import _core
from tilewise._checks import Array
from tilewise.data.training_set import TrainingSet
from tilewise.schedules import rate_block
from tilewise.training.auto_rate import largest_rates, momentum_factor, stable_rate
from tilewise.training.history import DivergenceError, Records
from tilewise.training.state import State


def step(state: State, rows: TrainingSet) -> None:
    """Take one step on all rows; see `Trainer.step`."""
    with state.alone():
        rate = resolved_rate(state, rows)
        if not isinstance(rate, float):
            rate = float(rate_block(rate, state.counters[:1], np.array([state.epochs]))[0])
        if not _core.step(rows.X, rows.y, rows.weights, state.native, rate):
            rows.check_finite()
            raise divergence(state, rows, Records(), state.rows + len(rows.X))


def run(state: State, rows: TrainingSet, records: Records, schedule: _core.Schedule) -> None:
    """Train for the epochs of a schedule, and add to the records. The caller is `alone`.

    After bad data or a bad schedule the records are faulty: then the caller goes back.
    """
    settings = state.settings
    if settings.sampling == "replacement":  # may miss a bad row
        _check_finite(rows, records)
    rates = _native_rates(state, rows, records)
    row_bytes = rows.X[0].nbytes  # not the stride: the same rows have the same order
    sampler = _core.Sampler(len(rows.X), settings.sampling, settings.seed, row_bytes)
    sampler.state = state.random
    try:
        call, interrupt = _core.train(
            rows.X, rows.y, rows.weights, state.native, rates, sampler, schedule
        )
        records.add_call(call)
    finally:
        state.random, state.start_loss = sampler.state, records.start_loss
    if interrupt is not None:
        raise interrupt
    if call.diverged_at:
        _check_finite(rows, records)
        raise divergence(state, rows, records, call.diverged_at)


def _check_finite(rows: TrainingSet, records: Records) -> None:
    try:
        rows.check_finite()
    except ValueError:
        records.faulty = True
        raise


def resolved_rate(state: State, rows: TrainingSet) -> Any:
    """Return the learning rate; 'auto' becomes a number."""
    settings = state.settings
    if isinstance(settings.learning_rate, str):
        batches = settings.batch_size, settings.sampling, settings.weight_decay
        rate = stable_rate(rows, *batches) / 2
        rate *= 1 - settings.optimizer.hyperparameters.get("momentum", 0.0)
        if not settings.dtype.type(rate) > 0:
            raise ValueError(
                f"learning_rate='auto' is {rate:.3g} for this X, too small for {settings.dtype}; "
                "scale X, as tilewise.data.standardize does"
            )
        state.set_rate(rate)
    return state.settings.learning_rate


def divergence(
    state: State, rows: TrainingSet, records: Records, diverged_at: int
) -> DivergenceError:
    """Return the error for a divergence, seen when so many rows were done."""
    settings = state.settings
    rate = getattr(settings.learning_rate, "__name__", settings.learning_rate)  # a function's name
    if settings.optimizer.scales_gradient:
        limit = np.sqrt(np.finfo(settings.dtype).max)
        why = f"or scale X and y: squares of gradients overflow {settings.dtype} at {limit:.1e}"
    else:
        full, minibatch = _largest_rates(state, rows)
        if settings.batch_size >= len(rows.X):
            limit = full * momentum_factor(settings.optimizer)
            why = f"on all rows at once {settings.optimizer.name} is stable below {limit:.3g}"
        else:
            why = f"plain SGD with this batch size is stable below {minibatch:.3g}"
    return DivergenceError(
        f"learning_rate={rate} is too large: training diverged within {diverged_at} "
        f"examples; use a smaller one ({why})",
        records.history(state),
    )


def _native_rates(state: State, rows: TrainingSet, records: Records) -> Any:
    """Return a number, or what gives the rates of `count` steps from `first` on."""
    rate = resolved_rate(state, rows)
    if isinstance(rate, float):
        return rate
    begun, finished = state.steps, state.epochs
    steps_per_epoch = -(-len(rows.X) // state.settings.batch_size)

    def rates(first: int, count: int) -> Array:
        steps = np.arange(first, first + count)
        try:
            return rate_block(rate, steps, finished + (steps - begun) // steps_per_epoch)
        except Exception:
            records.faulty = True
            raise

    return rates


def _largest_rates(state: State, rows: TrainingSet) -> tuple[float, float]:
    settings = state.settings
    return largest_rates(
        rows.X, settings.batch_size, settings.sampling, rows.weights, settings.weight_decay
    )
