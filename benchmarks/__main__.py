"""Measures, draws and compares: ``python -m benchmarks --help``."""

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarks import results, tables
from benchmarks.machine import ROOT, machine
from benchmarks.page import PICTURES, page, readme
from benchmarks.run import run
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
    what.add_argument("--quick", action="store_true", help="two minutes; writes the JSON alone")
    what.add_argument("--draw", type=Path, metavar="FILE.json", help="do not measure: draw this")
    parser.add_argument(
        "--compare", type=Path, metavar="OLD.json", help="say what got slower since"
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    old = results.load(options.compare) if options.compare else None  # before it is replaced
    if old and not options.draw:
        to_come = {"machine": machine(), "quick": options.quick, "cases": []}
        results.check_comparable(old, to_come)
    record = results.load(options.draw) if options.draw else run(quick=options.quick)
    agreement = results.agreement(old, record) if old else None
    if options.draw:
        path = options.draw
    else:
        if agreement:
            record["agreement"] = agreement
        path = results.path_for(record)
        results.save(record, path)
        print(f"\nwrote {path}")
    if options.draw or not record["quick"]:
        publish(record, path.name, ROOT)
    print(*tables.losses(record) or ["no rival was faster"], sep="\n")
    if not old or not agreement:
        return 0
    print(f"\n{tables.agreement(agreement)}")
    return _slower(old, record, again=not options.draw)


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


def _slower(old: dict[str, Any], new: dict[str, Any], *, again: bool) -> int:
    """Print what got slower: what looks so is measured once more. Return the exit status."""
    lines = results.slower(old, new)
    if lines and again:
        print(f"once more, as they look slower: {len(lines)}")
        twice = results.slower(old, run(quick=new["quick"], only=lines))
        lines = {key: line for key, line in lines.items() if key in twice}
    heading = "slower than before:" if lines else "nothing got slower beyond the noise"
    print(f"\n{heading}", *lines.values(), sep="\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
