"""Every case of a quick run for pytest-benchmark; see README.md."""

from itertools import cycle
from typing import Any

import pytest

from benchmarks.cases import all_cases
from benchmarks.clock import clock, repeats_in
from benchmarks.machine import limits, machine, size
from benchmarks.rivals import RIVALS
from benchmarks.rivals.rival import Rival, UnsupportedError
from benchmarks.start import start

pytest.importorskip("pytest_benchmark")

_ROUNDS = 7
_SECONDS = 0.02  # of a round, where calls are short

CASES = {
    case.key: case
    for case in all_cases(size(machine(), limits(refresh=False)), quick=True)
    if not case.only
}


@pytest.mark.parametrize("rival", RIVALS)
@pytest.mark.parametrize("case", CASES)
def test_case(case: str, rival: str, contestant: Rival, benchmark: Any) -> None:
    """Check the answer of one contestant, then time it."""
    asked = CASES[case]
    if contestant.environment(asked.threads) != contestant.environment(1):
        pytest.skip(f"{rival}: its threads are set before its process starts")
    try:
        calls = start(asked, contestant)
    except UnsupportedError as reason:
        pytest.skip(f"{rival}: {reason}")
    turns = cycle(calls)
    repeats = repeats_in(_SECONDS, clock(turns))
    call = calls[0] if len(calls) == 1 else lambda: next(turns)()
    benchmark.group = f"{asked.group} {asked.threads}t"
    benchmark.pedantic(call, rounds=_ROUNDS, iterations=repeats, warmup_rounds=1)
    about = {"version": contestant.version(), "kernels": contestant.kernels()}
    benchmark.extra_info.update(about, settings=contestant.settings, threads=asked.threads)
    if not benchmark.disabled:
        rate = asked.units / benchmark.stats.stats.median
        benchmark.extra_info.update(
            gflops=1e-9 * asked.flops * rate, gbytes=1e-9 * asked.bytes * rate
        )
