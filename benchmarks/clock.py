"""The one clock of the benchmarks: whatever is timed here is timed by it."""

from collections.abc import Callable, Iterator
from itertools import islice
from time import perf_counter


def clock(calls: Iterator[Callable[[], object]], repeats: int = 1) -> float:
    """Return the mean seconds of the next calls; the iterator must have as many."""
    following = islice(calls, repeats)
    start = perf_counter()
    for call in following:
        call()
    return (perf_counter() - start) / repeats


def repeats_in(seconds: float, call: float) -> int:
    """Return how many calls of `call` seconds take so many seconds: at least one."""
    return max(1, round(seconds / max(call, 1e-8)))
