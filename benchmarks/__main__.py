"""Measures, draws and compares: ``python -m benchmarks --help``."""

import argparse
import sys
from collections.abc import Collection
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks import results, tables
from benchmarks.epochs import epoch_cases
from benchmarks.field import Field, best_core
from benchmarks.growth import growth_cases
from benchmarks.machine import BUSY, ROOT, all_threads, machine
from benchmarks.measure import FULL, QUICK, measure_all
from benchmarks.page import PICTURES, page, readme
from benchmarks.products import DTYPES, product_cases
from benchmarks.rival import OURS, RIVALS
from benchmarks.worker import SkippedError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except (OSError, ValueError, ArithmeticError, SkippedError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure tilewise beside its rivals; write benchmarks/results/CPU-ISA.json, "
        "and from it docs/performance.md, its pictures and the figures in README.md.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--quick", action="store_true", help="some minutes; writes the JSON alone")
    what.add_argument("--draw", type=Path, metavar="FILE.json", help="do not measure: draw this")
    parser.add_argument(
        "--compare", type=Path, metavar="OLD.json", help="say what got slower since"
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    old = results.load(options.compare) if options.compare else None  # before it is replaced
    if options.draw:
        record, path = results.load(options.draw), options.draw
    else:
        if old:
            results.check_same_machine(old, machine())
        record = _measure(quick=options.quick)
        path = results.path_for(record)
        results.save(record, path)
        print(f"\nwrote {path}")
    if options.draw or not record["quick"]:
        publish(record, path.name, ROOT)
    print(*tables.losses(record) or ["no rival was faster"], sep="\n")
    return _compare(old, record, again=not options.draw) if old else 0


def publish(record: dict[str, Any], source: str, root: Path) -> None:
    """Write what a repository shows of a run: page, pictures, and the figures in the README."""
    text = readme((root / "README.md").read_text(), record, source)
    results.write(root / "docs" / "performance.md", page(record, source))
    results.write(root / "README.md", text)
    try:
        from benchmarks.pictures import png
    except ImportError:
        print('no pictures without matplotlib; pip install "tilewise[bench]"')
        return
    for name in PICTURES:
        results.write(root / "docs" / "images" / f"performance-{name}.png", png(name, record))


def _measure(*, quick: bool, only: Collection[str] | None = None) -> dict[str, Any]:
    """Return the record of a run, of all cases or those with certain keys."""
    about = machine()
    if about["load"] > BUSY and only is None:  # else it is our own
        print(f"load {about['load']}: others use this machine; do not trust what follows")
    record: dict[str, Any] = {"quick": quick, "machine": about, "contestants": {}}
    record |= {"skipped": {}, "failed": {}, "cases": []}
    try:
        core = best_core()
    except SkippedError as reason:
        record["skipped"]["numpy-best"], core = str(reason), None
    most = all_threads()
    for threads in sorted({1, most}):
        _with_rivals(record, threads, core, only)
    with Field() as alone:
        alone.enter([OURS])
        _measure_into(record, growth_cases(quick=quick, threads=most), alone, only)
    return record | {"peaks": {dtype: _peak(record["cases"], dtype) for dtype in DTYPES}}


def _peak(cases: list[dict[str, Any]], dtype: str) -> float:
    peaks = chain.from_iterable(case["peaks"] for case in cases if case["dtype"] == dtype)
    return max(peaks, default=0.0)


def _with_rivals(
    record: dict[str, Any],
    threads: int,
    core: dict[str, str] | None,
    only: Collection[str] | None,
) -> None:
    """Measure the cases of a number of threads."""
    names = [name for name in RIVALS if name != "numpy-best" or core]
    with Field() as field:
        field.enter(names, threads, core)
        if not record["contestants"]:  # the same for all numbers of threads
            record["contestants"] = field.about()
        record.setdefault("limits", field.ours.limits())
        for name, why in (record["skipped"] | field.skipped).items():
            record["skipped"][name] = why
            print(f"without {name}: {why}")
        quick, last_cache = record["quick"], record["limits"]["l3"]
        products = product_cases(quick=quick, threads=threads, last_cache=last_cache)
        cases = [*products, *epoch_cases(quick=quick, threads=threads)]
        _measure_into(record, cases, field, only)


def _measure_into(
    record: dict[str, Any], cases: list[Any], field: Field, only: Collection[str] | None
) -> None:
    if only is not None:
        cases = [case for case in cases if case.key in only]
    record["cases"] += measure_all(cases, field, QUICK if record["quick"] else FULL)
    record["failed"] |= field.failed


def _compare(old: dict[str, Any], new: dict[str, Any], *, again: bool) -> int:
    """Print what got slower; what looks so is measured once more, in fresh processes.

    Where its pages lie makes a process fast or slow for as long as it lives.
    """
    lines = results.slower(old, new)
    if lines and again:
        print(f"\nonce more, as they look slower: {len(lines)}")
        twice = results.slower(old, _measure(quick=new["quick"], only=lines))
        lines = {key: line for key, line in lines.items() if key in twice}
    heading = "slower than before:" if lines else "nothing got slower beyond the noise"
    print(f"\n{heading}", *lines.values(), sep="\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
