"""A fit on several ranks, each with rows of its own."""

from contextlib import closing
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tilewise.data.dataset import Dataset
from tilewise.data.training_set import TrainingSet
from tilewise.distributed.alike import make_alike
from tilewise.distributed.draws import Draws, LocalRows
from tilewise.distributed.ranks import Ranks
from tilewise.distributed.shares import rows_among
from tilewise.distributed.steps import steps_for
from tilewise.schedules import Schedule, rate_block
from tilewise.timing import Timer
from tilewise.training import checkpoint
from tilewise.training.history import History, Records
from tilewise.training.loop import train
from tilewise.training.native import divergence, resolved_rate
from tilewise.training.settings import FitOptions, refuse
from tilewise.training.sources import Done
from tilewise.training.state import State

_BLOCK = 1024  # steps between two looks at the parameters
_FEW = 1024  # rows that tell of a divergence before a checkpoint
_DIVERGED = 1e6  # times the loss at the start, or of zeros


def fit_on_ranks(
    state: State,
    X: ArrayLike | Dataset,
    y: ArrayLike | None,
    sample_weight: ArrayLike | None,
    options: FitOptions,
) -> History:
    """Train the models of all ranks alike, each on its own rows."""
    ranks = Ranks(options.comm)
    try:
        with ranks.agreed():
            options.refuse_in_memory_only("comm or checkpoint")
            refuse("sample_weight", sample_weight, "comm or checkpoint")
            data = state.settings.rows(X, y)
            if options.checkpoint is not None:
                checkpoint.check_rate(state.settings.learning_rate)
            shown = replace(options, progress=options.progress and ranks.rank == 0)
        shared = {name: getattr(options, name) for name in ("epochs", "average_every")}
        saves = options.checkpoint is not None
        shared |= {"checkpoint_every": options.checkpoint_every, "checkpoint": saves}
        with state.alone():
            make_alike(state, ranks, shared)
            job = Job(state, data, ranks, options)
        return train(state, job, shown).history(state)
    except BaseException as error:
        ranks.abort_unless_agreed(error)
        raise


