"""docs/performance.md, and the figures in the README, from the files of a run alone."""

import re
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path
from statistics import geometric_mean
from typing import Any

from benchmarks.cases.case import DTYPES, Case
from benchmarks.machine import BUSY
from benchmarks.pictures import png
from benchmarks.results import write
from benchmarks.rivals.rival import OURS
from benchmarks.roofline import least_seconds
from benchmarks.run import Run
from benchmarks.shapes import FIGURES
from benchmarks.turns import Row

_MARK = re.compile(r"<!-- figures of (\S+) -->\n.*?<!-- end of figures -->", re.DOTALL)


def publish(run: Run, source: str, root: Path) -> None:
    """Write what a repository shows of a run: page, pictures, and the figures in the README."""
    text = readme((root / "README.md").read_text(), run, source)
    write(root / "docs" / "performance.md", page(run, source))
    write(root / "README.md", text)
    for name in ("products", *["shapes"] * bool(run.points)):
        write(root / "docs" / "images" / f"performance-{name}.png", png(name, run))


def page(run: Run, source: str) -> str:
    """Return the page; `source` is the name of the folder of the run."""
    kinds = _grouped(run, lambda case: (case.group, case.dtype, case.threads))
    groups = _grouped(run, lambda case: case.group)
    return rendered("page.md.jinja", run=run, source=source, groups=groups, kinds=kinds)


def readme(text: str, run: Run, source: str) -> str:
    """Return the README with the figures between its two marks replaced."""
    cases = {case.key: case for case in run.cases}
    return marked(text, rendered("readme.md.jinja", run=run, source=source, cases=cases))


def marked(text: str, block: str) -> str:
    """Return a text in which a block stands between the two marks of its figures."""
    replaced, count = _MARK.subn(lambda _: block.rstrip(), text)
    if count != 1:
        raise ValueError("a page needs one pair of marks for its figures; see benchmarks.page")
    return replaced


def rendered(template: str, **names: Any) -> str:
    """Return what a template of this folder makes of values."""
    from jinja2 import Environment, FileSystemLoader

    folder = FileSystemLoader(Path(__file__).parent)
    made = Environment(loader=folder, trim_blocks=True, keep_trailing_newline=True)
    made.filters |= {"ratio": ratio, "digits": digits, "mean": _mean, "rivals": _rivals}
    made.globals |= {"busy": BUSY, "ours": OURS, "dtypes": DTYPES, "shape_figures": FIGURES}
    return made.get_template(template).render(least=least_seconds, **names)


def _grouped(run: Run, key: Callable[[Case], Any]) -> list[tuple[Any, list[Case]]]:
    return [(of, list(cases)) for of, cases in groupby(sorted(run.cases, key=key), key)]


def _rivals(cases: list[Case], run: Run) -> dict[str, dict[Case, Row]]:
    """Return the ratios of rivals in some cases, of those that have any."""
    names = (name for name in run.contestants if name != OURS)
    found = {n: {c: run.cases[c][n] for c in cases if n in run.cases[c]} for n in names}
    return {name: taken for name, taken in found.items() if taken}


def _mean(rows: Iterable[Row]) -> Row:
    """Return the geometric means of ratios."""
    return Row(0, 0, 0, *map(geometric_mean, list(zip(*rows, strict=True))[3:]))


def ratio(row: Row) -> str:
    """Return a rival's time over that of tilewise, in bold where it is faster beyond the noise."""
    text = digits(row.ratio) if row.ratio >= 10 else f"{row.ratio:.2f}"
    return f"**{text}**" if row.ratio_high < 1 else text


def digits(number: float, count: int = 3) -> str:
    """Return a number with so many significant digits, and without an exponent."""
    return f"{float(f'{number:.{count}g}'):,.10g}"
