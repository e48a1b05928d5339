"""Every case of a quick run for pytest-benchmark, in the groups that README.md names."""

from collections.abc import Callable
from itertools import cycle
from typing import Any

import pytest

from benchmarks.epochs import epoch_cases
from benchmarks.machine import all_threads
from benchmarks.products import product_cases
from benchmarks.rival import RIVALS, Rival, UnsupportedError
from tilewise import _core

CASES = [
    case
    for threads in sorted({1, all_threads()})
    for case in (
        *product_cases(quick=True, threads=threads, last_cache=_core.caches()["l3"]),
        *epoch_cases(quick=True, threads=threads),
    )
]


@pytest.mark.parametrize("name", RIVALS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key.replace(" ", "-"))
def test_case(
    case: Any, name: str, contestant: Callable[[str], Rival], clock: Callable[..., None]
) -> None:
    """Check the answer of one contestant, then time it."""
    rival = contestant(name)
    if case.threads > 1 and rival.environment(case.threads) != rival.environment(1):
        pytest.skip(f"{name}: its threads are set before its process starts")
    try:
        rival.set_threads(case.threads)
        calls = case.start(rival, case.reference())
    except UnsupportedError as reason:
        pytest.skip(f"{name}: {reason}")
    turns = cycle(calls)
    clock(calls[0] if len(calls) == 1 else lambda: next(turns)(), case, rival)