class Job:
    """The rows of all ranks, trained on together: a source of the loop."""

    takes_back = True  # all ranks have the same model where the epoch began

    def __init__(
        self, state: State, data: TrainingSet | Dataset, ranks: Ranks, options: FitOptions
    ) -> None:
        self._ranks, self._options = ranks, options
        with ranks.agreed():
            self._local = LocalRows(data, state.settings)
        self._sizes: list[int] = ranks.allgather(self._local.n_rows)
        self.n_rows = sum(self._sizes)
        with ranks.agreed():
            self._check_checkpoint(state)
        state.trained_on = {**state.trained_on, "rows": self.n_rows}
        self._batch_size = min(state.settings.batch_size, self.n_rows)
        self._steps = steps_for(state, ranks, options.average_every)
        self._most_loss = float("inf")

    def train(self, state: State, records: Records, epochs: int, last: bool) -> Done:
        """See `Source.train`; one epoch, or the rest of one that a checkpoint cut short."""
        timer = Timer()
        with closing(self._local.draws(state, (self._ranks.rank, state.epochs))) as draws:
            self._begin(state, draws)
            total = -(-self.n_rows // self._batch_size)
            step = -(-state.rows_into_epoch // self._batch_size)
            while step < total:
                before = state.rows_into_epoch
                step = self._take_block(state, draws, step, total)
                self._look(state, draws, records)
                records.rows += state.rows_into_epoch - before
                records.total_seconds += timer.stop()
                yield state.rows_into_epoch - before
                timer.start()
            self._record(state, draws, records)
        state.epochs, state.rows_into_epoch = state.epochs + 1, 0

    def finish(self, state: State, records: Records, restored: bool) -> None:
        """Save the end."""
        with self._ranks.agreed():
            self._save(state)

    def _check_checkpoint(self, state: State) -> None:
        done, rows = state.rows_into_epoch, state.trained_on.get("rows")
        if done and rows != self.n_rows:
            raise ValueError(
                f"the checkpoint is {done} rows into an epoch of {rows}, but there are "
                f"{self.n_rows}; give the rows that it was trained on"
            )

    def _begin(self, state: State, draws: Draws) -> None:
        ranks = self._ranks
        done = np.array([state.rows_into_epoch])
        with ranks.agreed():
            draws.begin_piece()
        with ranks.agreed():
            draws.skip(int(rows_among(done, ranks.rank, self._sizes)[0]))
        if isinstance(state.settings.learning_rate, str):
            with ranks.agreed():
                own = resolved_rate(state, draws.piece)
            state.set_rate(min(ranks.allgather(own)))
        if np.isinf(self._most_loss):
            y = draws.piece.y
            of_zeros = float(np.square(y, dtype=np.float64).sum()) / 2 / len(y)
            start = max(ranks.allgather(max(state.loss(draws.piece), of_zeros)))
            self._most_loss = _DIVERGED * start or np.inf  # labels of 0 alone tell nothing

    def _take_block(self, state: State, draws: Draws, step: int, total: int) -> int:
        """Take steps of the epoch until the next look, and return the number of the next one."""
        last = min(self._block_end(state, step), total)
        rows = np.minimum(np.arange(step, last + 1) * self._batch_size, self.n_rows)
        own = np.diff(rows_among(rows, self._ranks.rank, self._sizes))
        with self._ranks.agreed():
            rates = _rates(state, last - step)
        if not isinstance(state.settings.learning_rate, float | Schedule):
            of_all = self._ranks.allgather(rates)
            with self._ranks.agreed():
                _check_alike(of_all)
        self._steps.take(draws, own.tolist(), np.diff(rows).tolist(), rates)
        state.rows_into_epoch = int(rows[-1])
        return last

    def _block_end(self, state: State, step: int) -> int:
        """Return where a block ends: after whole averages, wherever the training began."""
        every = self._options.average_every
        length = max(_BLOCK // every, 1) * every
        last = (step // length + 1) * length
        if self._options.checkpoint is None:
            return last
        interval = self._options.checkpoint_every
        until_due = interval - state.steps % interval
        return min(last, step + -(-until_due // every) * every)

    def _look(self, state: State, draws: Draws, records: Records) -> None:
        """Raise if the training has diverged; else the model of rank 0 becomes that of all."""
        options = self._options
        due = options.checkpoint is not None
        due = due and state.steps % options.checkpoint_every < options.average_every
        losses = self._ranks.allgather(state.loss(draws.piece.first(_FEW))) if due else []
        with self._ranks.agreed():
            if not (state.is_finite and all(loss <= self._most_loss for loss in losses)):
                raise divergence(state, draws.piece, records, state.rows)
            if due:
                self._save(state)
        self._ranks.bcast(state.parameters)
        self._ranks.bcast(state.slots)

    def _save(self, state: State) -> None:
        if self._options.checkpoint is not None and self._ranks.rank == 0:
            checkpoint.write_over(state, self._options.checkpoint)

    def _record(self, state: State, draws: Draws, records: Records) -> None:
        with self._ranks.agreed():
            sums = np.array(draws.loss())
        self._ranks.allreduce(sums)
        loss = float(sums[0] / sums[1])
        with self._ranks.agreed():
            if not loss <= self._most_loss:
                raise divergence(state, draws.piece, records, state.rows)
        records.add(loss, state.rows)


def _rates(state: State, count: int) -> NDArray[np.float64]:
    rate = state.settings.learning_rate
    if isinstance(rate, float | str):  # 'auto' is a number by now
        return np.full(count, rate)
    steps = state.counters[0] + np.arange(count)
    return rate_block(rate, steps, np.full(count, state.epochs))


def _check_alike(rates: list[NDArray[np.float64]]) -> None:
    """Raise if functions for the learning rate differ: their names may be alike."""
    for rank, own in enumerate(rates):
        if not np.array_equal(own, rates[0]):
            at = int(np.argmax(own != rates[0]))
            raise ValueError(
                f"rank {rank} has the learning rate {own[at]}, but rank 0 {rates[0][at]} for the "
                "same step; make the functions alike"
            )
