"""Measures, draws and compares: ``python -m benchmarks --help``."""

import argparse
import sys
from pathlib import Path
from typing import Any

from benchmarks import results, tables
from benchmarks.cases import DTYPES, product_cases
from benchmarks.measure import FULL, QUICK, Field, all_threads, measure, summary
from benchmarks.peak import METHOD
from benchmarks.rival import OURS

_BUSY = 0.5  # runnable threads, over the last minute


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (OSError, ValueError, ArithmeticError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(required=True)
    gemm = commands.add_parser("gemm", help="measure products beside every BLAS that is installed")
    gemm.add_argument("--quick", action="store_true", help="fewer cases, under two minutes")
    gemm.add_argument("--compare", type=Path, metavar="OLD.json", help="say what got slower since")
    gemm.set_defaults(run=_gemm)
    draw = commands.add_parser("draw", help="draw the picture and the table of a run again")
    draw.add_argument("file", type=Path, nargs="*", help="default: all of benchmarks/results")
    draw.set_defaults(run=_draw_all)
    return parser


def _gemm(options: argparse.Namespace) -> int:
    old = results.load(options.compare) if options.compare else None  # before it is replaced
    record = _measure_all(quick=options.quick)
    path = results.path_for(record)
    results.save(record, path)
    _draw(path)
    print(f"\nwrote {path}")
    print("\n".join(tables.losses(record)) or "no rival was faster")
    return _compare(old, record) if old else 0


def _measure_all(*, quick: bool) -> dict[str, Any]:
    plan = QUICK if quick else FULL
    machine = results.machine()
    if machine["load"] > _BUSY:
        print(f"load {machine['load']}: others use this machine; do not trust what follows")
    peaks = dict.fromkeys(DTYPES, 0.0)
    cases = []
    entered = Field()
    try:
        entered.enter()
        for name, why in entered.skipped.items():
            print(f"without {name}: {why}")
        for case in product_cases(quick=quick, threads=all_threads()):
            samples, peak, skipped = measure(case, entered, plan)
            peaks[case.dtype] = max(peaks[case.dtype], *peak)
            cases.append(summary(case, samples) | {"skipped": skipped})
            print(_line(cases[-1]), flush=True)
    finally:
        entered.close()
    for case in cases:
        gflops = case["results"][OURS]["gflops"]
        case["of_peak"] = gflops / peaks[case["dtype"]] / case["threads"]
    return {
        "quick": quick,
        "machine": machine,
        "peaks": peaks,
        "peak_method": METHOD,
        "contestants": {worker.name: worker.about for worker in entered.workers},
        "skipped": entered.skipped,
        "cases": cases,
    }


def _line(case: dict[str, Any]) -> str:
    ratios = [f"{n} {f['ratio']:.2f}" for n, f in case["results"].items() if n != OURS]
    gflops = case["results"][OURS]["gflops"]
    return f"{case['key']:<55} {gflops:8.2f} GFLOP/s   {', '.join(ratios)}"


def _draw_all(options: argparse.Namespace) -> int:
    for path in options.file or sorted(results.FOLDER.glob("*.json")):
        _draw(path)
    return 0


def _draw(path: Path) -> None:
    record = results.load(path)
    results.write(path.with_suffix(".md"), tables.markdown(record))
    try:
        from benchmarks.draw import picture
    except ImportError:
        print('no picture without matplotlib; pip install "tilewise[bench]"')
        return
    part = path.with_suffix(".png.part")
    picture(record).savefig(part, format="png", dpi=110)
    part.replace(path.with_suffix(".png"))


def _compare(old: dict[str, Any], new: dict[str, Any]) -> int:
    lines = results.slower(old, new, OURS)
    heading = "slower than before:" if lines else "nothing got slower beyond the noise"
    print(f"\n{heading}", *lines, sep="\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
