"""Gross regressions: ratios of times taken side by side, with wide margins, in seconds.

``python -m benchmarks.check`` exits with 1 if one is found. No time is compared with one of another
run or machine, so that the check can stand in `.ci/run`.
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

import tilewise as tw
from benchmarks.epochs import Epochs, data, plain_sgd
from benchmarks.products import DTYPES

_SECONDS = 0.02  # of a turn
_TURNS = 9
_TRIES = 3  # something else may have taken the CPU in the first ones
_EPOCHS = 20  # so that the call itself does not count

Call = Callable[[], object]


@dataclass(frozen=True)
class Rule:
    """The other call takes at least `floor` times as long as that of tilewise.

    A floor is some quarter of the usual ratio: CPUs and their loads differ.
    """

    name: str
    ours: Call
    other: Call
    floor: float

    def ratio(self) -> float:
        """Return the median of the other's times over that of tilewise's, taken in turns."""
        calls = (self.ours, self.other)
        repeats = [max(1, round(_SECONDS / _clock(call, 1))) for call in calls]
        turns = [
            [_clock(*pair) for pair in zip(calls, repeats, strict=True)] for _ in range(_TURNS)
        ]
        ours, other = (statistics.median(times) for times in zip(*turns, strict=True))
        return other / ours

    def holds(self) -> bool:
        """Measure, again if it does not hold at first, and print."""
        for _ in range(_TRIES):
            ratio = self.ratio()
            found = ratio >= self.floor
            print(f"{'ok' if found else 'SLOW':<5}{self.name}: {ratio:.3g} (>= {self.floor})")
            if found:
                return True
        return False


def rules() -> list[Rule]:
    """Return what must hold; the portable kernels are only there to work."""
    if tw.isa() == "portable":
        return []
    floors = {8: 1.5, 64: 0.5, 512: 0.5}  # by n; the larger, the nearer are the two
    numpy = [_against_numpy(n, dtype, floors[n]) for n in floors for dtype in DTYPES]
    return [*numpy, _against_element(), _against_loop(1, floor=100), _against_loop(100, floor=4)]


def main() -> int:
    """Check all on one thread; return the exit status."""
    with threadpool_limits(1), tw.threads(1):
        return 0 if all([rule.holds() for rule in rules()]) else 1


def _against_numpy(n: int, dtype: str, floor: float) -> Rule:
    a, b, out = (np.ones((n, n), dtype) for _ in range(3))
    name = f"numpy.matmul over tilewise.matmul, n = {n}, {dtype}"
    return Rule(name, lambda: tw.matmul(a, b, out), lambda: np.matmul(a, b, out), floor)


def _against_element() -> Rule:
    a, b, out = (np.ones((256, 256), np.float32) for _ in range(3))

    def element() -> object:
        return tw.matmul(a, b, out, strategy="element")

    return Rule("strategy element over full", lambda: tw.matmul(a, b, out), element, floor=12)


def _against_loop(batch_size: int, *, floor: float) -> Rule:
    task = Epochs("check", 1500, 5, batch_size, _EPOCHS)
    X, y = data(task)

    def fit() -> object:
        return tw.fit(
            X,
            y,
            batch_size=batch_size,
            learning_rate=task.learning_rate,
            epochs=_EPOCHS,
            sampling="sequential",
            record_every=10**15,
        )

    name = f"epochs of batches of {batch_size}, a loop in NumPy over tilewise.fit"
    return Rule(name, fit, lambda: plain_sgd(task, X, y, np.float32), floor)


def _clock(call: Call, repeats: int) -> float:
    begin = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - begin) / repeats


if __name__ == "__main__":
    sys.exit(main())
