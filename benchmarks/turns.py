"""Turns: every contestant does the same, one after the other, several times round."""

import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain
from math import exp, log
from typing import NamedTuple

from benchmarks.cases.case import BESIDE, Case
from benchmarks.clock import repeats_in
from benchmarks.rivals.rival import OURS
from benchmarks.worker import EndedError, SkippedError, Worker

# Seconds that the turns of a contestant with long calls take: noise is short beside such calls.
_LONG_ENOUGH = 1.0


@dataclass(frozen=True)
class Plan:
    """How long to measure a case."""

    visits: int  # sets of processes in which it is measured, one after the other
    rounds: int  # turns of each contestant in a visit; fewer where a call of any is long
    seconds: float  # for a visit, all contestants together, where calls are short


QUICK = Plan(visits=1, rounds=4, seconds=0.12)
FULL = Plan(visits=2, rounds=7, seconds=0.56)
SHAPE = Plan(visits=1, rounds=5, seconds=0.05)


class Visit(NamedTuple):
    """What was found of a case in one set of processes, by contestant."""

    samples: dict[str, list[float]]  # seconds of a unit
    skipped: dict[str, str]


class Row(NamedTuple):
    """What is kept of a contestant in a case: quartiles of times and ratios.

    Quartiles are the least first one of a visit, the median of all turns, and the greatest third
    one: visits differ by more than turns, which quartiles of all turns together would hide.
    """

    low: float  # microseconds of a unit
    time: float
    high: float
    ratio_low: float  # over the time of tilewise in the same round
    ratio: float
    ratio_high: float


def visit(case: Case, workers: list[Worker], plan: Plan) -> Visit:
    """Measure a case once; a rival that fails is left out, and tilewise raises its reason."""
    found, answer = Visit({}, {}), case.answer()
    ready: dict[Worker, float] = {}
    for worker in list(workers):
        with _left_out(worker, found, workers):
            ready[worker] = worker.ask("load", case, answer)
    with _busy_process() if case.after == BESIDE else nullcontext():
        rounds = min(plan.rounds, repeats_in(_LONG_ENOUGH, max(ready.values())))
        for worker, call in [*ready.items()] * rounds:
            if worker.name not in found.skipped:
                repeats = repeats_in(plan.seconds / rounds / len(ready), call)
                with _left_out(worker, found, workers):
                    sample = worker.ask("sample", repeats)
                    found.samples.setdefault(worker.name, []).append(sample)
                    if case.threads > 1:
                        worker.rest()
    return found


@contextmanager
def _busy_process() -> Iterator[None]:
    """Let a process take a CPU meanwhile."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


@contextmanager
def _left_out(worker: Worker, found: Visit, workers: list[Worker]) -> Iterator[None]:
    """Leave a rival out of a case that it cannot do, and of all others if its process has ended."""
    try:
        yield
    except (SkippedError, ArithmeticError) as reason:
        if worker.name == OURS:  # there is nothing to compare with
            raise
        found.skipped[worker.name] = str(reason)
        found.samples.pop(worker.name, None)
        if isinstance(reason, EndedError):
            workers.remove(worker)
            worker.close()


def rows(visits: list[Visit]) -> dict[str, Row]:
    """Return what is kept of those who were there in all visits of a case."""
    names = dict.fromkeys(chain.from_iterable(found.samples for found in visits))
    return {
        name: _row(name, visits) for name in names if all(name in found.samples for found in visits)
    }


def _row(name: str, visits: list[Visit]) -> Row:
    """Return the quartiles of times and of ratios in a round: what slows it slows both sides."""
    pairs = [zip(v.samples[name], v.samples[OURS], strict=True) for v in visits]
    # Of logarithms: of noise alone the middle is 1, whichever side it is on.
    ratios = _quartiles([[log(theirs / ours) for theirs, ours in of] for of in pairs])
    times = _quartiles([[1e6 * seconds for seconds in v.samples[name]] for v in visits])
    return Row(*times, *map(exp, ratios))


def _quartiles(visits: list[list[float]]) -> tuple[float, float, float]:
    each = [quartiles(taken) for taken in visits]
    median = statistics.median(chain.from_iterable(visits))
    return min(q1 for q1, _, _ in each), median, max(q3 for _, _, q3 in each)


def quartiles(taken: list[float]) -> list[float]:
    """Return the quartiles, or three times the same for a single number."""
    return statistics.quantiles(taken, n=4, method="inclusive") if len(taken) > 1 else taken * 3


def line(case: Case, taken: dict[str, Row]) -> str:
    """Return the time of tilewise, and the times of rivals over it."""
    ratios = [f"{name} {row.ratio:.2f}" for name, row in taken.items() if name != OURS]
    return f"{case.key:<60} {taken[OURS].time:10.4g} us   {', '.join(ratios)}"
