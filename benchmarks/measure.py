"""Turns: every contestant computes the same product, one after the other, several times round."""

import os
import statistics
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.cases import DTYPES, Case
from benchmarks.rival import OURS
from benchmarks.rivals import RIVALS
from benchmarks.worker import SkippedError, Worker

# What OpenBLAS can be told to use; a CPU that lacks the instructions ends the process, which is
# then no candidate. A build without some of them falls back to another, which it reports.
_CORES = ("Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids")
_JUDGE = [Case("judge", (768, 768), (768, 768), dtype) for dtype in DTYPES]

# OpenBLAS' threads spin for 2**26 clock cycles after a product: they must not do so in the turn
# of another.
_REST = 0.04

Samples = dict[str, list[float]]


@dataclass(frozen=True)
class Plan:
    """How long to measure a case.

    Parameters
    ----------
    seconds : float
        For a case, all contestants together, where calls are short.
    rounds : int
        Turns of each contestant.
    """

    seconds: float
    rounds: int

    def repeats(self, call: float, contestants: int) -> int:
        """Return how many calls of so many seconds make one turn."""
        return max(1, round(self.seconds / self.rounds / contestants / max(call, 1e-8)))


QUICK = Plan(seconds=0.3, rounds=5)
FULL = Plan(seconds=0.4, rounds=5)


@dataclass
class Field:
    """The contestants that run, and those that do not, with the reason."""

    workers: list[Worker] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    def enter(self, names: Iterable[str] = RIVALS) -> None:
        """Start the contestants."""
        for name in names:
            try:
                self.workers.append(_best_numpy(self) if name == "numpy-best" else Worker(name))
            except SkippedError as reason:
                self.skipped[name] = str(reason)

    def close(self) -> None:
        """End them."""
        for worker in self.workers:
            worker.close()


def _best_numpy(entered: Field) -> Worker:
    """Return NumPy with the fastest kernels that its OpenBLAS has for this CPU."""
    installed = next((w for w in entered.workers if w.name == "numpy"), None)
    if installed is None or not installed.about["kernels"].startswith("openblas"):
        raise SkippedError("NumPy has no OpenBLAS")
    by_kernels = {installed.about["kernels"]: installed}
    for core in _CORES:
        try:
            worker = Worker("numpy-best", {"OPENBLAS_CORETYPE": core})
        except SkippedError:
            continue
        if by_kernels.setdefault(worker.about["kernels"], worker) is not worker:
            worker.close()
    best = min(by_kernels.values(), key=_judge)
    for worker in by_kernels.values():
        if worker not in (best, installed):
            worker.close()
    if best is installed:
        raise SkippedError(f"the installed one picks its best already: {best.about['kernels']}")
    return best


def _judge(worker: Worker) -> float:
    """Return a time: the product of the best ones of both dtypes."""
    seconds = 1.0
    for case in _JUDGE:
        repeats = QUICK.repeats(worker.load(case), contestants=1)
        seconds *= min(worker.sample(repeats) for _ in range(QUICK.rounds))
    return seconds


def measure(case: Case, entered: Field, plan: Plan) -> tuple[Samples, list[float], dict[str, str]]:
    """Return the seconds of a call in each turn, the peak of each round, and who could not.

    Raises
    ------
    ArithmeticError
        The answer of tilewise is wrong; a wrong rival is skipped.
    """
    ready: dict[Worker, float] = {}
    skipped: dict[str, str] = {}
    for worker in entered.workers:
        try:
            ready[worker] = worker.load(case)
        except SkippedError as reason:
            skipped[worker.name] = str(reason)
        except ArithmeticError as error:
            if worker.name == OURS:
                raise
            skipped[worker.name] = str(error)
    ours = next(worker for worker in ready if worker.name == OURS)
    samples: Samples = {worker.name: [] for worker in ready}
    peaks = []
    for _ in range(plan.rounds):
        peaks.append(ours.peak(case.dtype))
        for worker, call in ready.items():
            if case.threads > 1:
                time.sleep(_REST)
            samples[worker.name].append(worker.sample(plan.repeats(call, len(ready))))
    return samples, peaks, skipped


def summary(case: Case, samples: Samples) -> dict[str, Any]:
    """Return the record of a case: median and quartiles of each contestant, and its rate."""
    results = {name: _figures(case, seconds) for name, seconds in samples.items()}
    ours = results[OURS]["seconds"]
    for figures in results.values():
        figures["ratio"] = figures["seconds"] / ours
    about = {name: getattr(case, name) for name in ("key", "group", "name", "dtype", "threads")}
    return about | {"n": case.a[-1], "memory_bound": case.memory_bound, "results": results}


def _figures(case: Case, seconds: list[float]) -> dict[str, float]:
    q1, median, q3 = statistics.quantiles(seconds, n=4, method="inclusive")
    return {
        "seconds": median,
        "q1": q1,
        "q3": q3,
        "gflops": 1e-9 * case.flops / median,
        "gbytes": 1e-9 * case.bytes / median,
    }


def all_threads() -> int:
    """Return how many CPUs this process may use."""
    return len(os.sched_getaffinity(0))
