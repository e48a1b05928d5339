"""Turns: every contestant does the same, one after the other, several times round."""

import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.field import Field
from benchmarks.products import DTYPES
from benchmarks.rival import OURS
from benchmarks.worker import SkippedError, Worker

_SLOW, _FEW = 1.0, 3  # calls of more seconds take so many turns: noise is short beside them

Sample = tuple[float, float]
"""Mean seconds, and how many CPUs were busy."""


@dataclass(frozen=True)
class Plan:
    """How long to measure a case.

    Parameters
    ----------
    seconds : float
        For a case, all contestants together, where calls are short.
    rounds : int
        Turns of each contestant, where calls are short.
    """

    seconds: float
    rounds: int

    def repeats(self, call: float, contestants: int) -> int:
        """Return how many calls of so many seconds make one turn."""
        return max(1, round(self.seconds / self.rounds / contestants / max(call, 1e-8)))


QUICK = Plan(seconds=0.15, rounds=5)
FULL = Plan(seconds=0.6, rounds=7)


def measure_all(cases: Iterable[Any], field: Field, plan: Plan) -> list[dict[str, Any]]:
    """Return the records of cases, and print a line for each."""
    records = []
    for case in cases:
        records.append(measure(case, field, plan))
        print(_line(records[-1]), flush=True)
    return records


def measure(case: Any, field: Field, plan: Plan) -> dict[str, Any]:
    """Return the record of a case: what each contestant took, and who could not.

    Raises
    ------
    ArithmeticError
        The answer of tilewise is wrong; a wrong rival is skipped.
    SkippedError
        The process of tilewise has ended, or raised; a rival that does so in its turn is left out
        from then on.
    """
    ready: dict[Worker, float] = {}
    forms: dict[str, str | None] = {}
    skipped: dict[str, str] = {}
    for worker in list(field.workers):
        try:
            seconds = worker.load(case)
            forms[worker.name], ready[worker] = worker.form(), seconds
        except (SkippedError, ArithmeticError) as reason:
            skipped[worker.name] = field.leave_out(worker, case.key, reason)
    samples: dict[str, list[Sample]] = {worker.name: [] for worker in ready}
    peaks = []
    for _ in range(plan.rounds if max(ready.values()) < _SLOW else _FEW):
        if case.dtype in DTYPES:
            peaks.append(field.ours.peak(case.dtype))
        for worker, call in list(ready.items()):
            try:
                samples[worker.name].append(worker.sample(plan.repeats(call, len(ready))))
                if case.threads > 1:
                    worker.rest()
            except (SkippedError, ArithmeticError) as reason:
                skipped[worker.name] = field.leave_out(worker, case.key, reason, for_good=True)
                del ready[worker], samples[worker.name]
    tried = {name: form for name, form in forms.items() if form is not None}
    return summary(case, samples) | {"peaks": peaks, "forms": tried, "skipped": skipped}


def summary(case: Any, samples: dict[str, list[Sample]]) -> dict[str, Any]:
    """Return the record of a case: median and quartiles of each contestant, and its rate."""
    results = {name: _figures(case, taken) for name, taken in samples.items()}
    ours = results[OURS]["seconds"]
    for figures in results.values():
        figures["ratio"] = figures["seconds"] / ours
    derived = ("key", "name", "flops", "bytes", "working_set")
    return asdict(case) | {name: getattr(case, name) for name in derived} | {"results": results}


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


def _line(record: dict[str, Any]) -> str:
    ratios = [f"{n} {f['ratio']:.2f}" for n, f in record["results"].items() if n != OURS]
    seconds = record["results"][OURS]["seconds"]
    return f"{record['key']:<60} {1e6 * seconds:10.4g} us   {', '.join(ratios)}"
