"""A run: every case in several visits, each with processes of its own, and the record of all."""

from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any

from benchmarks.epochs import epoch_cases
from benchmarks.field import Field, best_core
from benchmarks.growth import growth_cases
from benchmarks.machine import BUSY, all_threads, machine
from benchmarks.measure import FULL, QUICK, Visit, summary, visit
from benchmarks.products import DTYPES, product_cases
from benchmarks.rival import OURS, RIVALS
from benchmarks.worker import SkippedError

Record = dict[str, Any]


def run(*, quick: bool, only: Collection[str] | None = None) -> Record:
    """Return the record of a run, of all cases or of those with certain keys.

    All cases are visited before any is visited again: what makes a process fast or slow for as
    long as it lives, and a machine for minutes, differs between the visits of a case.
    """
    about = machine()
    if about["load"] > BUSY and only is None:  # else it is our own
        print(f"load {about['load']}: others use this machine; do not trust what follows")
    record: Record = {"quick": quick, "machine": about, "contestants": {}}
    record |= {"skipped": {}, "failed": {}}
    try:
        core = best_core()
    except SkippedError as reason:
        record["skipped"]["numpy-best"], core = str(reason), None
    plan = QUICK if quick else FULL
    visits: dict[Any, list[Visit]] = {}
    for number in range(1, plan.visits + 1):
        print(f"visit {number} of {plan.visits}")
        for field, cases in _fields(record, core):
            for case in cases:
                if only is None or case.key in only:
                    visits.setdefault(case, []).append(visit(case, field, plan))
            record["failed"] = field.failed | record["failed"]
    record["cases"] = [summary(case, taken) for case, taken in visits.items()]
    return record | {"peaks": {dtype: _peak(record["cases"], dtype) for dtype in DTYPES}}


def _fields(record: Record, core: dict[str, str] | None) -> Iterator[tuple[Field, list[Any]]]:
    """Yield fresh processes of the contestants, and the cases of one visit that are theirs."""
    quick, most = record["quick"], all_threads()
    for threads in sorted({1, most}):
        with Field() as field:
            field.enter([n for n in RIVALS if n != "numpy-best" or core], threads, core)
            _describe(record, field)
            last_cache = record["limits"]["l3"]
            products = product_cases(quick=quick, threads=threads, last_cache=last_cache)
            yield field, [*products, *epoch_cases(quick=quick, threads=threads)]
    with Field() as alone:
        alone.enter([OURS])
        yield alone, growth_cases(quick=quick, threads=most)


def _describe(record: Record, field: Field) -> None:
    """Note who takes part, where it is not known yet: the same for all threads and visits."""
    if not record["contestants"]:
        record["contestants"] = field.about()
        record["limits"] = field.ours.limits(kept=record["quick"])
    for name, why in field.skipped.items():
        if name not in record["skipped"]:
            record["skipped"][name] = why
            print(f"without {name}: {why}")


def _peak(cases: list[Record], dtype: str) -> float:
    peaks = chain.from_iterable(case["peaks"] for case in cases if case["dtype"] == dtype)
    return max(peaks, default=0.0)
