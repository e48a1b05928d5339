"""The roofline picture: what the machine allows, and how near to it the measured points come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tilewise._format import three_digits
from tilewise.experiments.roofline import RooflinePoint
from tilewise.hardware.measured import Machine
from tilewise.plots.style import draw_lines, finished, started

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CEILINGS = {
    "L1": ("read_l1", "-"),
    "L2": ("read_l2", "--"),
    "L3": ("read_l3", "-."),
    "memory": ("read_memory", ":"),
}
_GREY = "#555555"
_SIZE = (5.8, 5.6)  # inches


def roofline(machine: Machine, points: Iterable[RooflinePoint], ax: Axes | None = None) -> Axes:
    """Draw speed against operations per byte, under what one core of the machine allows.

    Each cache and the memory is a ceiling: its bandwidth times the operations per byte, up to the
    peak of the multiply-add units (Williams, Waterman, Patterson: Roofline, CACM 52(4), 2009).
    Ceilings are the best that was measured, since a limit is what the machine can do.

    Parameters
    ----------
    machine : Machine
        Result of `tilewise.machine`.
    points : iterable of RooflinePoint
        Results of `tilewise.experiments.roofline.roofline_points`, measured on one thread. Those of
        one series are joined. Below all points stand their names, the fastest first where several
        have the same operations per byte.
    ax : matplotlib.axes.Axes, optional
        Axes to draw in, which get a legend to the right; their figure needs a layout that makes
        room for it, such as "constrained". By default those of a new figure, which has its legend
        below them.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, with the picture.

    Raises
    ------
    ValueError
        `points` is empty.
    ImportError
        Matplotlib is not installed.

    Examples
    --------
    >>> import tilewise as tw
    >>> from tilewise.experiments.roofline import RooflinePoint
    >>> ax = roofline(tw.machine(), [RooflinePoint("full", "n = 384", 64.0, 100.0)])
    >>> ax.get_xlabel()
    'operations per byte (flop / byte)'
    """
    points, axes = started(points, "points", "measured point", ax, _SIZE)
    axes.set(xscale="log", yscale="log")
    _draw_ceilings(machine, points, axes)
    draw_lines(axes, points, "flops_per_byte", "gflops", "series", markersize=5, linewidth=0.8)
    _name_points(points, axes)
    # So many entries leave no place free inside: in axes that are given they are to the right.
    beside = {"loc": "upper left", "bbox_to_anchor": (1, 1)}
    return finished(axes, ax, "operations per byte (flop / byte)", "speed (GFLOP/s)", **beside)


def _draw_ceilings(machine: Machine, points: Sequence[RooflinePoint], ax: Axes) -> None:
    """Draw the lines that limit the points, and set the limits of the axes by both."""
    peak = machine.one_core.fma_float32.best
    bandwidths = [getattr(machine.one_core, key).best for key, _ in _CEILINGS.values()]
    intensities = [point.flops_per_byte for point in points]
    speeds = [point.gflops for point in points]
    left = min(*intensities, peak / max(bandwidths)) / 8
    right = max(*intensities, peak / min(bandwidths)) * 4
    ax.set_xlim(left, right)
    ax.set_ylim(min(*speeds, min(bandwidths) * left) / 6, max(*speeds, peak) * 2)  # names are below
    text = f"FMA float32 {three_digits(peak)} GFLOP/s"
    ax.plot([peak / max(bandwidths), right], [peak, peak], color=_GREY, linewidth=2.4, label=text)
    for bandwidth, (name, (_, line)) in zip(bandwidths, _CEILINGS.items(), strict=True):
        text = f"{name} {three_digits(bandwidth)} GB/s"
        x = [left, peak / bandwidth]
        ax.plot(x, [bandwidth * left, peak], line, color=_GREY, linewidth=1.2, label=text)


def _name_points(points: Sequence[RooflinePoint], ax: Axes) -> None:
    """Write the names at the foot of the picture, with a thin line up to the points."""
    fastest_first = sorted(points, key=lambda point: -point.gflops)
    for x in sorted({point.flops_per_byte for point in points}):
        names = dict.fromkeys(p.name for p in fastest_first if p.flops_per_byte == x)
        ax.axvline(x, color="#CCCCCC", linewidth=0.6, zorder=0)
        ax.text(
            x, 0.02, "\n".join(names), transform=ax.get_xaxis_transform(), fontsize=7,
            ha="center", va="bottom", bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )  # fmt: skip
