"""A run: every case in several visits, each with processes of its own."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.cases import all_cases
from benchmarks.cases.case import BESIDE, Case
from benchmarks.cases.products import Product
from benchmarks.machine import BUSY, limits, machine, size
from benchmarks.rivals import RIVALS, is_installed
from benchmarks.rivals.rival import OURS
from benchmarks.shapes import FIGURES, Point, measured, summary
from benchmarks.turns import FULL, QUICK, SHAPE, Row, Visit, line, rows, visit
from benchmarks.worker import SkippedError, Worker

_SHAPES, _QUICK_SHAPES = 150, 5  # of each dtype and number of threads
_SECONDS = {True: 1.2, False: 4.5}  # that a case takes in a visit of a quick and a full run
_SHAPE_SECONDS = 0.5


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


def add_shapes(found: Run) -> None:
    """Measure products of shapes at random."""
    count, seed = (_QUICK_SHAPES if found.quick else _SHAPES), secrets.randbits(32)

    def measure(cases: list[Product]) -> dict[Product, tuple[float, float]]:
        found_in = {}
        for threads in sorted({case.threads for case in cases}):
            with _workers(found, (OURS, "numpy"), threads) as workers:
                for case in (case for case in cases if case.threads == threads):
                    taken = rows([visit(case, workers, SHAPE)])
                    found_in[case] = taken[OURS].time, taken["numpy"].ratio
        return found_in

    threads = size(found.machine, found.limits).threads
    found.points = measured(measure, found.limits, threads, count, seed)
    found.seed, found.shapes = seed, summary(found.points)
    for name, figures in found.shapes["groups"].items():
        print("shapes", name, dict(zip(FIGURES, figures, strict=True)))


def run(*, quick: bool, only: Callable[[str], object] = bool) -> Run:
    """Measure the cases of which ``only(key)`` holds; all by default.

    All cases are visited before any is visited again: what makes a process fast or slow for as
    long as it lives, and a machine for minutes, differs between the visits of a case.
    """
    found = Run(quick, machine(), limits(refresh=not quick))
    if found.machine["load"] > BUSY:
        print(f"load {found.machine['load']}: others use this machine; do not trust what follows")
    here = {"", BESIDE, *(name for name in RIVALS if is_installed(name))}
    cases = all_cases(size(found.machine, found.limits), quick=quick)
    cases = [case for case in cases if only(case.key) and case.after in here]
    plan = QUICK if quick else FULL
    visits: dict[Case, list[Visit]] = {case: [] for case in cases}
    for number in range(1, plan.visits + 1):
        left = (plan.visits - number + 1) * len(cases) * _SECONDS[quick]
        left += 4 * _SHAPE_SECONDS * (_QUICK_SHAPES if quick else _SHAPES) * bool(only("shapes"))
        print(f"visit {number} of {plan.visits}: {len(cases)} cases; {left / 60:.0f} minutes left")
        for of in sorted({_processes(case) for case in cases}):
            with _workers(found, of[0], of[1]) as workers:
                for case in (case for case in cases if _processes(case) == of):
                    visits[case].append(visit(case, workers, plan))
                    print(line(case, visits[case][-1]), flush=True)
    for case, taken in visits.items():
        found.cases[case] = rows(taken)
        for name, why in (item for each in taken for item in each.skipped.items()):
            found.left_out.setdefault(name, {})[case.key] = why
    if only("shapes"):
        add_shapes(found)
    return found


def _processes(case: Case) -> tuple[tuple[str, ...], int, str]:
    """Return what tells the processes of a case from others: who is in them, and with what."""
    return case.only, case.threads, case.after


@contextmanager
def _workers(found: Run, only: tuple[str, ...], threads: int) -> Iterator[list[Worker]]:
    """Start contestants, all at once, tilewise first, and note who takes part and who does not."""
    names = sorted(only or RIVALS, key=lambda name: name != OURS)
    with ExitStack() as ends:
        started, running = [Worker(name, threads) for name in names], []
        for worker in started:
            ends.callback(worker.close)
            try:
                worker.receive()
                if worker.name not in found.contestants:
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
