"""Measures, draws and compares: ``python -m benchmarks --help``."""

import argparse
import re
import sys
from pathlib import Path

from benchmarks import results
from benchmarks.machine import ROOT, machine
from benchmarks.page import publish
from benchmarks.run import Run, run
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
        description="Measure tilewise beside its rivals; write the folder benchmarks/results/"
        "CPU-ISA, and from it docs/performance.md, its pictures and the figures in README.md.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--quick", action="store_true", help="two minutes; writes the folder alone")
    what.add_argument("--draw", type=Path, metavar="FOLDER", help="do not measure: draw this")
    parser.add_argument("-k", metavar="REGEX", help="measure some cases; write nothing")
    parser.add_argument("--compare", type=Path, metavar="OLD", help="say what got slower since")
    return parser


def _run(options: argparse.Namespace) -> int:
    if options.k is not None:
        run(quick=options.quick, only=re.compile(options.k).search)
        return 0
    old = results.load(options.compare) if options.compare else None  # before it is replaced
    found = results.load(options.draw) if options.draw else None
    if old:
        results.check_comparable(old, found.machine if found else machine(), quick=options.quick)
    if found is None:
        found = run(quick=options.quick)
        results.save(found, results.folder_for(found))
        print(f"\nwrote {results.folder_for(found)}")
    if not found.quick:
        publish(found, results.folder_for(found).name, ROOT)
    return _compare(old, found, again=not options.draw) if old else 0


def _compare(old: Run, new: Run, *, again: bool) -> int:
    """Print what got slower: what looks so is measured once more. Return the exit status."""
    lines = results.slower(old, new)
    if lines and again:
        print(f"once more, as they look slower: {len(lines)}")
        twice = results.slower(old, run(quick=new.quick, only=lines.__contains__))
        lines = {key: line for key, line in lines.items() if key in twice}
    heading = "slower than before:" if lines else "nothing got slower beyond the noise"
    print(f"\n{heading}", *lines.values(), sep="\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
