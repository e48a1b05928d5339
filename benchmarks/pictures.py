"""The pictures of a run, from its files alone."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from benchmarks.cases.case import DTYPES
from benchmarks.cases.products import Product
from benchmarks.rivals.rival import OURS
from benchmarks.roofline import least_seconds
from benchmarks.run import Run
from tilewise.plots.style import STYLES, line_style, new_figure


def png(name: str, run: Run) -> bytes:
    """Return the picture of that name."""
    draw, height, what = {
        "products": (products, 8, "one thread"),
        "shapes": (shapes, 8, "NumPy's time over that of tilewise, for shapes at random"),
    }[name]
    figure = new_figure((11, height))
    figure.suptitle(f"{run.machine['cpu']}, {run.machine['isa']}, {what}")
    draw(figure, run)
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def products(figure: Figure, run: Run) -> None:
    """Draw GFLOP/s and ratios against n, for square products on one thread."""
    for (speed, ratio), dtype in zip(figure.subplots(2, 2, sharex=True), DTYPES, strict=True):
        cases = [
            case
            for case in run.cases
            if isinstance(case, Product) and case.group in ("tiny", "square")
            if (case.dtype, case.threads, case.orders) == (dtype, 1, "CC")
        ]
        _lines(speed, run, cases, lambda case, time: 1e-3 * case.flops / time)
        _lines(ratio, run, cases, lambda case, time: time / run.cases[case][OURS].time)
        speed.set(xscale="log", ylabel=f"GFLOP/s, {dtype}", xlabel="n, of n x n @ n x n")
        ratio.set(yscale="log", ylabel=f"time over that of tilewise, {dtype}", xlabel="n")
    lines, names = speed.get_legend_handles_labels()
    figure.legend(lines, names, loc="outside lower center", ncols=6, fontsize=8)


def shapes(figure: Figure, run: Run) -> None:
    """Draw NumPy's time over ours for shapes at random: terms of a sum, and size of result."""
    names = list(run.shapes["groups"])
    panels = figure.subplots(2, -(-len(names) // 2), squeeze=False)
    for axes, name in zip(panels.flat, names, strict=True):
        of = [p for p in run.points if f"{p.case.dtype} {p.case.threads}t" == name]
        x, y = [p.case.a[1] for p in of], [p.case.a[0] * p.case.b[1] for p in of]
        ratios = [p.ratio for p in of]
        shown = axes.scatter(x, y, s=12, c=ratios, norm=LogNorm(0.25, 4), cmap="RdBu")
        axes.set(xlabel="k", ylabel="m x n", title=name, xscale="log", yscale="log")
    figure.colorbar(shown, ax=figure.axes, ticks=[0.25, 0.5, 1, 2, 4], format="%g")


def _lines(axes: Axes, run: Run, cases: list[Product], y: Callable[..., float]) -> None:
    """Draw a line for each contestant, each always in the same style, and one for the limit."""
    for i, name in enumerate(run.contestants):
        there = [case for case in cases if name in run.cases[case]]
        style: dict[str, Any] = {"lw": 2.5 if name == OURS else 1.2, "ms": 4, **line_style(i)}
        if i >= len(STYLES):
            style["mfc"] = "none"
        if there:
            values = [y(case, run.cases[case][name].time) for case in there]
            axes.plot([case.a[0] for case in there], values, label=name, **style)
    limit = [y(case, 1e6 * least_seconds(run.limits, case)) for case in cases]
    axes.plot([case.a[0] for case in cases], limit, "k:", lw=1, label="limit")
