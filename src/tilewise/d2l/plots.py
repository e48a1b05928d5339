"""``plot`` and ``set_figsize`` of *Dive into Deep Learning*; see `tilewise.d2l`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tilewise._extras import required
from tilewise.plots.animator import FMTS, Limits, hides_one
from tilewise.plots.style import add_legend

_figsize = (3.5, 2.5)


def set_figsize(figsize: tuple[float, float] = (3.5, 2.5)) -> None:
    """Set the size of the next plots; Matplotlib's own settings stay as they are.

    Parameters
    ----------
    figsize : pair of float, default (3.5, 2.5)
        Width and height in inches.

    Examples
    --------
    >>> set_figsize((6, 3))
    >>> set_figsize()
    """
    global _figsize
    _figsize = figsize


def plot(
    X: Any,
    Y: Any = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    legend: Sequence[str] = (),
    xlim: Limits | None = None,
    ylim: Limits | None = None,
    xscale: str = "linear",
    yscale: str = "linear",
    fmts: Sequence[str] = FMTS,
    figsize: tuple[float, float] | None = None,
    axes: Any = None,
) -> Any:
    """Draw one or several curves in a new figure of pyplot, and return its axes.

    Parameters
    ----------
    X, Y : sequence of float, or of such sequences
        Without `Y`, `X` holds the values and their places count from 0.
    xlabel, ylabel, legend, xlim, ylim, xscale, yscale, fmts, axes
        What Matplotlib takes. Where `xlim` hides all of a curve, the powers of ten around the data
        take its place, since the section makes the axis logarithmic then; such a `ylim` is left
        out.
    figsize : pair of float, optional
        Width and height in inches. By default what `set_figsize` has set.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, with the curves. In a new figure the legend stands below them.

    Examples
    --------
    >>> plot([[1, 2], [1, 2]], [[3, 4], [5, 6]], "x", "y", legend=["a", "b"]).get_xlabel()
    'x'
    """
    given = axes is not None
    if not given:
        plt = required("matplotlib.pyplot", "report", "plots need Matplotlib")
        axes = plt.figure(figsize=figsize or _figsize, layout="constrained").add_subplot()
    if Y is None:
        X, Y = [list(range(len(values))) for values in _curves(X)], X
    curves = list(zip(_curves(X) * len(_curves(Y)), _curves(Y), strict=False))
    for i, (x, y) in enumerate(curves):
        axes.plot(x, y, fmts[i % len(fmts)], label=legend[i] if i < len(legend) else None)
    axes.set(xlabel=xlabel or "", ylabel=ylabel or "", xscale=xscale, yscale=yscale)
    if xlim is not None:
        axes.set_xlim(*_showing_all(xlim, [x for x, _ in curves]))
    if ylim is not None and not hides_one(ylim, [y for _, y in curves]):
        axes.set_ylim(*ylim)
    if legend:
        add_legend(axes, outside=not given)
    axes.grid(alpha=0.3)
    return axes


def _curves(values: Any) -> list[Any]:
    """Return a list of curves, also of one."""
    return list(values) if np.ndim(values[0]) > 0 else [values]


def _showing_all(limits: Limits, curves: list[Any]) -> Limits:
    if not hides_one(limits, curves):
        return limits
    values = np.concatenate(curves)
    if min(values) <= 0:
        return None, None
    low, high = np.log10([min(values), max(values)])
    return 10.0 ** np.floor(low), 10.0 ** np.ceil(high)
