"""Epochs over rows that do not fit in memory, on the engine for rows that do."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np

from tilewise._checks import check_bool, check_int
from tilewise.data.buffers import Buffers, StreamedExamples
from tilewise.data.dataset import Rows
from tilewise.training.history import History
from tilewise.training.progress import bar_of_bytes
from tilewise.training.settings import Config
from tilewise.training.state import Engine, Records

__all__ = ["check_rows", "refuse", "stream_epoch", "stream_fit"]


def stream_fit(engine: Engine, rows: Rows, epochs: int, progress: bool, **refused: Any) -> History:
    """Train for some epochs, with a record for each buffer, and maybe a bar with its rate."""
    refuse(refused, "rows of open_rows")
    epochs, progress = check_int("epochs", epochs), check_bool("progress", progress)
    records = Records()
    buffers = _checked_buffers(engine, rows)
    total = None if rows.n_rows is None else epochs * rows.n_rows
    row_bytes = (rows.n_features + 1) * rows.dtype.itemsize
    with bar_of_bytes(progress, None if total is None else total * row_bytes) as advance:
        for _ in range(epochs):
            _epoch(
                engine, rows, buffers, records, record=True,
                advance=lambda n: advance(n * row_bytes),
            )  # fmt: skip
    return engine.history(records)


def stream_epoch(engine: Engine, rows: Rows, **refused: Any) -> None:
    """Train for one epoch; see `Trainer.run_epoch`."""
    refuse(refused, "rows of open_rows")
    _epoch(
        engine, rows, _checked_buffers(engine, rows), Records(), record=False,
        advance=lambda n: None,
    )  # fmt: skip


def refuse(options: dict[str, Any], what: str) -> None:
    """Raise if an option is given that does not go with something."""
    for name, value in options.items():
        if value is not None:
            raise ValueError(f"{name} does not go with {what}; leave it out")


def check_rows(config: Config, rows: Rows) -> None:
    """Raise if the rows are not those of such a model."""
    if (rows.n_features, rows.dtype) != (config.n_features, config.dtype):
        raise ValueError(
            f"rows have {rows.n_features} features of {rows.dtype}, but the model "
            f"{config.n_features} of {config.dtype}; make them alike"
        )
    if config.n_targets is not None:
        raise ValueError(f"n_targets={config.n_targets}; streamed rows have one target, give None")


def _checked_buffers(engine: Engine, rows: Rows) -> Buffers:
    check_rows(engine.config, rows)
    return Buffers(rows, engine.config.batch_size)


def _epoch(
    engine: Engine,
    rows: Rows,
    buffers: Buffers,
    records: Records,
    *,
    record: bool,
    advance: Callable[[int], Any],
) -> None:
    """Train for one epoch; a record is the loss over a buffer, after training on it.

    Runs of rows come in random order, and the engine samples inside a buffer; with
    ``sampling='sequential'`` all come in order. What reading or a schedule raises takes the epoch
    back; what else stops it keeps the weights and the records so far.
    """
    with engine.alone():
        begun = _Begun(engine, records)
        try:
            with closing(buffers.epoch(begun.random)) as full:
                while (examples := _next(full, records)) is not None:
                    engine.train_part(examples, records, record_end=record)
                    advance(len(examples.X))
        except BaseException as error:
            if buffers.failed or records.faulty or isinstance(error, ValueError):
                begun.restore()
                raise
            done = int(engine.counters[1]) - begun.examples
            records.epochs = begun.epochs_recorded + (done / rows.n_rows if rows.n_rows else 0)
            error.history = engine.history(records)  # type: ignore[attr-defined]
            raise
        engine.epochs += 1
        records.epochs = begun.epochs_recorded + 1


class _Begun:
    """The state in which an epoch begins, and the order of its runs, which depends on it alone."""

    def __init__(self, engine: Engine, records: Records) -> None:
        self._engine = engine
        self._state = engine.copy(), engine.rate
        self.examples = int(engine.counters[1])
        self.epochs_recorded = records.epochs

    @property
    def random(self) -> np.random.Generator | None:
        config = self._engine.config
        if config.sampling == "sequential":
            return None
        return np.random.default_rng([config.seed, self.examples])

    def restore(self) -> None:
        state, self._engine.rate = self._state
        self._engine.restore(state)


def _next(full: Iterator[StreamedExamples], records: Records) -> StreamedExamples | None:
    """Return the next buffer; the wait for it counts as training time."""
    begun = time.perf_counter()
    examples = next(full, None)
    records.total_seconds += time.perf_counter() - begun
    return examples
