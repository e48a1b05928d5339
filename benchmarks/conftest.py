"""Fixtures of the pytest-benchmark suite: contestants in this process, and a way to time a call."""

import os
from collections.abc import Callable
from functools import cache
from time import perf_counter
from typing import Any

import pytest

import benchmarks.rivals  # noqa: F401, so that RIVALS has them
from benchmarks.products import DTYPES
from benchmarks.rival import RIVALS, Rival

try:
    import pytest_benchmark  # noqa: F401
except ImportError:
    raise pytest.UsageError(
        'the benchmarks need pytest-benchmark; pip install "tilewise[bench]"'
    ) from None

_ROUNDS = 7
_SECONDS = 0.02  # of a round, where calls are short

for _rival in RIVALS.values():  # some libraries read their number of threads at their start
    os.environ.update(_rival.environment(1))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the libraries of others warn."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("default"))


@cache
def _started(name: str) -> Rival | str:
    try:
        return RIVALS[name]()
    except ImportError as error:
        return f"{name}: {error}"


@cache
def _about(rival: Rival) -> dict[str, str]:
    return {"version": rival.version(), "kernels": rival.kernels(), "settings": rival.settings}


@cache
def _peak(dtype: str) -> float:
    from tilewise.hardware import fma_gflops

    return max(fma_gflops(dtype, seconds=0.005) for _ in range(5))


@pytest.fixture
def contestant() -> Callable[[str], Rival]:
    """Return a function that gives a contestant by name, or skips."""

    def get(name: str) -> Rival:
        found = _started(name)
        if isinstance(found, str):
            pytest.skip(found)
        return found

    return get


@pytest.fixture
def clock(benchmark: Any) -> Callable[..., None]:
    """Return a function that times a call, which is warm and checked, and notes its rates."""

    def run(call: Callable[[], object], case: Any, rival: Rival) -> None:
        start = perf_counter()
        call()
        once = perf_counter() - start
        benchmark.group = "threads" if case.threads > 1 else case.group
        repeats = max(1, round(_SECONDS / max(once, 1e-7)))
        benchmark.pedantic(call, rounds=_ROUNDS, iterations=repeats, warmup_rounds=1)
        benchmark.extra_info.update(_about(rival), threads=case.threads)
        if not benchmark.disabled:
            benchmark.extra_info.update(_rates(case, benchmark.stats.stats.median))

    return run


def _rates(case: Any, call: float) -> dict[str, float]:
    """Return the rates of a case of which a call takes so many seconds."""
    seconds = call / case.units
    gflops = 1e-9 * case.flops / seconds
    rates = {"gflops": gflops, "gbytes": 1e-9 * case.bytes / seconds}
    if case.dtype in DTYPES:
        rates["of_peak"] = gflops / _peak(case.dtype) / case.threads
    return rates
