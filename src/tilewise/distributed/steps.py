"""Steps of all ranks, after which all have the same parameters: synchronous, or local and averaged.

`steps` holds for each step how many rows of its batch are the rank's, how many there are, and the
learning rate.
"""

from collections.abc import Sequence

import numpy as np

from tilewise import _core
from tilewise.distributed.local_rows import LocalRows
from tilewise.distributed.ranks import Ranks
from tilewise.training.state import State

Steps = Sequence[tuple[int, int, float]]


def synchronous_steps(state: State, ranks: Ranks, rows: LocalRows, steps: Steps) -> None:
    """Take the steps of one process with the whole batches: the gradients are added up."""
    sums = np.empty(state.parameters.size + 1, state.settings.dtype)  # and the count
    gradient = sums[:-1].reshape(state.parameters.shape)
    for own, of_all, rate in steps:
        with ranks.summed(sums):
            rows.sum_gradients(own, gradient)
            sums[-1] = own
        _core.apply_gradient(gradient, of_all, state.native, rate)


def steps_alone(state: State, ranks: Ranks, rows: LocalRows, steps: Steps) -> None:
    """Take the steps of the only rank: in native code, but for batches that lie in two pieces."""
    taken = 0
    while taken < len(steps):
        if count := rows.take_steps(steps[taken:]):
            taken += count
        else:
            synchronous_steps(state, ranks, rows, steps[taken : taken + 1])
            taken += 1


def averaged_steps(state: State, ranks: Ranks, rows: LocalRows, steps: Steps, every: int) -> None:
    """Take local steps, and after `every` of them, or at the end, average the models (local SGD).

    McDonald, Hall and Mann, "Distributed training strategies for the structured perceptron" (2010);
    Stich, "Local SGD converges fast and communicates little" (2019). A rank counts by the rows of
    its steps. What the optimizer keeps is averaged too.
    """
    gradient = np.empty_like(state.parameters)
    sums = np.empty(state.values.size + 1, state.settings.dtype)  # and the rows
    averaged = sums[:-1].reshape(state.values.shape)
    for first in range(0, len(steps), every):
        window = steps[first : first + every]
        rows_of_all = sum(of_all for _, of_all, _ in window)
        counters = state.counters + np.array([len(window), rows_of_all])
        with ranks.summed(sums):
            for own, _, rate in window:
                if own > 0:
                    rows.sum_gradients(own, gradient)
                    _core.apply_gradient(gradient, own, state.native, rate)
            averaged[...], sums[-1] = state.values, 1
            sums *= sum(own for own, _, _ in window)
        sums /= sums[-1]
        state.values[...], state.counters[:] = averaged, counters
