"""The one clock of the benchmarks: whatever is timed here is timed by it."""

from collections.abc import Callable, Iterator
from itertools import islice
from time import perf_counter

Call = Callable[[], object]


def clock(calls: Iterator[Call], repeats: int = 1, before: Call | None = None) -> float:
    """Return the mean seconds of the next calls, without those of `before`, made before each."""
    following, seconds = islice(calls, repeats), 0.0
    if before is None:
        start = perf_counter()
        for call in following:
            call()
        return (perf_counter() - start) / repeats
    for call in following:
        before()
        start = perf_counter()
        call()
        seconds += perf_counter() - start
    return seconds / repeats


def repeats_in(seconds: float, call: float) -> int:
    """Return how many calls of `call` seconds take so many seconds: at least one."""
    return max(1, round(seconds / max(call, 1e-8)))
