"""How the cost of tilewise grows with n, rows, features and threads, up to what a machine holds."""

import os
from collections.abc import Callable
from typing import Any

from benchmarks.epochs import Epochs
from benchmarks.products import Product

GROWTH: dict[str, Callable[[dict[str, Any]], int]] = {
    "growth-n": lambda case: int(case["a"][0]),
    "growth-rows": lambda case: int(case["rows"]),
    "growth-features": lambda case: int(case["features"]),
    "growth-threads": lambda case: int(case["threads"]),
}
"""What grows in each group, from the record of a case."""

_MOST_FLOPS = 2e12  # of a product on one thread: some ten seconds
_FIRST_N, _FIRST_ROWS, _FEATURES = 256, 1000, 16
_ROWS, _BATCH = 4096, 128


def growing(group: str) -> str:
    """Return the name of what grows in a group."""
    return group.removeprefix("growth-")


def growth_cases(*, quick: bool, threads: int, memory: int | None = None) -> list[Any]:
    """Return the cases, of tilewise alone.

    Parameters
    ----------
    quick : bool
        Stop early.
    threads : int
        All that there are.
    memory : int, optional
        Bytes of the machine, of which X, or the three matrices, may take a quarter: the check of
        an answer needs copies. By default what the system says.
    """
    memory = memory or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = min(memory // 4, 2**26 if quick else memory)
    cases: list[Any] = [
        *_until(limit, lambda i: Product("growth-n", *[(_FIRST_N << i,) * 2] * 2)),
        *_until(limit, lambda i: Epochs("growth-rows", _FIRST_ROWS * 4**i, _FEATURES, _BATCH)),
        *_until(limit, lambda i: Epochs("growth-features", _ROWS, 4**i, _BATCH)),
    ]
    counts = sorted({1, threads, *(2**i for i in range(1, 20) if 2**i < threads)})
    cases += [Product("growth-threads", (2048, 2048), (2048, 2048), threads=n) for n in counts]
    cases += [Epochs("growth-threads", 2**16, 256, 1024, threads=n) for n in counts]
    return cases


def _until(limit: int, case: Any) -> list[Any]:
    """Return ``case(0), case(1), ..`` until one needs more bytes than allowed, or too long."""
    cases: list[Any] = []
    while (following := case(len(cases))).bytes <= limit and following.flops <= _MOST_FLOPS:
        cases.append(following)
    return cases
