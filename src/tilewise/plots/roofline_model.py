"""The roofline picture: what the machine allows, and how near to it the measured points come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tilewise._format import three_digits
from tilewise.experiments.roofline import RooflinePoint
from tilewise.hardware.measured import Machine
from tilewise.plots.labels import Label, place
from tilewise.plots.style import STYLES, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["roofline"]

_CEILINGS = {"read_l1": "L1", "read_l2": "L2", "read_l3": "L3", "read_memory": "memory"}
_LINES = ("-", "--", "-.", ":")
_GREY = "#555555"
_SIZE = (5.8, 5.2)  # inches


def roofline(machine: Machine, points: Iterable[RooflinePoint], ax: Axes | None = None) -> Axes:
    """Draw speed against operations per byte, under what one core of the machine allows.

    Each cache and the memory is a ceiling: its bandwidth times the operations per byte, up to the
    peak of the multiply-add units (Williams, Waterman, Patterson: Roofline, CACM 52(4), 2009).
    Ceilings are the best that was measured, since a limit is what the machine can do.

    Parameters
    ----------
    machine : Machine
        Of `tilewise.machine`.
    points : iterable of RooflinePoint
        Of `tilewise.experiments.roofline.roofline_points`, measured on one thread. Those of one
        series are joined, and labelled once; a name that several series share is written once.
    ax : matplotlib.axes.Axes, optional
        Where to draw. By default in a new figure. Its labels are placed for the size that its
        figure has now.

    Returns
    -------
    matplotlib.axes.Axes

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
    points = list(points)
    if not points:
        raise ValueError("points is empty; pass at least one measured point")
    if ax is None:
        ax = new_axes(_SIZE)
        ax.set_title(" ", fontsize=10)  # room for one, which would move lines below the labels
    ax.set_xscale("log")
    ax.set_yscale("log")
    *ceilings, peak = _draw_ceilings(machine, points, ax)
    labels = [*ceilings, *_draw_points(points, ax), peak]  # the peak has many places left
    ax.set_xlabel("operations per byte (flop / byte)")
    ax.set_ylabel("speed (GFLOP/s)")
    ax.grid(alpha=0.2)
    place(labels, ax)
    return ax


def _draw_ceilings(machine: Machine, points: Sequence[RooflinePoint], ax: Axes) -> list[Label]:
    limits = machine.one_core
    peak = limits.fma_float32.best
    bandwidths = {name: getattr(limits, key).best for key, name in _CEILINGS.items()}
    intensities = [point.flops_per_byte for point in points]
    left = min(*intensities, peak / max(bandwidths.values())) / 8
    right = max(*intensities, peak / min(bandwidths.values())) * 6
    speeds = [point.gflops for point in points]
    ax.set_xlim(left, right)
    ax.set_ylim(min(*speeds, *(b * left for b in bandwidths.values())) / 2, max(*speeds, peak) * 4)
    labels = []
    for (name, bandwidth), line in zip(bandwidths.items(), _LINES, strict=True):
        ridge = peak / bandwidth
        ax.plot([left, ridge], [bandwidth * left, peak], line, color=_GREY, linewidth=1.2)
        text = f"{name} {three_digits(bandwidth)} GB/s"
        labels.append(Label(text, _GREY, [(ridge, peak)]))
    flattest = peak / max(bandwidths.values())
    ax.plot([flattest, right], [peak, peak], color=_GREY, linewidth=1.2)
    text = f"FMA float32 {three_digits(peak)} GFLOP/s"
    steps = [flattest * (right / flattest) ** (i / 20) for i in range(10, 20)]
    return [*labels, Label(text, _GREY, [(x, peak) for x in steps])]


def _draw_points(points: Sequence[RooflinePoint], ax: Axes) -> list[Label]:
    labels = []
    for i, series in enumerate(dict.fromkeys(point.series for point in points)):
        colour, line, marker = STYLES[i % len(STYLES)]
        mine = [point for point in points if point.series == series]
        x = [point.flops_per_byte for point in mine]
        y = [point.gflops for point in mine]
        ax.plot(x, y, color=colour, linestyle=line, marker=marker, markersize=5, linewidth=0.8)
        labels.append(Label(series, colour, [(x[-1], y[-1])]))
    highest: dict[str, RooflinePoint] = {}
    for point in sorted(points, key=lambda point: point.gflops):
        highest[point.name] = point
    return labels + [
        Label(name, "black", [(point.flops_per_byte, point.gflops)])
        for name, point in highest.items()
    ]
