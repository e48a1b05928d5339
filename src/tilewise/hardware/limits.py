"""What the CPU can do at most: multiply-adds in registers, and reading from each cache."""

import os
import statistics
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from timeit import timeit

import numpy as np

from tilewise import _core
from tilewise._threads import threads
from tilewise.hardware.facts import fma_gflops, read_gbytes
from tilewise.products import matmul

_REPEATS = 25
_SECONDS = 0.005  # of one measurement: on a busy machine, a few of so short ones are left alone
_CALLS = 2000


@dataclass(frozen=True)
class Measured:
    """A figure that was measured several times.

    Attributes
    ----------
    median : float
    low, high : float
        The quartiles.
    best : float
        The greatest rate or the shortest time. Other programs only ever slow a measurement down, so
        this is the nearest to what the machine can do.

    Raises
    ------
    ValueError
        They are not positive, finite and in order.
    """

    median: float
    low: float
    high: float
    best: float

    def __post_init__(self) -> None:
        """Refuse what no measurement gives."""
        ordered = 0 < self.low <= self.median <= self.high < float("inf")
        if not ordered or not (0 < self.best <= self.low or self.high <= self.best < float("inf")):
            raise ValueError(
                f"{self} is no measurement; give 0 < low <= median <= high, and no best between"
            )

    @property
    def spread(self) -> float:
        """Half the distance of the quartiles, over the median."""
        return (self.high - self.low) / 2 / self.median


@dataclass(frozen=True)
class Limits:
    """What a number of threads can do at most, all together.

    Attributes
    ----------
    fma_float32, fma_float64 : Measured
        Multiply-adds in registers, in GFLOP/s.
    read_l1, read_l2, read_l3, read_memory : Measured
        Reading from each cache and from memory, in GB/s.
    """

    fma_float32: Measured
    fma_float64: Measured
    read_l1: Measured
    read_l2: Measured
    read_l3: Measured
    read_memory: Measured

    def or_faster(self, other: "Limits") -> "Limits":
        """Return the faster of each figure, by its best."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Limits(*(max(pair, key=lambda figure: figure.best) for pair in pairs))


def measure(cpus: int) -> tuple[Limits, Limits, Measured]:
    """Measure one thread, a thread for each CPU, and a call from Python: its seconds.

    The measurements take turns, so that a change of the clock frequency meets all of them. A first
    round, which wakes the threads, does not count. Until it ends, the process uses `cpus` threads.
    MemoryError where there is no room for four times the last cache.
    """
    measurements = [*_measurements(1), *_measurements(cpus), _call_seconds]
    with threads(cpus):
        rounds = [[run() for run in measurements] for _ in range(_REPEATS + 1)]
    *rates, calls = zip(*rounds[1:], strict=True)
    figures = [_summary(values, best=max(values)) for values in rates]
    half = len(figures) // 2
    one_core, all_cores = Limits(*figures[:half]), Limits(*figures[half:])
    return one_core, all_cores, _summary(calls, best=min(calls))


def _measurements(count: int) -> Iterator[Callable[[], float]]:
    """Yield what measures each field of `Limits` once, in their order, on `count` threads."""
    for dtype in (np.float32, np.float64):
        yield partial(_fma_gflops, dtype, count)
    for size in _bytes_to_read(count).values():
        yield partial(read_gbytes, size, count, _SECONDS)


def _fma_gflops(dtype: type, count: int) -> float:
    usable = sorted(os.sched_getaffinity(0))

    def run(thread: int) -> float:
        # The scheduler likes to start threads on one CPU, and to leave them there for a while.
        os.sched_setaffinity(0, usable[thread::count])
        return fma_gflops(dtype, _SECONDS)

    with ThreadPoolExecutor(count) as pool:
        return sum(pool.map(run, range(count)))


def _call_seconds() -> float:
    A = np.ones((2, 2), np.float32)
    return timeit(partial(matmul, A, A), number=_CALLS) / _CALLS


def _summary(values: tuple[float, ...], best: float) -> Measured:
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Measured(median, low, high, best)


def _bytes_to_read(count: int) -> dict[str, int]:
    """Return how much each thread reads, to find it in the level named.

    That is the thread's part of the cache below, which cannot hold it then, and half its part of
    the cache named. For memory it is four times the part of the last cache.
    """
    caches = _core.caches()
    l1, l2, l3 = (
        caches[name] // _cpus_on_cache(level, count)
        for level, name in enumerate(("l1", "l2", "l3"), start=1)
    )
    needed, available = 4 * l3 * count, _available_memory()
    if needed > available:
        raise MemoryError(
            f"reading from memory takes {needed >> 20} MiB to measure, four times the last cache, "
            f"and {available >> 20} MiB are available; make room"
        )
    return {"l1": l1 // 2, "l2": l1 + l2 // 2, "l3": l2 + l3 // 2, "memory": 4 * l3}


def _cpus_on_cache(level: int, count: int) -> int:
    """Return how many of `count` threads, each on a CPU of its own, share a cache of this level."""
    usable = os.sched_getaffinity(0)
    caches = Path(f"/sys/devices/system/cpu/cpu{min(usable)}/cache")
    for cache in caches.glob("index*"):
        here = _text(cache / "level") == str(level) and _text(cache / "type") != "Instruction"
        if here and (mask := _text(cache / "shared_cpu_map")):  # hexadecimal, with commas
            shared = int(mask.replace(",", ""), base=16)
            return min(count, sum(shared >> cpu & 1 for cpu in usable))
    return 1 if level < 3 else count


def _available_memory() -> int:
    """Return the bytes that the system, or the limit of its container, leaves to this process."""
    meminfo = dict(line.split(":", 1) for line in _text(Path("/proc/meminfo")).splitlines())
    available = int(meminfo.get("MemAvailable", "0 kB").split()[0]) << 10
    files = ("memory.max", "memory/memory.limit_in_bytes")  # of cgroups, version 2 and 1
    limits = [_text(Path("/sys/fs/cgroup", name)) for name in files]
    return min([available, *(int(limit) for limit in limits if limit.isdecimal())])


def _text(path: Path) -> str:
    """Return the content of a small file, or nothing if it cannot be read."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""
