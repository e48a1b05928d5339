"""Fixtures of the pytest-benchmark suite: contestants in this process, and a way to time a call."""

from collections.abc import Callable
from functools import cache
from time import perf_counter
from typing import Any

import pytest

from benchmarks.peak import peak
from benchmarks.rival import Rival
from benchmarks.rivals import RIVALS

try:
    import pytest_benchmark  # noqa: F401
except ImportError:
    raise pytest.UsageError(
        'the benchmarks need pytest-benchmark; pip install "tilewise[bench]"'
    ) from None

_ROUNDS = 7
_SECONDS = 0.02  # of a round, where calls are short


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
def _peak(dtype: str) -> float:
    return max(peak(dtype) for _ in range(5))


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
    """Return a function that times a call, which is warm and checked, in rounds."""

    def run(call: Callable[[], object], group: str, **about: Any) -> None:
        start = perf_counter()
        call()
        once = perf_counter() - start
        benchmark.group = group
        benchmark.extra_info.update(about)
        repeats = max(1, round(_SECONDS / max(once, 1e-7)))
        benchmark.pedantic(call, rounds=_ROUNDS, iterations=repeats, warmup_rounds=1)

    return run


@pytest.fixture
def rates(benchmark: Any) -> Callable[..., None]:
    """Return a function that adds GFLOP/s, GB/s and the fraction of the peak to a timed call."""

    def add(dtype: str, threads: int, flops: int, size: int) -> None:
        if benchmark.disabled:
            return
        seconds = benchmark.stats.stats.median
        gflops = 1e-9 * flops / seconds
        benchmark.extra_info["gflops"] = gflops
        benchmark.extra_info["gbytes"] = 1e-9 * size / seconds
        benchmark.extra_info["of_peak"] = gflops / _peak(dtype) / threads

    return add
