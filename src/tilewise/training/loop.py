"""Training with something to do after each epoch: callbacks, early stopping, progress."""

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tilewise._checks import check_bool, check_int, check_positive
from tilewise._progress import progress_bar
from tilewise.data.training_set import Examples
from tilewise.training.history import DivergenceError, History
from tilewise.training.state import Engine, Records

__all__ = ["EpochLoop"]


@dataclass(frozen=True)
class EpochLoop:
    """What happens after each epoch; see `Trainer.fit`."""

    epochs: int
    patience: int | None
    tolerance: float
    after_epoch: Sequence[Callable[[int, float], Any]]  # of the epoch and its loss; true: stop
    progress: bool
    verbose: bool

    def __post_init__(self) -> None:
        """Check the values."""
        check_int("epochs", self.epochs)
        if self.patience is not None:
            check_int("patience", self.patience)
        check_positive("tolerance", self.tolerance, or_zero=True)
        check_bool("progress", self.progress)
        check_bool("verbose", self.verbose)

    @property
    def is_needed(self) -> bool:
        """Whether there is anything to do after an epoch."""
        return bool(self.patience is not None or self.after_epoch or self.progress or self.verbose)

    def run(
        self, engine: Engine, examples: Examples, validation: Examples, record_every: int
    ) -> History:
        """Train epoch by epoch. The history is the same as without a loop."""
        records = Records()
        best = _Best(self.patience, self.tolerance)
        begun = engine.copy()
        with self._bar() as advance:
            for epoch in range(1, self.epochs + 1):
                try:
                    engine.train(examples, 1, records, record_every, record_end=False)
                    loss = engine.loss(validation)
                    if self.verbose:
                        print(f"epoch {epoch}: loss {loss:.6g}, {records.total_seconds:.3g} s")
                    advance(loss)
                    stop = best.is_enough(loss, engine)
                    if any([after(epoch, loss) for after in self.after_epoch]) or stop:
                        break
                except KeyboardInterrupt as interrupt:
                    interrupt.history = engine.history(records)  # type: ignore[attr-defined]
                    raise
                except DivergenceError as divergence:
                    best.restore(engine)
                    divergence.history = engine.history(records)
                    raise
                except Exception:
                    if records.faulty:
                        engine.restore(begun)
                    raise
        restored = self.patience is not None and best.restore(engine)
        self._record_end(engine, examples, records, restored)
        return engine.history(records)

    def _record_end(
        self, engine: Engine, examples: Examples, records: Records, restored: bool
    ) -> None:
        """Add the end to the records, unless it is there; its loss is that of the weights kept."""
        done = int(engine.counters[1])
        if records.examples and records.examples[-1] == done:
            if restored:
                records.losses[-1] = engine.loss(examples)
            return
        records.losses.append(engine.loss(examples))
        records.seconds.append(records.total_seconds)
        records.examples.append(done)

    @contextmanager
    def _bar(self) -> Any:
        with progress_bar(self.progress, total=self.epochs, unit="epoch") as bar:

            def advance(loss: float) -> None:
                if bar is not None:
                    bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
                    bar.update()

            yield advance


class _Best:
    """The state with the lowest loss so far, and whether it is long ago."""

    def __init__(self, patience: int | None, tolerance: float) -> None:
        self._patience, self._tolerance = patience, tolerance
        self._loss = float("inf")
        self._state: Any = None
        self._since = 0

    def is_enough(self, loss: float, engine: Engine) -> bool:
        if loss < self._loss - self._tolerance:
            self._loss, self._state, self._since = loss, engine.copy(), 0
            return False
        self._since += 1
        return self._patience is not None and self._since >= self._patience

    def restore(self, engine: Engine) -> bool:
        """Go back to the best parameters, if any; what was seen and drawn since stays counted."""
        if self._state is None:
            return False
        kept = self._state[0]
        engine.parameters[:], engine.slots[:] = kept["parameters"], kept["slots"]
        return True
