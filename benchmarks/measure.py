"""Turns: every contestant does the same, one after the other, several times round."""

import statistics
from dataclasses import asdict, dataclass
from itertools import chain
from math import exp, log
from typing import Any

from benchmarks.field import Field
from benchmarks.products import DTYPES
from benchmarks.rival import OURS
from benchmarks.worker import SkippedError, Worker

# Seconds that the turns of a contestant with long calls take: noise is short beside such calls.
_LONG_ENOUGH = 1.0

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
        Turns of each contestant in a visit; fewer where calls are long.
    seconds : float
        For a visit, all contestants together, where calls are short.
    """

    visits: int
    rounds: int
    seconds: float

    def repeats(self, call: float, contestants: int) -> int:
        """Return how many calls of so many seconds make one turn."""
        return max(1, round(self.seconds / self.rounds / contestants / max(call, 1e-8)))

    def turns(self, call: float) -> int:
        """Return how many turns a contestant takes in a visit whose call takes so many seconds."""
        return max(1, min(self.rounds, round(_LONG_ENOUGH / max(call, 1e-8))))


QUICK = Plan(visits=1, rounds=4, seconds=0.12)
FULL = Plan(visits=2, rounds=7, seconds=0.56)


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
    for turn in range(plan.rounds):
        if case.dtype in DTYPES:
            found.peaks.append(field.ours.peak(case.dtype))
        for worker, call in list(ready.items()):
            turns = plan.turns(call)
            if turn * turns % plan.rounds >= turns:  # fewer turns are spread over the rounds
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
    """Return the record of a case: times and ratios of each contestant, and its rate.

    Medians are of all turns of all visits. Who was not there in each of them is left out.
    """
    skipped = {name: why for found in visits for name, why in found.skipped.items()}
    results = {}
    for name in dict.fromkeys(name for found in visits for name in found.samples):
        if all(name in found.samples for found in visits):
            results[name] = _figures(case, name, visits)
        else:
            skipped.setdefault(name, "not in every visit")
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


def _figures(case: Any, name: str, visits: list[Visit]) -> dict[str, float]:
    times = [[seconds for seconds, _ in found.samples[name]] for found in visits]
    q1, median, q3 = _quartiles(times)
    # Of logarithms: of noise alone the middle is 1, whichever side it is on.
    ratios = _quartiles([list(map(log, _ratios(found, name))) for found in visits])
    ratio_q1, ratio, ratio_q3 = map(exp, ratios)
    busy = [cpus for found in visits for _, cpus in found.samples[name]]
    return {
        "seconds": median,
        "q1": q1,
        "q3": q3,
        "ratio": ratio,
        "ratio_q1": ratio_q1,
        "ratio_q3": ratio_q3,
        "gflops": 1e-9 * case.flops / median,
        "gbytes": 1e-9 * case.bytes / median,
        "cpus": round(statistics.median(busy), 2),
    }


def _ratios(found: Visit, name: str) -> list[float]:
    """Return the times of a contestant over those of tilewise, round by round.

    What slows the machine for a while slows both sides of a round. Where one took fewer turns, as
    its calls are long, the other's median stands beside each of them: one short turn says little.
    """
    theirs = [seconds for seconds, _ in found.samples[name]]
    ours = [seconds for seconds, _ in found.samples[OURS]]
    if len(theirs) < len(ours):
        ours = [statistics.median(ours)] * len(theirs)
    elif len(ours) < len(theirs):
        theirs = [statistics.median(theirs)] * len(ours)
    return [seconds / beside for seconds, beside in zip(theirs, ours, strict=True)]


def _quartiles(visits: list[list[float]]) -> tuple[float, float, float]:
    """Return the least first quartile of a visit, the median of all, the greatest third one.

    Visits differ by more than turns: quartiles of all turns together would hide that.
    """
    each = [_quantiles(taken) for taken in visits]
    median = statistics.median(chain.from_iterable(visits))
    return min(q1 for q1, _, _ in each), median, max(q3 for _, _, q3 in each)


def _quantiles(taken: list[float]) -> list[float]:
    if len(taken) == 1:
        return taken * 3
    return statistics.quantiles(taken, n=4, method="inclusive")


def _line(case: Any, found: Visit) -> str:
    ours = statistics.median(seconds for seconds, _ in found.samples[OURS])
    ratios = [
        f"{name} {statistics.median(_ratios(found, name)):.2f}"
        for name in found.samples
        if name != OURS
    ]
    return f"{case.key:<60} {1e6 * ours:10.4g} us   {', '.join(ratios)}"
