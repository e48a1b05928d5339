"""``plot``, ``set_figsize`` and ``Animator`` of *Dive into Deep Learning*; see `tilewise.d2l`."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tilewise import plots
from tilewise.plots.legends import add_legend

__all__ = ["Animator", "plot", "set_figsize"]

_FMTS = ("-", "m--", "g-.", "r:")
Limits = Sequence[float | None]
_figsize = (3.5, 2.5)


def set_figsize(figsize: tuple[float, float] = (3.5, 2.5)) -> None:
    """Set the size of the next plots, in inches; Matplotlib's own settings stay as they are.

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
    fmts: Sequence[str] = _FMTS,
    figsize: tuple[float, float] | None = None,
    axes: Any = None,
) -> Any:
    """Draw one or several curves in a new figure of pyplot, and return its axes.

    Parameters
    ----------
    X, Y : sequence of float, or of such sequences
        Without `Y`, `X` holds the values and their places count from 0.
    xlabel, ylabel, legend, xlim, ylim, xscale, yscale, fmts, axes
        As for Matplotlib. Where `xlim` hides all of a curve, the powers of ten around the data take
        its place, since the section makes the axis logarithmic then; such a `ylim` is left out.
    figsize : pair of float, optional
        Inches; by default what `set_figsize` has set.

    Examples
    --------
    >>> plot([[1, 2], [1, 2]], [[3, 4], [5, 6]], "x", "y", legend=["a", "b"]).get_xlabel()
    'x'
    """
    given = axes is not None
    if not given:
        import matplotlib.pyplot as plt

        axes = plt.figure(figsize=figsize or _figsize, layout="constrained").add_subplot()
    if Y is None:
        X, Y = [list(range(len(values))) for values in _curves(X)], X
    curves = list(zip(_curves(X) * len(_curves(Y)), _curves(Y), strict=False))
    for i, (x, y) in enumerate(curves):
        axes.plot(x, y, fmts[i % len(fmts)], label=legend[i] if i < len(legend) else None)
    axes.set(xlabel=xlabel or "", ylabel=ylabel or "", xscale=xscale, yscale=yscale)
    if xlim is not None:
        axes.set_xlim(*_showing_all(xlim, [x for x, _ in curves]))
    if ylim is not None and not _hides_one(ylim, [y for _, y in curves]):
        axes.set_ylim(*ylim)
    if legend and given:
        axes.legend()
    elif legend:
        add_legend(axes)
    axes.grid(alpha=0.3)
    return axes


def _curves(values: Any) -> list[Any]:
    """Return a list of curves, also of one."""
    return list(values) if np.ndim(values[0]) > 0 else [values]


class Animator(plots.Animator):
    """Draw curves point by point, as `tilewise.plots.Animator` does.

    Parameters
    ----------
    xlabel, ylabel, legend, xscale, yscale, fmts, figsize
        See there.
    xlim, ylim : pair of float, optional
        Left out for as long as they hide all of a curve.
    nrows, ncols : int, default 1
        Axes in the figure; `add` draws to the first.

    Attributes
    ----------
    axes : list of matplotlib.axes.Axes
        Row by row.
    X, Y, fig, ax
        See `tilewise.plots.Animator`; `ax` is the first of `axes`.

    Examples
    --------
    >>> animator = Animator("epoch", "loss", xlim=[0, 9], ncols=2, figsize=(7, 2.5))
    >>> animator.add(1, 3.0)
    >>> len(animator.axes), animator.axes[0] is animator.ax
    (2, True)
    """

    def __init__(
        self,
        xlabel: str | None = None,
        ylabel: str | None = None,
        legend: Sequence[str] | None = None,
        xlim: Limits | None = None,
        ylim: Limits | None = None,
        xscale: str = "linear",
        yscale: str = "linear",
        fmts: Sequence[str] = _FMTS,
        nrows: int = 1,
        ncols: int = 1,
        figsize: tuple[float, float] = (3.5, 2.5),
    ) -> None:
        super().__init__(
            xlabel, ylabel, legend, xscale=xscale, yscale=yscale, fmts=fmts, figsize=figsize
        )
        grid = self.fig.add_gridspec(nrows, ncols)
        self.ax.set_subplotspec(grid[0])
        self.axes = [self.ax, *(self.fig.add_subplot(grid[i]) for i in range(1, nrows * ncols))]
        self._xlim, self._ylim = xlim, ylim
        self._rescale()

    def _rescale(self) -> None:
        self.ax.autoscale()
        super()._rescale()
        if self._xlim is not None and not _hides_one(self._xlim, self.X):
            self.ax.set_xlim(*self._xlim)
        if self._ylim is not None and not _hides_one(self._ylim, self.Y):
            self.ax.set_ylim(*self._ylim)


def _hides_one(limits: Limits, curves: Sequence[Any]) -> bool:
    """Tell whether a curve has no part between the limits; on one of them is between."""
    low, high = limits
    low, high = sorted([-math.inf if low is None else low, math.inf if high is None else high])
    ends = [(min(curve), max(curve)) for curve in curves if len(curve)]
    return any(start < low >= end or end > high <= start for start, end in ends)


def _showing_all(limits: Limits, curves: list[Any]) -> Limits:
    if not _hides_one(limits, curves):
        return limits
    values = np.concatenate(curves)
    if min(values) <= 0:
        return None, None
    low, high = np.log10([min(values), max(values)])
    return 10.0 ** np.floor(low), 10.0 ** np.ceil(high)
