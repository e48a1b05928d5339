"""A run: every case in several visits, each with processes of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.cases import all_cases
from benchmarks.cases.case import Case
from benchmarks.machine import BUSY, limits, machine, size
from benchmarks.rivals import RIVALS
from benchmarks.rivals.rival import OURS
from benchmarks.turns import FULL, QUICK, Row, Visit, rows, visit
from benchmarks.worker import SkippedError, Worker


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


def run(*, quick: bool, only: Callable[[str], bool] = bool) -> Run:
    """Measure the cases of which ``only(key)`` holds; all by default.

    All cases are visited before any is visited again: what makes a process fast or slow for as
    long as it lives, and a machine for minutes, differs between the visits of a case.
    """
    found = Run(quick, machine(), limits(refresh=not quick))
    if found.machine["load"] > BUSY:
        print(f"load {found.machine['load']}: others use this machine; do not trust what follows")
    cases = [c for c in all_cases(size(found.machine, found.limits), quick=quick) if only(c.key)]
    plan = QUICK if quick else FULL
    visits: dict[Case, list[Visit]] = {case: [] for case in cases}
    for number in range(1, plan.visits + 1):
        print(f"visit {number} of {plan.visits}, {len(cases)} cases")
        for alone, threads in sorted({(c.alone, 1 if c.alone else c.threads) for c in cases}):
            with _workers(found, [OURS] if alone else [*RIVALS], threads) as workers:
                for case in cases:
                    if case.alone == alone and (alone or case.threads == threads):
                        visits[case].append(visit(case, workers, plan))
    for case, taken in visits.items():
        found.cases[case] = rows(taken)
        for name, why in (item for each in taken for item in each.skipped.items()):
            found.left_out.setdefault(name, {})[case.key] = why
    return found


@contextmanager
def _workers(found: Run, names: list[str], threads: int) -> Iterator[list[Worker]]:
    """Start contestants, all at once, tilewise first, and note who takes part and who does not."""
    names.sort(key=lambda name: name != OURS)
    with ExitStack() as ends:
        started, running = [Worker(name, threads) for name in names], []
        for worker in started:
            ends.callback(worker.close)
            try:
                about = worker.receive()
            except (SkippedError, ArithmeticError) as reason:
                if worker.name == OURS:
                    raise
                if worker.name not in found.skipped:
                    print(f"without {worker.name}: {reason}")
                found.skipped[worker.name] = str(reason)
            else:
                found.contestants.setdefault(worker.name, about)
                running.append(worker)
        yield running
