"""Gross regressions: ratios of times taken side by side, with wide margins, in seconds.

No time is compared with one of another run or machine, so that this can stand in `.ci/run`. A floor
is some quarter of the usual ratio: CPUs and their loads differ.
"""

import statistics
from itertools import cycle

import pytest
from threadpoolctl import threadpool_limits

import tilewise as tw
from benchmarks.cases.case import DTYPES, Case
from benchmarks.cases.epochs import AIRFOIL, Epochs
from benchmarks.cases.products import Product, Strategy
from benchmarks.clock import clock, repeats_in
from benchmarks.rivals import RIVALS
from benchmarks.rivals.rival import OURS, Rival
from benchmarks.start import start

_SECONDS = 0.02  # of a turn
_TURNS = 9
_TRIES = 3  # something else may have taken the CPU in the first ones


def _square(n: int, dtype: str) -> Product:
    return Product("check", dtype, a=(n, n), b=(n, n))


def _epochs(batch_size: int) -> Epochs:
    rows, features = AIRFOIL
    return Epochs("check", rows=rows, features=features, batch_size=batch_size, epochs=20)


_FLOORS = {8: 1.5, 64: 0.5, 512: 0.5}  # by n; the larger, the nearer are the two
_ELEMENT = Strategy("check", a=(256, 256), b=(256, 256), strategy="element")

RULES = [
    *[(_square(n, dtype), None, "numpy", _FLOORS[n]) for n in _FLOORS for dtype in DTYPES],
    (_square(256, "float32"), _ELEMENT, OURS, 12),
    (_epochs(1), None, "numpy", 100),
    (_epochs(100), None, "numpy", 4),
]


@pytest.mark.skipif(tw.isa() == "portable", reason="the portable kernels are only there to work")
@pytest.mark.parametrize(
    ("case", "other", "rival", "floor"), RULES, ids=lambda of: getattr(of, "key", None)
)
def test_no_gross_loss(
    case: Case, other: Case | None, rival: str, floor: float, contestant: Rival
) -> None:
    """Hold the rival, in the same case or another, to at least so many times our time."""
    with threadpool_limits(1), tw.threads(1):
        pair = start(case, RIVALS[OURS]()), start(other or case, contestant)
        ours, theirs = (cycle(calls) for calls in pair)
        clock(ours), clock(theirs)
        repeats = [repeats_in(_SECONDS, clock(calls)) for calls in (ours, theirs)]
        found = []
        while len(found) < _TRIES and max(found, default=0) < floor:
            turns = [clock(theirs, repeats[1]) / clock(ours, repeats[0]) for _ in range(_TURNS)]
            found.append(statistics.median(turns))
    assert max(found) >= floor
