"""The pictures of a run, from its files alone."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from benchmarks.cases.case import DTYPES, Case
from benchmarks.rivals.rival import OURS
from benchmarks.roofline import least_seconds
from benchmarks.run import Run
from benchmarks.turns import Row
from tilewise.plots.style import STYLES, line_style, new_figure


def png(name: str, run: Run) -> bytes:
    """Return one of `benchmarks.page.PICTURES`."""
    figure = {"products": products, "sgd": sgd, "shapes": shapes}[name](run)
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()


def products(run: Run) -> Figure:
    """Return GFLOP/s and ratios against n, for square products on one thread."""
    figure = _figure(run, 8, "one thread")
    panels = figure.subplots(2, 2, sharex=True)
    for (speed, ratio), dtype in zip(panels, DTYPES, strict=True):
        cases = [
            case
            for case in run.cases
            if case.group in ("tiny", "square")
            and (case.dtype, case.threads, case.sets, case.orders) == (dtype, 1, 1, "CC")
        ]
        _lines(speed, run, cases, _n, lambda case, row: 1e-3 * case.flops / row.time)
        _lines(ratio, run, cases, _n, lambda case, row: row.ratio if row.ratio != 1 else None)
        limit = [1e-9 * case.flops / least_seconds(run.limits, case) for case in cases]
        speed.plot([_n(case) for case in cases], limit, "k:", lw=1, label="limit")
        speed.set(xscale="log", ylabel=f"GFLOP/s, {dtype}")
        ratio.axhline(1, color="black", linewidth=1)
        ratio.set(yscale="log", ylabel=f"time over that of tilewise, {dtype}")
    for axes in panels[-1]:
        axes.set_xlabel("n, of n x n @ n x n")
    _legend(figure)
    return figure


def sgd(run: Run) -> Figure:
    """Return microseconds an epoch against batch size, in order and shuffled."""
    figure = _figure(run, 4.5, "1500 rows of 5 features, float32, one thread")
    for axes, order in zip(figure.subplots(1, 2, sharey=True), _ORDERS, strict=True):
        cases = [c for c in run.cases if c.group == "sgd-airfoil" and c.sampling == order]
        _lines(axes, run, cases, lambda case: case.batch_size, lambda case, row: row.time)
        limit = [1e6 * least_seconds(run.limits, case) for case in cases]
        axes.plot([case.batch_size for case in cases], limit, "k:", lw=1, label="limit")
        axes.set_xlabel(f"batch size, {order}")
        axes.loglog()
    figure.axes[0].set_ylabel("us an epoch")
    _legend(figure)
    return figure


def shapes(run: Run) -> Figure:
    """Return NumPy's time over ours for shapes at random: terms of a sum, and size of result."""
    figure = _figure(run, 8, "NumPy's time over that of tilewise, for shapes at random")
    names = list(run.shapes["groups"])
    for axes, name in zip(
        figure.subplots(2, -(-len(names) // 2), squeeze=False).flat, names, strict=True
    ):
        of = [p for p in run.points if f"{p.case.dtype} {p.case.threads}t" == name]
        x, y = [p.case.a[1] for p in of], [p.case.a[0] * p.case.b[1] for p in of]
        ratios = [p.ratio for p in of]
        shown = axes.scatter(x, y, s=12, c=ratios, norm=LogNorm(0.25, 4), cmap="RdBu")
        axes.set(xlabel="k", ylabel="m x n", title=name, xscale="log", yscale="log")
    figure.colorbar(shown, ax=figure.axes, ticks=[0.25, 0.5, 1, 2, 4], format="%g")
    return figure


_ORDERS = ("sequential", "permutation")


def _figure(run: Run, height: float, what: str) -> Figure:
    figure = new_figure((11, height))
    figure.suptitle(f"{run.machine['cpu']}, {run.machine['isa']}, {what}")
    return figure


def _n(case: Any) -> int:
    return int(case.a[0])


def _lines(
    axes: Axes,
    run: Run,
    cases: list[Any],
    x: Callable[[Any], int],
    y: Callable[[Case, Row], float | None],
) -> None:
    """Draw a line for each contestant that was in a case, each always in the same style."""
    for i, name in enumerate(run.contestants):
        taken = [(x(c), y(c, run.cases[c][name])) for c in cases if name in run.cases[c]]
        if any(value for _, value in taken):
            filled = {} if i < len(STYLES) else {"mfc": "none"}
            width = 2.5 if name == OURS else 1.2
            axes.plot(
                *zip(*taken, strict=True), ms=4, lw=width, label=name, **line_style(i), **filled
            )


def _legend(figure: Figure) -> None:
    """Name each line once, below the panels."""
    named: dict[str, Any] = {}
    for axes in figure.axes:
        lines, names = axes.get_legend_handles_labels()
        named = dict(zip(names, lines, strict=True)) | named
    figure.legend(named.values(), named, loc="outside lower center", ncols=6, fontsize=8)
