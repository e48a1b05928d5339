"""Every case of a quick run for pytest-benchmark; see README.md."""

import os
from functools import cache
from typing import Any

import pytest

from benchmarks.cases import all_cases
from benchmarks.clock import clock, repeats_in
from benchmarks.machine import machine
from benchmarks.rivals import RIVALS
from benchmarks.rivals.rival import Rival, UnsupportedError
from benchmarks.start import start

pytest.importorskip("pytest_benchmark")
pytestmark = pytest.mark.filterwarnings("default")  # those of other libraries

_ROUNDS = 7
_SECONDS = 0.02  # of a round, where calls are short

CASES = {case.key: case for case in all_cases(machine()["cpus"], quick=True) if not case.only}

for _rival in RIVALS.values():  # some libraries read their number of threads at their start
    os.environ.update(_rival.environment(1))


@cache
def _started(name: str) -> Rival:
    return RIVALS[name]()


@pytest.mark.parametrize("rival", RIVALS)
@pytest.mark.parametrize("case", CASES)
def test_case(case: str, rival: str, benchmark: Any) -> None:
    """Check the answer of one contestant, then time it."""
    asked = CASES[case]
    if RIVALS[rival].environment(asked.threads) != RIVALS[rival].environment(1):
        pytest.skip(f"{rival}: its threads are set before its process starts")
    try:
        contestant = _started(rival)
        call = start(asked, contestant)
    except (ImportError, UnsupportedError) as reason:
        pytest.skip(f"{rival}: {reason}")
    benchmark.group = f"{asked.group} {asked.threads}t"
    repeats = repeats_in(_SECONDS, clock(call, 2))
    benchmark.pedantic(call, rounds=_ROUNDS, iterations=repeats, warmup_rounds=1)
    about = {"version": contestant.version(), "kernels": contestant.kernels()}
    benchmark.extra_info.update(about, settings=contestant.settings, threads=asked.threads)
    if not benchmark.disabled:
        rate = asked.units / benchmark.stats.stats.median
        benchmark.extra_info.update(
            gflops=1e-9 * asked.flops * rate, gbytes=1e-9 * asked.bytes * rate
        )
