"""A fit on several ranks, each with rows of its own."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tilewise.data.dataset import Dataset
from tilewise.data.training_set import TrainingSet
from tilewise.distributed.apportionment import rows_among
from tilewise.distributed.local_rows import LocalRows
from tilewise.distributed.ranks import Ranks
from tilewise.distributed.steps import averaged_steps, steps_alone, synchronous_steps
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
            local = LocalRows(state.settings.rows(X, y), state, ranks.rank)
            if options.checkpoint is not None:
                checkpoint.check_rate(state.settings.learning_rate)
            shown = replace(options, progress=options.progress and ranks.rank == 0)
        with state.alone():
            _make_alike(state, ranks, options)
            job = Job(state, local, ranks, options)
        return train(state, job, shown).history(state)
    except BaseException as error:
        ranks.abort_unless_agreed(error)
        raise


def _make_alike(state: State, ranks: Ranks, options: FitOptions) -> None:
    """Raise if ranks differ in their settings, and give all the model and the seed of rank 0."""
    settings = state.settings
    rate, optimizer = settings.learning_rate, settings.optimizer
    comparable = isinstance(rate, float | str | Schedule)  # of functions, the names and the rates
    may_differ = dict.fromkeys(("seed", "comm", "progress", "tolerance"))
    ranks.check_alike(
        {
            **vars(settings),
            **vars(options),
            **may_differ,
            "optimizer": (optimizer.name, *optimizer.hyperparameters.items()),
            "learning_rate": str(rate) if comparable else _name_of(rate),
            "checkpoint": options.checkpoint is not None,
        }
    )
    progress = settings.seed, state.epochs, state.rows_into_epoch, state.trained_on
    seed, state.epochs, state.rows_into_epoch, state.trained_on = ranks.allgather(progress)[0]
    state.settings = replace(settings, seed=seed)
    for array in (state.values, state.counters):
        ranks.bcast(array)


def _name_of(rate: Any) -> str:
    return str(getattr(rate, "__name__", type(rate).__name__))  # of an object, its class's


class Job:
    """The rows of all ranks, trained on together: a source of the loop."""

    takes_back = True  # all ranks have the same model where the epoch began

    def __init__(self, state: State, local: LocalRows, ranks: Ranks, options: FitOptions) -> None:
        self._local, self._ranks, self._options = local, ranks, options
        self._sizes: list[int] = ranks.allgather(local.n_rows)
        self.n_rows = sum(self._sizes)
        done, rows = state.rows_into_epoch, state.trained_on.get("rows")
        with ranks.agreed():
            if done and rows != self.n_rows:
                raise ValueError(
                    f"the checkpoint is {done} rows into an epoch of {rows}, but there are "
                    f"{self.n_rows}; give the rows that it was trained on"
                )
        state.trained_on = {**state.trained_on, "rows": self.n_rows}
        self._batch_size = min(state.settings.batch_size, self.n_rows)
        self._most_loss = float("inf")

    def train(self, state: State, records: Records, epochs: int, last: bool) -> Done:
        """See `Source.train`; one epoch, or the rest of one that a checkpoint cut short."""
        timer = Timer()
        with self._local.epoch():
            self._begin(state)
            while (before := state.rows_into_epoch) < self.n_rows:
                self._take_block(state)
                self._look(state, records)
                records.rows += state.rows_into_epoch - before
                records.total_seconds += timer.stop()
                yield state.rows_into_epoch - before
                timer.start()
            self._record(state, records)
        state.epochs, state.rows_into_epoch = state.epochs + 1, 0

    def finish(self, state: State, records: Records, restored: bool) -> None:
        """Save the end."""
        with self._ranks.agreed():
            self._save(state)

    def _begin(self, state: State) -> None:
        """Read the first rows that are not done; find the rate and the loss of a divergence."""
        ranks, local = self._ranks, self._local
        automatic = isinstance(state.settings.learning_rate, str)
        done = np.array([state.rows_into_epoch])
        with ranks.agreed():
            local.begin(int(rows_among(done, ranks.rank, self._sizes)[0]))
            rate = resolved_rate(state, local.piece)
        if automatic:  # each rank found its own
            state.set_rate(min(ranks.allgather(rate)))
        if np.isinf(self._most_loss):
            y = local.piece.y
            of_zeros = float(np.square(y, dtype=np.float64).sum()) / 2 / len(y)
            start = max(ranks.allgather(max(state.loss(local.piece), of_zeros)))
            self._most_loss = _DIVERGED * start or np.inf  # labels of 0 alone tell nothing

    def _take_block(self, state: State) -> None:
        """Take the steps of the epoch until the next look."""
        size, every = self._batch_size, self._options.average_every
        step = -(-state.rows_into_epoch // size)
        last = min(self._block_end(state, step), -(-self.n_rows // size))
        rows = np.minimum(np.arange(step, last + 1) * size, self.n_rows)
        own = np.diff(rows_among(rows, self._ranks.rank, self._sizes))
        rates = self._rates(state, last - step)
        steps = list(zip(own.tolist(), np.diff(rows).tolist(), rates.tolist(), strict=True))
        if every > 1:
            averaged_steps(state, self._ranks, self._local, steps, every)
        elif self._ranks.size > 1:
            synchronous_steps(state, self._ranks, self._local, steps)
        else:
            steps_alone(state, self._ranks, self._local, steps)
        state.rows_into_epoch = int(rows[-1])

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

    def _rates(self, state: State, count: int) -> NDArray[np.float64]:
        """Return the rates of the next steps, the same on all ranks."""
        rate = state.settings.learning_rate
        if not (isinstance(rate, Schedule) or callable(rate)):
            return np.full(count, float(rate))
        steps = state.counters[0] + np.arange(count)
        with self._ranks.agreed():
            rates = rate_block(rate, steps, np.full(count, state.epochs))
        if not isinstance(rate, Schedule):
            names = [f"learning_rate({step})" for step in steps]
            self._ranks.check_alike(dict(zip(names, rates.tolist(), strict=True)))
        return rates

    def _look(self, state: State, records: Records) -> None:
        """Raise if the training has diverged; else the model of rank 0 becomes that of all."""
        options, piece = self._options, self._local.piece
        due = options.checkpoint is not None
        due = due and state.steps % options.checkpoint_every < options.average_every
        few = TrainingSet(piece.X[:_FEW], piece.y[:_FEW], None)
        losses = self._ranks.allgather(state.loss(few)) if due else []
        with self._ranks.agreed():
            if not (state.is_finite and all(loss <= self._most_loss for loss in losses)):
                raise divergence(state, piece, records, state.rows)
            if due:
                self._save(state)
        self._ranks.bcast(state.values)

    def _save(self, state: State) -> None:
        if self._options.checkpoint is not None and self._ranks.rank == 0:
            checkpoint.write_over(state, self._options.checkpoint)

    def _record(self, state: State, records: Records) -> None:
        """Record the mean loss of the epoch's rows."""
        sums = np.empty(2)  # of losses, and the rows
        with self._ranks.summed(sums):
            sums[:] = self._local.end()
        loss = float(sums[0] / sums[1])
        with self._ranks.agreed():
            if not loss <= self._most_loss:
                raise divergence(state, self._local.piece, records, state.rows)
        records.add(loss, state.rows)
