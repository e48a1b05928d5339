"""docs/performance.md, and the figures in the README, from the files of a run alone."""

import re
import statistics
from collections.abc import Iterable
from itertools import groupby
from math import exp, log
from pathlib import Path
from typing import Any

from benchmarks.cases.case import DTYPES, Case
from benchmarks.machine import BUSY
from benchmarks.results import write
from benchmarks.rivals.rival import OURS
from benchmarks.roofline import least_seconds
from benchmarks.run import Run
from benchmarks.shapes import FIGURES
from benchmarks.turns import Row

PICTURES = ("products", "sgd")
"""Of the page, drawn by `benchmarks.pictures`."""

# What the README shows, where a run has it.
_README = (
    "tiny 16x16 @ 16x16 float32 1t",
    "square 256x256 @ 256x256 float32 1t",
    "square 1024x1024 @ 1024x1024 float32 1t",
    "square 1024x1024 @ 1024x1024 float64 1t",
    "square 1024x1024 @ 1024x1024 float32 2t",
    "skinny 4096x4096 @ 4096 float32 1t",
    "sgd-airfoil 1500 x 5, batch 1, sequential float32 1t",
    "sgd-airfoil 1500 x 5, batch 100, sequential float32 1t",
    "sgd-large 1000000 x 128, batch 32, sequential float32 1t",
)
_MARK = re.compile(r"<!-- figures of (\S+) -->\n.*?<!-- end of figures -->", re.DOTALL)


def publish(run: Run, source: str, root: Path) -> None:
    """Write what a repository shows of a run: page, pictures, and the figures in the README."""
    text = readme((root / "README.md").read_text(), run, source)
    write(root / "docs" / "performance.md", page(run, source))
    write(root / "README.md", text)
    try:
        from benchmarks.pictures import png
    except ImportError:
        print('no pictures without matplotlib; pip install "tilewise[bench]"')
        return
    for name in (*PICTURES, *["shapes"] * bool(run.points)):
        write(root / "docs" / "images" / f"performance-{name}.png", png(name, run))


def page(run: Run, source: str) -> str:
    """Return the page; `source` is the name of the folder of the run."""
    return _rendered("page.md.jinja", run, source=source, groups=_groups(run, lambda c: c.group))


def readme(text: str, run: Run, source: str) -> str:
    """Return the README with the figures between its two marks replaced."""
    found = {case.key: case for case in run.cases}
    cases = [found[key] for key in _README if key in found]
    block = _rendered("readme.md.jinja", run, source=source, cases=cases).rstrip()
    replaced, count = _MARK.subn(lambda _: block, text)
    if count != 1:
        raise ValueError("README.md needs one pair of marks for the figures; see benchmarks.page")
    return replaced


def _rendered(template: str, run: Run, **names: Any) -> str:
    from jinja2 import Environment, FileSystemLoader

    folder = FileSystemLoader(Path(__file__).parent)
    made = Environment(loader=folder, trim_blocks=True, keep_trailing_newline=True)
    made.filters |= {"ratio": ratio, "digits": digits}
    shared = {"run": run, "machine": run.machine, "busy": BUSY, "ours": OURS, "dtypes": DTYPES}
    made.globals |= {"summary": _summary, "rivals": _rivals, "cpus": _cpus, "least": least_seconds}
    made.globals |= {"taking_part": _taking_part, "shape_figures": FIGURES}
    return made.get_template(template).render(**shared, **names)


def _groups(run: Run, key: Any) -> list[tuple[Any, list[Case]]]:
    return [(of, list(cases)) for of, cases in groupby(sorted(run.cases, key=key), key)]


def _summary(run: Run) -> str:
    """Return a line for each group, dtype and number of threads: means, and the worst case."""
    names = [name for name in run.contestants if name != OURS]
    lines = []
    for (group, dtype, threads), cases in _groups(run, lambda c: (c.group, c.dtype, c.threads)):
        found = [(row, f"{name}, {c.name}") for c in cases for name, row in _rivals(run, c)]
        if found:
            means = [_mean(run.cases[c][n] for c in cases if n in run.cases[c]) for n in names]
            worst, where = min(found, key=lambda each: (each[0].ratio_high >= 1, each[0].ratio))
            every = _mean(row for row, _ in found)
            title = f"{group}, {dtype}, {threads}t"
            lines.append([title, str(len(cases)), every, *means, f"{ratio(worst)} {where}"])
    return table(["Group", "Cases", "All rivals", *names, "Worst"], lines)


def _rivals(run: Run, case: Case) -> list[tuple[str, Row]]:
    return [(name, row) for name, row in run.cases[case].items() if name != OURS]


def _taking_part(run: Run, cases: list[Case]) -> list[str]:
    """Return the rivals that have a figure in any of the cases."""
    return [n for n in run.contestants if n != OURS and any(n in run.cases[c] for c in cases)]


def _mean(rows: Iterable[Row]) -> str:
    """Return the geometric means of ratios as a ratio."""
    if not (taken := list(rows)):
        return ""
    columns = zip(*(map(log, row[3:6]) for row in taken), strict=True)
    return ratio(Row(0, 0, 0, *(exp(statistics.mean(column)) for column in columns), 0))


def _cpus(run: Run, name: str) -> str:
    """Return how many CPUs were busy, for each number of threads."""
    busy: dict[int, list[float]] = {}
    for case, taken in run.cases.items():
        if name in taken:
            busy.setdefault(case.threads, []).append(taken[name].cpus)
    return ", ".join(f"{statistics.median(busy[n]):.1f} of {n}" for n in sorted(busy))


def ratio(row: Row) -> str:
    """Return a rival's time over that of tilewise, in bold where it is faster beyond the noise."""
    text = digits(row.ratio) if row.ratio >= 10 else f"{row.ratio:.2f}"
    return f"**{text}**" if row.ratio_high < 1 else text


def digits(number: float, count: int = 3) -> str:
    """Return a number with so many significant digits, and without an exponent."""
    return f"{float(f'{number:.{count}g}'):,.10g}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
