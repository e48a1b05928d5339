"""docs/performance.md, and the figures in the README, from the record of a run alone."""

import re
from typing import Any

from benchmarks import tables
from benchmarks.growth import GROWTH, growing
from benchmarks.machine import BUSY
from benchmarks.rival import OURS

Record = dict[str, Any]
Case = dict[str, Any]

PICTURES = ("products", "sgd", "growth")
"""Of the page, drawn by `benchmarks.pictures`."""

# What the README shows, where a run has it.
_README = (
    "tiny 16x16 @ 16x16 float32 1t",
    "square 256x256 @ 256x256 float32 1t",
    "square 1024x1024 @ 1024x1024 float32 1t",
    "square 1024x1024 @ 1024x1024 float64 1t",
    "square 1024x1024 @ 1024x1024 float32 {}t",
    "skinny 4096x4096 @ 4096 float32 1t",
    "sgd-airfoil 1500 x 5, batch 1, sequential float32 1t",
    "sgd-airfoil 1500 x 5, batch 100, sequential float32 1t",
    "sgd-large 1000000 x 128, batch 32, sequential float32 1t",
)
_MARK = re.compile(r"<!-- figures of (\S+) -->\n.*?<!-- end of figures -->", re.DOTALL)


def page(record: Record, source: str) -> str:
    """Return the page; `source` is the name of the file of the run."""
    parts = [
        f"# Performance\n\n<!-- Made from {source} by python -m benchmarks; do not edit. -->",
        _head(record),
        "## Contestants",
        tables.contestants(record),
        *_absent(record),
        "## What the machine allows",
        tables.limits(record),
        *_products(record),
        *_epochs(record),
        *_growth(record),
        "## Where a rival is faster",
        _losses(record),
    ]
    return "\n\n".join(parts) + "\n"


def _head(record: Record) -> str:
    machine = record["machine"]
    return (
        f"{machine['cpu']}, {machine['isa']}, {machine['cpus']} CPUs, {machine['system']}, "
        f"{machine['compiler']} with `{machine['flags']}`, Python {machine['python']}, commit "
        f"{machine['commit']}, {machine['when']}{', a quick run' if record['quick'] else ''}, "
        f"load before {machine['load']}.\n\n{_warning(record)}"
        "A rival's figure is its time over that of tilewise: above 1, tilewise is faster; below, "
        "it is in bold. Times are medians, and ratios those of the rounds; the spread is half the "
        "distance between the outer quartiles of the visits over the median; it is above 5 % in "
        f"{tables.unsteady(record['cases'])} of the cases. "
        f"{tables.ratio_spreads(record['cases'])}{_agreement(record)}"
        "CPUs busy is the median of the cases. The model is the least time that the machine "
        "allows: the longer of the operations over the multiply-adds that the cores do in "
        "registers, and the bytes, each moved once, over the bandwidth of the cache or memory that "
        "holds them. "
        "[benchmarks](../benchmarks/README.md) says what was done and how to repeat it."
    )


def _agreement(record: Record) -> str:
    found = record.get("agreement")
    return f"{tables.agreement(found)}. " if found else ""


def _warning(record: Record) -> str:
    """Return what was said before measuring, where others used the machine."""
    load = record["machine"]["load"]
    if load <= BUSY:
        return ""
    return (
        f"**Load {load} before the run: others used this machine; do not trust the figures.**\n\n"
    )


def _absent(record: Record) -> list[str]:
    lines = [f"Not here: {name} ({why})." for name, why in record["skipped"].items()]
    return lines + [f"Failed: {name} ({why})." for name, why in record["failed"].items()]


def _picture(name: str, text: str) -> str:
    return f"![{text}](images/performance-{name}.png)"


