"""A fit on several ranks, each with rows of its own."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise._checks import check_int
from tilewise.data.dataset import Rows
from tilewise.data.training_set import Examples
from tilewise.distributed.draws import Draws, LocalRows
from tilewise.distributed.ranks import Ranks
from tilewise.distributed.shares import rows_among
from tilewise.distributed.steps import steps_for
from tilewise.schedules import Schedule, rate_block
from tilewise.training import checkpoint
from tilewise.training.history import History
from tilewise.training.state import Engine, Records

__all__ = ["Job", "JobOptions"]

_BLOCK = 1024  # steps between two looks at the parameters
_FEW = 1024  # rows that tell of a divergence before a checkpoint
_DIVERGED = 1e6  # times the loss at the start, or of zeros


@dataclass(frozen=True)
class JobOptions:
    """How the ranks work together; see `Trainer.fit`."""

    average_every: int
    checkpoint: Path | None
    checkpoint_every: int

    @classmethod
    def checked(
        cls, engine: Engine, average_every: Any, path: Any, checkpoint_every: Any
    ) -> "JobOptions":
        """Return the options, or raise."""
        return cls(
            check_int("average_every", average_every),
            None if path is None else checkpoint.check(engine, path),
            check_int("checkpoint_every", checkpoint_every),
        )


class Job:
    """Trains the same model on all ranks."""

    def __init__(
        self, engine: Engine, data: Examples | Rows, ranks: Ranks, options: JobOptions
    ) -> None:
        self._engine, self._ranks, self._options = engine, ranks, options
        self._local = ranks.together(lambda: LocalRows(data, engine.config))
        self._sizes: list[int] = ranks.gather(self._local.n_rows)
        self._n_rows = sum(self._sizes)
        ranks.together(self._check_checkpoint)
        engine.trained_on = {**engine.trained_on, "rows": self._n_rows}
        self._batch_size = min(engine.config.batch_size, self._n_rows)
        self._steps = steps_for(engine, ranks, options.average_every)
        self._most_loss = float("inf")

    @property
    def epoch_bytes(self) -> int:
        """What all ranks together read in an epoch."""
        return self._n_rows * self._row_bytes

    @property
    def _row_bytes(self) -> int:
        features, targets = self._engine.config.parameters_shape
        return (features - 1 + targets) * self._engine.config.dtype.itemsize

    def fit(self, epochs: int, advance: Callable[[int], Any]) -> History:
        """Train for some epochs; the first may be the rest of one that a checkpoint cut short."""
        records = Records()
        for _ in range(epochs):
            key = self._ranks.rank, self._engine.epochs
            with (
                self._taken_back_after_errors(records),
                closing(self._local.draws(self._engine, key)) as draws,
            ):
                self._epoch(draws, records, advance)
        self._ranks.together(lambda: self._save_if(True))
        return self._engine.history(records)

    @contextmanager
    def _taken_back_after_errors(self, records: Records) -> Iterator[None]:
        """Go back to the beginning of the epoch: all ranks have the same model there."""
        begun, rate = self._engine.copy(), self._engine.rate
        try:
            yield
        except BaseException as error:
            self._engine.restore(begun)
            self._engine.rate = rate
            error.history = self._engine.history(records)  # type: ignore[attr-defined]
            raise

    def _epoch(self, draws: Draws, records: Records, advance: Callable[[int], Any]) -> None:
        engine, begun = self._engine, time.perf_counter()
        self._begin(draws)
        total = -(-self._n_rows // self._batch_size)
        step = -(-engine.epoch_examples // self._batch_size)
        part = 1 - step / total
        while step < total:
            before = engine.epoch_examples
            step = self._take_block(draws, step, total)
            advance((engine.epoch_examples - before) * self._row_bytes)
            self._look(draws, records)
        records.total_seconds += time.perf_counter() - begun
        records.epochs += part
        self._record(draws, records)
        engine.epochs, engine.epoch_examples = engine.epochs + 1, 0

    def _check_checkpoint(self) -> None:
        done, rows = self._engine.epoch_examples, self._engine.trained_on.get("rows")
        if done and rows != self._n_rows:
            raise ValueError(
                f"the checkpoint is {done} rows into an epoch of {rows}, but there are "
                f"{self._n_rows}; give the rows that it was trained on"
            )

    def _begin(self, draws: Draws) -> None:
        engine, ranks = self._engine, self._ranks
        ranks.together(draws.begin_piece)
        done = np.array([engine.epoch_examples])
        ranks.together(lambda: draws.skip(int(rows_among(done, ranks.rank, self._sizes)[0])))
        if isinstance(engine.rate, str):
            engine.rate = min(
                ranks.gather(ranks.together(lambda: engine.resolved_rate(draws.piece)))
            )
        if np.isinf(self._most_loss):
            y = draws.piece.y
            of_zeros = float(np.square(y, dtype=np.float64).sum()) / 2 / len(y)
            start = max(ranks.gather(max(engine.loss(draws.piece), of_zeros)))
            self._most_loss = _DIVERGED * start or np.inf  # labels of 0 alone tell nothing

    def _take_block(self, draws: Draws, step: int, total: int) -> int:
        """Take steps of the epoch until the next look, and return the number of the next one."""
        engine = self._engine
        last = min(self._block_end(step), total)
        rows = np.minimum(np.arange(step, last + 1) * self._batch_size, self._n_rows)
        own = np.diff(rows_among(rows, self._ranks.rank, self._sizes))
        rates = self._ranks.together(lambda: self._rates(last - step))
        if not isinstance(engine.rate, float | Schedule):
            of_all = self._ranks.gather(rates)
            self._ranks.together(lambda: _check_alike(of_all))
        self._steps.take(draws, own.tolist(), np.diff(rows).tolist(), rates)
        engine.epoch_examples = int(rows[-1])
        return last

    def _block_end(self, step: int) -> int:
        """Return where a block ends: after whole averages, wherever the training began."""
        every = self._options.average_every
        length = max(_BLOCK // every, 1) * every
        last = (step // length + 1) * length
        if self._options.checkpoint is None:
            return last
        interval = self._options.checkpoint_every
        until_due = interval - int(self._engine.counters[0]) % interval
        return min(last, step + -(-until_due // every) * every)

    def _rates(self, count: int) -> NDArray[np.float64]:
        engine, rate = self._engine, self._engine.rate
        if isinstance(rate, float | str):  # 'auto' is a number by now
            return np.full(count, rate)
        steps = engine.counters[0] + np.arange(count)
        return rate_block(rate, steps, np.full(count, engine.epochs))

    def _look(self, draws: Draws, records: Records) -> None:
        """Raise if the training has diverged; else the model of rank 0 becomes that of all."""
        engine, options = self._engine, self._options
        due = options.checkpoint is not None
        due = due and engine.counters[0] % options.checkpoint_every < options.average_every
        losses = self._ranks.gather(engine.loss(draws.piece.first(_FEW))) if due else []

        def look() -> None:
            finite = np.isfinite(engine.parameters).all() and np.isfinite(engine.slots).all()
            if not (finite and all(loss <= self._most_loss for loss in losses)):
                raise engine.divergence(draws.piece, records, int(engine.counters[1]))
            self._save_if(due)

        self._ranks.together(look)
        self._ranks.spread(engine.parameters)
        self._ranks.spread(engine.slots)

    def _save_if(self, due: bool) -> None:
        path = self._options.checkpoint
        if due and path is not None and self._ranks.rank == 0:
            checkpoint.write_over(self._engine, path)

    def _record(self, draws: Draws, records: Records) -> None:
        sums = np.array(self._ranks.together(draws.loss))
        self._ranks.sum(sums)
        loss, examples = float(sums[0] / sums[1]), int(self._engine.counters[1])

        def check() -> None:
            if not loss <= self._most_loss:
                raise self._engine.divergence(draws.piece, records, examples)

        self._ranks.together(check)
        records.losses.append(loss)
        records.seconds.append(records.total_seconds)
        records.examples.append(examples)


def _check_alike(rates: list[NDArray[np.float64]]) -> None:
    """Raise if functions for the learning rate differ: their names may be alike."""
    for rank, own in enumerate(rates):
        if not np.array_equal(own, rates[0]):
            at = int(np.argmax(own != rates[0]))
            raise ValueError(
                f"rank {rank} has the learning rate {own[at]}, but rank 0 {rates[0][at]} for the "
                "same step; make the functions alike"
            )
