"""One progress bar over all experiments of a report."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from tilewise.timing import Progress

__all__ = ["ExperimentBar"]


class ExperimentBar:
    """A bar on stderr, if that is a terminal; each experiment has the part that it usually takes.

    Parameters
    ----------
    seconds : mapping of str to sequence of float
        By experiment, how long it usually takes: a number for each loop whose steps advance the
        bar, in their order.

    Raises
    ------
    ImportError
        tqdm is not installed.

    Examples
    --------
    >>> with ExperimentBar({"first": [0.5], "second": [1.0, 2.0]}) as bar:
    ...     [step for loop in ("ab", "cd") for step in bar.of("second")(loop)]
    ['a', 'b', 'c', 'd']
    """

    def __init__(self, seconds: Mapping[str, Sequence[float]]) -> None:
        from tqdm import tqdm

        self._parts = {name: iter(parts) for name, parts in seconds.items()}
        total = sum(sum(parts) for parts in seconds.values())
        form = "{percentage:3.0f} %|{bar}| {elapsed} {desc}"
        # Without miniters=0, steps that are slow after fast ones would not be shown.
        self._bar = tqdm(total=total, disable=None, leave=False, miniters=0, bar_format=form)

    def of(self, name: str) -> Progress:
        """Return what wraps each loop of an experiment."""

        def progress(steps: Iterable[Any]) -> Iterator[Any]:
            steps = list(steps)
            step_seconds = next(self._parts[name]) / len(steps)
            self._bar.set_description_str(name.replace("_", " "))
            for step in steps:
                yield step
                self._bar.update(step_seconds)

        return progress

    def __enter__(self) -> "ExperimentBar":
        """Return itself."""
        return self

    def __exit__(
        self,
        error: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take the bar off the terminal."""
        self._bar.close()
