"""The one loop over epochs: records, hooks after each epoch, and what an error takes back."""

from collections.abc import Callable
from contextlib import closing, nullcontext
from functools import partial
from typing import Any

from tilewise._extras import required
from tilewise.training.history import DivergenceError, Records
from tilewise.training.settings import FitOptions
from tilewise.training.sources import InMemory, Source
from tilewise.training.state import State

Hook = Callable[[int, float], Any]  # of an epoch's number and its loss; true: stop


def train(state: State, source: Source, options: FitOptions, trainer: Any = None) -> Records:
    """Train for some epochs; callbacks get `trainer`. See `Trainer.fit` for what it raises."""
    records, best = Records(source.n_rows, state.epochs), _Best(options)
    hooks = _hooks(options, trainer, records)
    in_memory = source if isinstance(source, InMemory) else None
    watched = in_memory if hooks or options.progress or options.patience is not None else None
    at_once = options.epochs if in_memory and not watched else 1
    begun: dict[str, Any] = {}
    try:
        with _bar(source, options.epochs) if options.progress else nullcontext() as bar:
            for epoch in range(at_once, options.epochs + 1, at_once):
                if not in_memory:
                    begun = {}
                _train_alone(state, source, records, (at_once, epoch == options.epochs), begun, bar)
                if watched:
                    loss = watched.loss(state)
                    if bar is not None:
                        bar.set_postfix(loss=f"{loss:.4g}")
                    enough = best.is_enough(loss, state)
                    if any([hook(epoch, loss) for hook in hooks]) or enough:
                        break
        restored = options.patience is not None and best.restore(state)
        with state.alone():
            source.finish(state, records, restored)
    except BaseException as error:
        if isinstance(error, DivergenceError):
            best.restore(state)
        if not records.faulty:  # else nothing is left of the records
            error.history = records.history(state)  # type: ignore[attr-defined]
        raise
    return records


def _train_alone(
    state: State,
    source: Source,
    records: Records,
    stretch: tuple[int, bool],
    begun: dict[str, Any],
    bar: Any,
) -> None:
    """Train for a stretch of epochs; what an error takes back goes to `begun`, filled if empty."""
    with state.alone():
        if not begun:
            begun.update(state.copy())
        try:
            with closing(source.train(state, records, *stretch)) as done:
                for rows in done:
                    if bar is not None:
                        bar.update(rows)
        except BaseException:
            if records.faulty or source.takes_back:
                state.restore(begun)
            raise


def _bar(source: Source, epochs: int) -> Any:
    total = None if source.n_rows is None else epochs * source.n_rows
    tqdm = required("tqdm", "report", "progress=True needs tqdm").tqdm
    return tqdm(total=total, unit="row", unit_scale=True)


def _hooks(options: FitOptions, trainer: Any, records: Records) -> list[Hook]:
    """Return what is to do after each epoch."""

    def show(epoch: int, loss: float) -> None:
        print(f"epoch {epoch}: loss {loss:.6g}, {records.total_seconds:.3g} s")

    shown: list[Hook] = [show] if options.verbose else []
    return shown + [partial(callback, trainer) for callback in options.callbacks]


class _Best:
    """The parameters with the lowest loss so far, and whether that is long ago."""

    def __init__(self, options: FitOptions) -> None:
        self._patience, self._tolerance = options.patience, options.tolerance
        self._loss = float("inf")
        self._kept: dict[str, Any] = {}
        self._since = 0

    def is_enough(self, loss: float, state: State) -> bool:
        """Take the loss of an epoch, and tell whether to stop."""
        if loss < self._loss - self._tolerance:
            self._loss, self._since = loss, 0
            self._kept = {"values": state.values.copy()}
            return False
        self._since += 1
        return self._patience is not None and self._since >= self._patience

    def restore(self, state: State) -> bool:
        """Go back to them, if any; what was seen and drawn since stays counted."""
        state.restore(self._kept)
        return bool(self._kept)
