"""Measures and draws: ``python -m benchmarks --help``."""

import argparse
import re
import sys
from pathlib import Path

from benchmarks import results
from benchmarks.machine import ROOT
from benchmarks.page import publish
from benchmarks.run import run
from benchmarks.worker import SkippedError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except (OSError, ValueError, ArithmeticError, SkippedError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    return 0


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
    return parser


def _run(options: argparse.Namespace) -> None:
    if options.k is not None:
        run(quick=options.quick, only=re.compile(options.k).search)
        return
    found = results.load(options.draw) if options.draw else run(quick=options.quick)
    folder = results.folder_for(found)
    if not options.draw:
        results.save(found, folder)
        print(f"\nwrote {folder}")
    if not found.quick:
        publish(found, folder.name, ROOT)


if __name__ == "__main__":
    sys.exit(main())