def _products(record: Record) -> list[str]:
    parts = [_picture("products", "GFLOP/s of square products, and rivals' times over tilewise's")]
    groups = ("tiny", "square", "skinny", "stacks")
    for threads in sorted({case["threads"] for case in _of(record, *groups)}):
        for dtype in record["peaks"]:
            cases = [
                case
                for case in _of(record, *groups)
                if (case["dtype"], case["threads"]) == (dtype, threads)
            ]
            if cases:
                parts += [f"## {dtype}, {_threads(threads)}", tables.products(record, cases)]
    titles = {"strategies": "Strategies", "dtypes": "Other dtypes", "call-overhead": "Calls"}
    for group, title in titles.items():
        if cases := _of(record, group):
            parts += [f"## {title}{_dtype(cases)}", tables.products(record, cases)]
    return parts


def _epochs(record: Record) -> list[str]:
    parts = [_picture("sgd", "Microseconds an epoch against batch size")]
    cases = _of(record, "sgd-airfoil", "sgd-large")
    for threads in sorted({case["threads"] for case in cases}):
        here = [case for case in cases if case["threads"] == threads]
        parts += [f"## SGD, float32, {_threads(threads)}", tables.epochs(record, here)]
    return parts


def _growth(record: Record) -> list[str]:
    parts = ["## How the cost grows", _picture("growth", "Times beside the model")]
    parts.append(
        "Rows and features grow until X takes a quarter of the memory; n too, or until a product "
        "takes some ten seconds."
    )
    for group, value in GROWTH.items():
        if cases := _of(record, group):
            what = growing(group)
            parts += [f"### With {what}{_dtype(cases)}", tables.growth(record, cases, what, value)]
    return parts


def _losses(record: Record) -> str:
    lines = tables.losses(record)
    compared = sum(len(case["results"]) - 1 for case in record["cases"])
    head = f"In {len(lines)} of {compared} comparisons, those in bold"
    return "\n".join([f"{head}:\n" if lines else f"{head}.", *[f"- {line}" for line in lines]])


def _of(record: Record, *groups: str) -> list[Case]:
    return [case for case in record["cases"] if case["group"] in groups]


def _dtype(cases: list[Case]) -> str:
    """Return what a title says of the dtype; where there are several, the rows say it."""
    first, *others = tables.dtypes(cases)
    return "" if others else f", {first}"


def _threads(count: int) -> str:
    return f"{count} thread{'s' if count > 1 else ''}"


def readme(text: str, record: Record, source: str) -> str:
    """Return the README with the figures between its two marks replaced.

    Raises
    ------
    ValueError
        It has no such marks.
    """
    block = f"<!-- figures of {source} -->\n{_figures(record)}\n<!-- end of figures -->"
    replaced, count = _MARK.subn(lambda _: block, text)
    if count != 1:
        raise ValueError("README.md needs one pair of marks for the figures; see benchmarks.page")
    return replaced


def source_of(text: str) -> str:
    """Return the name of the file that the figures of a README are of."""
    found = _MARK.search(text)
    if found is None:
        raise ValueError("README.md has no marks for the figures; see benchmarks.page")
    return found.group(1)


def _figures(record: Record) -> str:
    by_key = {case["key"]: case for case in record["cases"]}
    keys = [key.format(record["machine"]["cpus"]) for key in _README]
    rows = [_row(by_key[key]) for key in dict.fromkeys(keys) if key in by_key]
    header = ["Case", "tilewise", "numpy / tilewise", "fastest rival / tilewise"]
    machine = record["machine"]
    where = f"On {machine['cpu']}, {machine['isa']}, {machine['when'].split()[0]}:\n\n"
    return _warning(record) + where + tables.table(header, rows)


def _row(case: Case) -> list[str]:
    results = case["results"]
    ours = results[OURS]
    rate = (
        f"{ours['gflops']:.3g} GFLOP/s"
        if "a" in case
        else f"{tables.digits(1e6 * ours['seconds'])} us"
    )
    rivals = {name: figures for name, figures in results.items() if name != OURS}
    fastest = min(rivals, key=lambda name: rivals[name]["ratio"], default=None)
    best = "" if fastest is None else f"{tables.ratio(rivals[fastest])} ({fastest})"
    name = f"{case['name']}, {case['dtype']}, {_threads(case['threads'])}"
    return [name, rate, tables.ratio(rivals.get("numpy")), best]
