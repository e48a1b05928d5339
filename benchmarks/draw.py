"""The picture of a run, from its record alone."""

from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.rival import OURS


def picture(record: dict[str, Any]) -> Figure:
    """Return GFLOP/s and ratios against n, for square products on one thread."""
    dtypes = list(record["peaks"])
    figure = Figure(figsize=(11, 4 * len(dtypes)), layout="constrained")
    panels = figure.subplots(len(dtypes), 2, squeeze=False, sharex=True)
    for (speed, ratio), dtype in zip(panels, dtypes, strict=True):
        lines = _lines(record, dtype)
        _draw_speed(speed, lines, record["peaks"][dtype], dtype)
        _draw_ratio(ratio, lines, dtype)
    panels[0][0].legend(fontsize="small")
    for axes in panels[-1]:
        axes.set_xlabel("n, of n x n @ n x n")
    machine = record["machine"]
    figure.suptitle(f"{machine['cpu']}, {machine['isa']}, one thread")
    return figure


Lines = dict[str, list[tuple[int, dict[str, float]]]]


def _lines(record: dict[str, Any], dtype: str) -> Lines:
    """Return n and figures of the square products, by contestant."""
    lines: Lines = {name: [] for name in record["contestants"]}
    for case in record["cases"]:
        square = case["group"] in ("tiny", "square")
        if square and case["dtype"] == dtype and case["threads"] == 1:
            for name, figures in case["results"].items():
                lines[name].append((case["n"], figures))
    return lines


def _draw_speed(axes: Axes, lines: Lines, peak: float, dtype: str) -> None:
    for index, (name, line) in enumerate(lines.items()):
        _draw(axes, line, "gflops", index, name)
    axes.axhline(peak, color="black", linestyle=":", linewidth=1)
    axes.annotate("peak", (1, peak), xycoords=("axes fraction", "data"), ha="right", va="bottom")
    axes.set_xscale("log", base=2)
    axes.set_ylabel(f"GFLOP/s, {dtype}")


def _draw_ratio(axes: Axes, lines: Lines, dtype: str) -> None:
    for index, (name, line) in enumerate(lines.items()):
        if name != OURS:
            _draw(axes, line, "ratio", index, name)
    axes.axhline(1, color="black", linewidth=1)
    axes.set_yscale("log")
    axes.set_ylabel(f"time over that of tilewise, {dtype}")


def _draw(axes: Axes, line: Any, what: str, index: int, name: str) -> None:
    sizes = [n for n, _ in line]
    width = 2.5 if name == OURS else 1.2
    values = [figures[what] for _, figures in line]
    axes.plot(sizes, values, "o-", ms=3, lw=width, color=f"C{index}", label=name)
