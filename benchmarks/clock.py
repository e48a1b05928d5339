"""The one clock of the benchmarks: whatever is timed here is timed by it."""

from collections.abc import Callable
from time import perf_counter

Call = Callable[[], object]


def clock(call: Call, repeats: int = 1, before: Call | None = None) -> float:
    """Return the mean seconds of some calls, without those of `before`, made before each."""
    seconds, at_once = 0.0, 1 if before else repeats
    for _ in range(repeats // at_once):
        if before:
            before()
        start = perf_counter()
        for _ in range(at_once):
            call()
        seconds += perf_counter() - start
    return seconds / repeats


def repeats_in(seconds: float, call: float) -> int:
    """Return how many calls of `call` seconds take so many seconds: at least one."""
    return max(1, round(seconds / max(call, 1e-8)))
