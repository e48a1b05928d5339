"""A run: every case in several visits, each with processes of its own."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeVar

from benchmarks.cases import all_cases
from benchmarks.cases.case import BESIDE, Case
from benchmarks.cases.products import Product
from benchmarks.machine import BUSY, limits, machine
from benchmarks.rivals import RIVALS
from benchmarks.rivals.rival import OURS
from benchmarks.shapes import FIGURES, Point, measured, summary
from benchmarks.turns import FULL, QUICK, SHAPE, Plan, Row, Visit, line, rows, visit
from benchmarks.worker import SkippedError, Worker

_SHAPES, _QUICK_SHAPES = 150, 5  # of each dtype and number of threads
AnyCase = TypeVar("AnyCase", bound=Case)


@dataclass
class Run:
    """What a run found."""

    quick: bool
    machine: dict[str, Any]
    limits: dict[str, Any]
    contestants: dict[str, dict[str, str]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)  # who did not start, and why
    left_out: dict[str, dict[str, str]] = field(default_factory=dict)  # by name and key, why
    cases: dict[Case, dict[str, Row]] = field(default_factory=dict)
    seed: int = 0  # of the shapes
    shapes: dict[str, Any] = field(default_factory=dict)  # of products at random
    points: list[Point] = field(default_factory=list)  # of the same, which no file has


def run(*, quick: bool, only: Callable[[str], object] = bool) -> Run:
    """Measure the cases of which ``only(key)`` holds; all by default.

    All cases are visited before any is visited again: what makes a process fast or slow for as
    long as it lives, and a machine for minutes, differs between the visits of a case.
    """
    found = Run(quick, machine(), limits(refresh=not quick))
    if found.machine["load"] > BUSY:
        print(f"load {found.machine['load']}: others use this machine; do not trust what follows")
    cases = [c for c in all_cases(found.machine["cpus"], quick=quick) if only(c.key)]
    visits: dict[Case, list[Visit]] = {case: [] for case in cases}
    plan = QUICK if quick else FULL
    for number in range(1, plan.visits + 1):
        print(f"visit {number} of {plan.visits}: {len(cases)} cases")
        for case, taken in _visited(found, cases, plan):
            visits[case].append(taken)
            print(line(case, rows([taken])), flush=True)
            for name, why in taken.skipped.items():
                found.left_out.setdefault(name, {})[case.key] = why
    found.cases = {case: rows(taken) for case, taken in visits.items() if taken}
    if only("shapes"):
        _add_shapes(found)
    return found


def _add_shapes(found: Run) -> None:
    """Measure products of shapes at random."""

    def measure(cases: list[Product]) -> dict[Product, tuple[float, float]]:
        taken = {case: rows([visit]) for case, visit in _visited(found, cases, SHAPE)}
        return {case: (of[OURS].time, of["numpy"].ratio) for case, of in taken.items()}

    count, found.seed = (_QUICK_SHAPES if found.quick else _SHAPES), secrets.randbits(32)
    threads = sorted({1, found.machine["cpus"]})
    found.points = measured(measure, found.limits, threads, count, found.seed)
    found.shapes = summary(found.points)
    for name, figures in found.shapes["groups"].items():
        print("shapes", name, dict(zip(FIGURES, figures, strict=True)))


def _visited(found: Run, cases: Sequence[AnyCase], plan: Plan) -> Iterator[tuple[AnyCase, Visit]]:
    """Visit each case once, those together that have the same processes."""
    processes = attrgetter("only", "threads", "after")
    for (only, threads, after), of in groupby(sorted(cases, key=processes), processes):
        with _workers(found, only, threads) as workers:
            if after in ("", BESIDE, *found.contestants):
                for case in of:
                    yield case, visit(case, workers, plan)


@contextmanager
def _workers(found: Run, only: tuple[str, ...], threads: int) -> Iterator[list[Worker]]:
    """Start contestants, all at once, tilewise first, and note who takes part and who does not."""
    names = sorted(only or RIVALS, key=lambda name: name != OURS)
    with ExitStack() as ends:
        started, running = [Worker(name, threads) for name in names], []
        for worker in started:
            ends.callback(worker.close)
            try:
                found.contestants[worker.name] = worker.ask("about")
            except (SkippedError, ArithmeticError) as reason:
                if worker.name == OURS:
                    raise
                if worker.name not in found.skipped:
                    print(f"without {worker.name}: {reason}")
                found.skipped[worker.name] = str(reason)
            else:
                running.append(worker)
        yield running
