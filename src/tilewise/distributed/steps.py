"""Steps of all ranks, after which all have the same parameters: synchronous, or local and averaged.

Each function takes a step for each rate: with so many of the rank's own rows, of those of all.
"""

from collections.abc import Sequence

import numpy as np

from tilewise import _core
from tilewise._checks import Array
from tilewise.distributed.local_rows import LocalRows
from tilewise.distributed.ranks import Ranks
from tilewise.training.state import State


def synchronous_steps(
    state: State,
    ranks: Ranks,
    rows: LocalRows,
    own: Sequence[int],
    of_all: Sequence[int],
    rates: Array,
) -> None:
    """Take the steps of one process with the whole batches: the gradients are added up."""
    settings = state.settings.native
    sums = np.empty(state.parameters.size + 1, state.settings.dtype)  # and the count
    gradient = sums[:-1].reshape(state.parameters.shape)
    for count, total, rate in zip(own, of_all, rates, strict=True):
        with ranks.summed(sums):
            rows.sum_gradients(count, gradient)
            sums[-1] = count
        _core.apply_gradient(
            gradient, total, state.parameters, state.slots, state.counters, settings, rate
        )


def averaged_steps(
    state: State,
    ranks: Ranks,
    rows: LocalRows,
    own: Sequence[int],
    of_all: Sequence[int],
    rates: Array,
    every: int,
) -> None:
    """Take local steps, and after `every` of them, or at the end, average the models (local SGD).

    McDonald, Hall and Mann, "Distributed training strategies for the structured perceptron" (2010);
    Stich, "Local SGD converges fast and communicates little" (2019). A rank counts by the rows of
    its steps. What the optimizer keeps is averaged too.
    """
    settings, parameters, slots = state.settings.native, state.parameters, state.slots
    gradient = np.empty_like(parameters)
    sums = np.empty(parameters.size + slots.size + 1, state.settings.dtype)  # and the rows
    averaged = sums[: parameters.size].reshape(parameters.shape)
    averaged_slots = sums[parameters.size : -1].reshape(slots.shape)
    for first in range(0, len(own), every):
        window = slice(first, first + every)
        counters = state.counters + np.array([len(own[window]), sum(of_all[window])])
        with ranks.summed(sums):
            for count, rate in zip(own[window], rates[window], strict=True):
                if count > 0:
                    rows.sum_gradients(count, gradient)
                    _core.apply_gradient(
                        gradient, count, parameters, slots, state.counters, settings, rate
                    )
            averaged[...], averaged_slots[...], sums[-1] = parameters, slots, 1
            sums *= sum(own[window])
        sums /= sums[-1]
        parameters[...], slots[...], state.counters[:] = averaged, averaged_slots, counters
