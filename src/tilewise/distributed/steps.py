"""How the steps of all ranks become those of one model."""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import numpy as np

from tilewise import _core
from tilewise._checks import Array
from tilewise.distributed.local_rows import Draws
from tilewise.distributed.ranks import Ranks
from tilewise.training.state import State


class Steps(Protocol):
    """Takes steps; afterwards all ranks have the same parameters."""

    def take(self, draws: Draws, own: Sequence[int], all_: Sequence[int], rates: Array) -> None:
        """Take a step for each entry: with `own` rows of this rank and `all_` of all ranks."""


def steps_for(state: State, ranks: Ranks, average_every: int) -> Steps:
    """Return synchronous steps, or local ones that are averaged after so many."""
    if average_every == 1:
        return Synchronous(state, ranks)
    return Averaged(state, ranks, average_every)


class Synchronous:
    """Each step is that of one process with the whole batch: the gradients are added up."""

    def __init__(self, state: State, ranks: Ranks) -> None:
        self._state, self._ranks = state, ranks
        self._sums = np.empty(state.parameters.size + 1, state.settings.dtype)  # and the count
        self._gradient = self._sums[:-1].reshape(state.parameters.shape)

    def take(self, draws: Draws, own: Sequence[int], all_: Sequence[int], rates: Array) -> None:
        """See `Steps.take`."""
        state, sums = self._state, self._sums
        settings = state.settings.native
        for count, of_all, rate in zip(own, all_, rates, strict=True):
            self._ranks.sum_of(sums, partial(self._fill, draws, count))
            _core.apply_gradient(
                self._gradient, of_all, state.parameters, state.slots, state.counters,
                settings, rate,
            )  # fmt: skip

    def _fill(self, draws: Draws, count: int) -> None:
        draws.sum_gradients(count, self._gradient)
        self._sums[-1] = count


class Averaged:
    """Local SGD: each rank takes some steps on its own rows, and then the models are averaged.

    McDonald, Hall and Mann, "Distributed training strategies for the structured perceptron" (2010);
    Stich, "Local SGD converges fast and communicates little" (2019). A rank counts by the rows of
    its steps. What the optimizer keeps is averaged too.
    """

    def __init__(self, state: State, ranks: Ranks, every: int) -> None:
        self._state, self._ranks, self._every = state, ranks, every
        self._gradient = np.empty_like(state.parameters)
        size = state.parameters.size + state.slots.size
        self._sums = np.empty(size + 1, state.settings.dtype)  # and the rows

    def take(self, draws: Draws, own: Sequence[int], all_: Sequence[int], rates: Array) -> None:
        """See `Steps.take`; the last average may be after fewer steps."""
        counters = self._state.counters
        for first in range(0, len(own), self._every):
            window = slice(first, first + self._every)
            steps, rows = counters + np.array([len(own[window]), sum(all_[window])])
            work = partial(self._take_alone, draws, own[window], rates[window])
            self._ranks.sum_of(self._sums, work)
            self._sums /= self._sums[-1]
            parameters, slots = self._parts()
            self._state.parameters[...], self._state.slots[...] = parameters, slots
            counters[:] = steps, rows

    def _take_alone(self, draws: Draws, own: Sequence[int], rates: Array) -> None:
        state, settings = self._state, self._state.settings.native
        for count, rate in zip(own, rates, strict=True):
            if count == 0:
                continue
            draws.sum_gradients(count, self._gradient)
            _core.apply_gradient(
                self._gradient, count, state.parameters, state.slots, state.counters,
                settings, rate,
            )  # fmt: skip
        parameters, slots = self._parts()
        parameters[...], slots[...] = state.parameters, state.slots
        self._sums[-1] = 1
        self._sums *= sum(own)

    def _parts(self) -> tuple[Array, Array]:
        size = self._state.parameters.size
        parameters, slots = self._sums[:size], self._sums[size:-1]
        return (
            parameters.reshape(self._state.parameters.shape),
            slots.reshape(self._state.slots.shape),
        )
