"""Gross regressions: ratios of times taken side by side, with wide margins, in seconds.

No time is compared with one of another run or machine, so that this can stand in `.ci/run`. A floor
is some quarter of the usual ratio: CPUs and their loads differ.
"""

import statistics

import pytest
from threadpoolctl import threadpool_limits

import tilewise as tw
from benchmarks.cases.case import DTYPES, Case
from benchmarks.cases.epochs import AIRFOIL, Epochs
from benchmarks.cases.products import Product
from benchmarks.clock import clock, repeats_in
from benchmarks.rivals import RIVALS
from benchmarks.rivals.rival import OURS
from benchmarks.start import start
from benchmarks.steps import Steps

_SECONDS = 0.02  # of a turn
_TURNS = 9
_TRIES = 3  # something else may have taken the CPU in the first ones


def _square(n: int, dtype: str) -> Product:
    return Product("check", dtype, a=(n, n), b=(n, n))


def _epochs(batch_size: int) -> Epochs:
    plan = Steps(batch_size, epochs=20)
    return Epochs("check", rows=AIRFOIL[0], features=AIRFOIL[1], plan=plan)


_FLOORS = {8: 1.5, 64: 0.5, 512: 0.5}  # by n; the larger, the nearer are the two

RULES = [
    *[(_square(n, dtype), floor) for n, floor in _FLOORS.items() for dtype in DTYPES],
    (_epochs(1), 100),
    (_epochs(100), 4),
]


@pytest.mark.skipif(tw.isa() == "portable", reason="the portable kernels are only there to work")
@pytest.mark.parametrize(("case", "floor"), RULES, ids=lambda of: getattr(of, "key", None))
def test_no_gross_loss(case: Case, floor: float) -> None:
    """Hold NumPy to at least so many times our time."""
    with threadpool_limits(1), tw.threads(1):
        ours, theirs = (start(case, RIVALS[name]()) for name in (OURS, "numpy"))
        repeats = [repeats_in(_SECONDS, clock(call, 2)) for call in (ours, theirs)]
        found: list[float] = []
        while len(found) < _TRIES and max(found, default=0) < floor:
            turns = [clock(theirs, repeats[1]) / clock(ours, repeats[0]) for _ in range(_TURNS)]
            found.append(statistics.median(turns))
    assert max(found) >= floor
