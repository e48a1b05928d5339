"""Where the rows of an epoch come from, and how they are trained on: what the one loop asks."""

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Protocol

import numpy as np

from tilewise import _core
from tilewise.data.buffers import Buffers
from tilewise.data.dataset import Dataset
from tilewise.data.training_set import TrainingSet
from tilewise.timing import Timer
from tilewise.training.history import Records
from tilewise.training.native import run
from tilewise.training.state import State

Done = Generator[int, None, None]  # of rows


class Source(Protocol):
    """Rows, and the way to train on them. The loop calls `train` when the state is `alone`.

    Bad data and bad schedules take an epoch back. Where `takes_back`, so does any other error;
    else what is good is kept, as after Ctrl-C.
    """

    takes_back: bool

    @property
    def n_rows(self) -> int | None:
        """Rows of an epoch, if that is known."""

    def train(self, state: State, records: Records, epochs: int, last: bool) -> Done:
        """Train for `epochs` epochs: 1 unless the rows are in memory; count them.

        Yields the rows done since the last yield. `last`: no epoch follows.
        """

    def finish(self, state: State, records: Records, restored: bool) -> None:
        """Do what comes after the last epoch; `restored`: the weights are those of another."""


class InMemory:
    """Rows in memory. Where nothing is to do between epochs, all are one native call."""

    takes_back = False

    def __init__(
        self, rows: TrainingSet, record_every: int = 0, validation: TrainingSet | None = None
    ) -> None:
        self.n_rows = len(rows.X)
        self._rows, self._record_every = rows, record_every  # 0: never
        self._validation = validation or rows

    def train(self, state: State, records: Records, epochs: int, last: bool) -> Done:
        """See `Source.train`."""
        begun, steps_per_epoch = state.steps, -(-self.n_rows // state.settings.batch_size)
        record_end = last and self._record_every > 0
        schedule = _core.Schedule(epochs, self._record_every, record_end, state.start_loss)
        try:
            run(state, self._rows, records, schedule)
        finally:
            state.epochs += (state.steps - begun) // steps_per_epoch
        yield epochs * self.n_rows

    def loss(self, state: State) -> float:
        """Return the loss to report after an epoch, and to stop early by."""
        return state.loss(self._validation)

    def finish(self, state: State, records: Records, restored: bool) -> None:
        """Record the end, unless it is recorded; its loss is that of the weights kept."""
        if not self._record_every:
            return
        if records.examples[-1:] != [state.rows]:
            records.add(state.loss(self._rows), state.rows)
        elif restored:
            records.losses[-1] = state.loss(self._rows)


class Streamed:
    """Rows that are read meanwhile, with a record for each buffer: its loss after training on it.

    Batches of rows come in random order, and native code samples inside a buffer; with
    ``sampling='sequential'`` all come in order.
    """

    takes_back = False

    def __init__(self, rows: Dataset, batch_size: int, *, records: bool) -> None:
        self.n_rows = rows.n_rows
        self._buffers, self._records = Buffers(rows, batch_size), records

    def train(self, state: State, records: Records, epochs: int, last: bool) -> Done:
        """See `Source.train`; one epoch."""
        random = None
        if state.settings.sampling != "sequential":
            random = np.random.default_rng([state.settings.seed, state.rows])
        try:
            with closing(self._buffers.epoch(random)) as buffers:
                while (rows := _timed_next(buffers, records)) is not None:
                    run(state, rows, records, _core.Schedule(1, 0, self._records, state.start_loss))
                    yield len(rows.X)
        finally:
            records.faulty = records.faulty or self._buffers.failed
        state.epochs += 1

    def finish(self, state: State, records: Records, restored: bool) -> None:
        """See `Source.finish`; the last buffer was recorded."""


def _timed_next(buffers: Iterator[TrainingSet], records: Records) -> TrainingSet | None:
    """Return the next buffer; the wait for it counts as training time."""
    timer = Timer()
    rows = next(buffers, None)
    records.total_seconds += timer.stop()
    return rows
