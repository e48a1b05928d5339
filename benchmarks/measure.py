"""Turns: every contestant does the same, one after the other, several times round."""

import statistics
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

from benchmarks.field import Field
from benchmarks.products import DTYPES
from benchmarks.rival import OURS
from benchmarks.worker import SkippedError, Worker

# Calls of more seconds take about so many turns in all visits: noise is short beside them.
_SLOW, _FEW = 1.0, 3

Sample = tuple[float, float]
"""Mean seconds, and how many CPUs were busy."""


@dataclass(frozen=True)
class Plan:
    """How long to measure a case.

    Parameters
    ----------
    visits : int
        Sets of processes in which it is measured, one after the other.
    rounds : int
        Turns of each contestant in a visit, where calls are short.
    seconds : float
        For a visit, all contestants together, where calls are short.
    """

    visits: int
    rounds: int
    seconds: float

    def repeats(self, call: float, contestants: int) -> int:
        """Return how many calls of so many seconds make one turn."""
        return max(1, round(self.seconds / self.rounds / contestants / max(call, 1e-8)))


QUICK = Plan(visits=1, rounds=5, seconds=0.15)
FULL = Plan(visits=2, rounds=5, seconds=0.4)


@dataclass
class Visit:
    """What was found of a case in one set of processes.

    Attributes
    ----------
    samples : dict of list of Sample
        By contestant, those of its turns.
    peaks : list of float
        GFLOP/s that one core reached in each round.
    forms : dict of str
        Which way of writing the case down was timed, of those that tried several.
    skipped : dict of str
        Why others took no part.
    """

    samples: dict[str, list[Sample]]
    peaks: list[float]
    forms: dict[str, str]
    skipped: dict[str, str]


def visit(case: Any, field: Field, plan: Plan) -> Visit:
    """Measure a case once, and print a line of it.

    Raises
    ------
    ArithmeticError
        The answer of tilewise is wrong; a wrong rival is skipped.
    SkippedError
        The process of tilewise has ended, or raised; a rival that does so in its turn is left out
        from then on.
    """
    found = Visit(samples={}, peaks=[], forms={}, skipped={})
    ready: dict[Worker, float] = {}
    for worker in list(field.workers):
        try:
            seconds, form = worker.load(case), worker.form()
            ready[worker] = seconds
            if form:
                found.forms[worker.name] = form
        except (SkippedError, ArithmeticError) as reason:
            found.skipped[worker.name] = field.leave_out(worker, case.key, reason)
    few = max(1, _FEW // plan.visits)
    for turn in range(plan.rounds):
        if case.dtype in DTYPES:
            found.peaks.append(field.ours.peak(case.dtype))
        for worker, call in list(ready.items()):
            if call >= _SLOW and turn >= few:
                continue
            try:
                sample = worker.sample(plan.repeats(call, len(ready)))
                found.samples.setdefault(worker.name, []).append(sample)
                if case.threads > 1:
                    worker.rest()
            except (SkippedError, ArithmeticError) as reason:
                why = field.leave_out(worker, case.key, reason, for_good=True)
                found.skipped[worker.name] = why
                found.samples.pop(worker.name, None)
                del ready[worker]
    print(_line(case, found), flush=True)
    return found


def summary(case: Any, visits: list[Visit]) -> dict[str, Any]:
    """Return the record of a case: median and quartiles of each contestant, and its rate.

    They are of all turns of all visits. Who was not there in each of them is left out.
    """
    skipped = {name: why for found in visits for name, why in found.skipped.items()}
    samples: dict[str, list[list[Sample]]] = {}
    for found in visits:
        for name, taken in found.samples.items():
            samples.setdefault(name, []).append(taken)
    results = {}
    for name, taken_by_visit in samples.items():
        if len(taken_by_visit) == len(visits):
            results[name] = _figures(case, list(chain.from_iterable(taken_by_visit)))
        else:
            skipped.setdefault(name, "not in every visit")
    ours = results[OURS]["seconds"]
    for figures in results.values():
        figures["ratio"] = figures["seconds"] / ours
    forms: dict[str, dict[str, None]] = {}
    for found in visits:
        for name, form in found.forms.items():
            forms.setdefault(name, {})[form] = None
    derived = ("key", "name", "flops", "bytes", "working_set")
    return (
        asdict(case)
        | {name: getattr(case, name) for name in derived}
        | {"results": results, "peaks": [peak for found in visits for peak in found.peaks]}
        | {"forms": {name: " or ".join(f) for name, f in forms.items()}, "skipped": skipped}
    )


def _figures(case: Any, taken: list[Sample]) -> dict[str, float]:
    q1, median, q3 = statistics.quantiles([s for s, _ in taken], n=4, method="inclusive")
    return {
        "seconds": median,
        "q1": q1,
        "q3": q3,
        "gflops": 1e-9 * case.flops / median,
        "gbytes": 1e-9 * case.bytes / median,
        "cpus": round(statistics.median(cpus for _, cpus in taken), 2),
    }


def _line(case: Any, found: Visit) -> str:
    medians = {n: statistics.median(s for s, _ in taken) for n, taken in found.samples.items()}
    ours = medians.pop(OURS)
    ratios = [f"{name} {seconds / ours:.2f}" for name, seconds in medians.items()]
    return f"{case.key:<60} {1e6 * ours:10.4g} us   {', '.join(ratios)}"
