"""Products of shapes at random: how often NumPy is faster, and how far the limit is.

Sides are log-uniform from 1 to 100,000, half of them small or at the edges of tiles, so that what
no list of cases has thought of is met. Seeds differ from run to run.
"""

import math
import random
import statistics
from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

from benchmarks.cases.case import DTYPES
from benchmarks.cases.products import Product
from benchmarks.rivals.rival import OURS
from benchmarks.roofline import least_seconds

SLOW = 0.9
"""NumPy's time over ours below which a shape is measured twice more, each in fresh processes."""
WORST = 20
"""How many shapes the file keeps."""
FIGURES = ("shapes", "NumPy / ours", "share below 0.9", "limit / ours", "share below half of it")
"""Of a dtype and a number of threads: means are geometric."""

_LEAST_FLOPS, _MOST_FLOPS, _MOST_BYTES = 1e5, 4e9, 2e8
_TILES = (8, 12, 16, 24, 32, 48, 64, 96, 128, 256)
_SMALL: list[int] = [*range(1, 9), *(n + by for n in _TILES for by in (-1, 0, 1))]

# Gives our microseconds, and NumPy's time over ours, of products in fresh processes.
Measure = Callable[[list[Product]], dict[Product, tuple[float, float]]]


class Point(NamedTuple):
    """What was found of a shape."""

    case: Product
    time: float  # of tilewise, in microseconds
    ratio: float  # NumPy's time over it
    limit: float  # the least time that the machine allows, over it


def sample(count: int, dtype: str, threads: int, seed: int) -> list[Product]:
    """Return products of different shapes, of 1e5 to 4e9 operations and at most 200 MB."""
    draws, found = random.Random(f"{seed} {dtype} {threads}"), dict[str, Product]()
    while len(found) < count:
        m, n, k = (_side(draws) for _ in range(3))
        case = Product("shapes", dtype, threads, (OURS, "numpy"), a=(m, k), b=(k, n))
        if _LEAST_FLOPS <= case.flops <= _MOST_FLOPS and case.bytes <= _MOST_BYTES:
            found[case.key] = case
    return list(found.values())


def _side(draws: random.Random) -> int:
    return draws.choice((draws.choice(_SMALL), round(math.pow(10, draws.uniform(0, 5)))))


def measured(
    measure: Measure, limits: dict[str, Any], threads: list[int], count: int, seed: int
) -> list[Point]:
    """Return so many points for each dtype and number of threads.

    A shape in which NumPy is faster is measured twice more: the median of three is what counts, so
    that it is slow if it was in two of them.
    """
    pairs = product(DTYPES, threads)
    cases = [case for pair in pairs for case in sample(count, *pair, seed)]
    found = {case: [taken] for case, taken in measure(cases).items()}
    slow = [case for case, taken in found.items() if taken[0][1] < SLOW]
    for again in (measure(slow), measure(slow)) if slow else ():
        for case, taken in again.items():
            found[case].append(taken)
    return [
        Point(case, time, ratio, 1e6 * least_seconds(limits, case) / time)
        for case, taken in found.items()
        for time, ratio in [map(statistics.median, zip(*taken, strict=True))]
    ]


def summary(points: list[Point]) -> dict[str, Any]:
    """Return `FIGURES` of each dtype and number of threads, and the shapes with least ratios."""
    groups: dict[str, Any] = {}
    for name in dict.fromkeys(f"{p.case.dtype} {p.case.threads}t" for p in points):
        of = [p for p in points if f"{p.case.dtype} {p.case.threads}t" == name]
        groups[name] = [
            len(of),
            statistics.geometric_mean(p.ratio for p in of),
            statistics.mean(p.ratio < SLOW for p in of),
            statistics.geometric_mean(p.limit for p in of),
            statistics.mean(p.limit < 0.5 for p in of),
        ]
    worst = sorted(points, key=lambda p: p.ratio)[:WORST]
    return {"groups": groups, "worst": {p.case.key: list(p[1:]) for p in worst}}
