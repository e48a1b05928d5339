"""A plot that grows while something runs."""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tilewise._extras import required
from tilewise.plots.style import add_legend, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FMTS = ("-", "m--", "g-.", "r:")
Limits = Sequence["float | None"]


class Animator:
    """Draw curves point by point (``Animator`` of d2l.ai, section 3.2 on).

    In a notebook the picture is updated in place. In a script it is a window where Matplotlib's
    backend has windows, and otherwise nothing is shown; ``animator.fig.savefig`` saves it. The
    settings of Matplotlib stay as they are, and nothing waits for a window to be closed.

    Parameters
    ----------
    xlabel, ylabel : str, optional
        Names of the axes.
    legend : sequence of str, optional
        A label a curve.
    xlim, ylim : pair of float or None, optional
        Limits of the axes. They are left out for as long as they hide all of a curve. By default as
        the data need.
    xscale, yscale : str, default 'linear'
        Scales of the axes, such as "log".
    fmts : sequence of str
        Matplotlib's format of each curve.
    nrows, ncols : int, default 1
        Axes in the figure; `add` draws to the first.
    figsize : pair of float, default (3.5, 2.5)
        Size of the figure in inches.

    Attributes
    ----------
    X, Y : list of list of float
        The points of each curve.
    fig : matplotlib.figure.Figure
        The figure.
    axes : list of matplotlib.axes.Axes
        Its axes, row by row.
    ax : matplotlib.axes.Axes
        The first of `axes`, with the curves.

    Raises
    ------
    ImportError
        Matplotlib is not installed.

    Examples
    --------
    >>> animator = Animator(xlabel="epoch", ylabel="loss")
    >>> for epoch in range(3):
    ...     animator.add(epoch, 1 / (1 + epoch))
    >>> animator.Y
    [[1.0, 0.5, 0.3333333333333333]]
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
        fmts: Sequence[str] = FMTS,
        nrows: int = 1,
        ncols: int = 1,
        figsize: tuple[float, float] = (3.5, 2.5),
    ) -> None:
        self.X: list[list[float]] = []
        self.Y: list[list[float]] = []
        self._display: Any = None  # the notebook's handle, once there is a picture
        self._notebook = _in_notebook()
        self.fig, self._window = _figure(figsize, window=not self._notebook)
        if self._window:  # until the user closes it
            self.fig.canvas.mpl_connect("close_event", self._forget_window)
        self.axes = list(self.fig.subplots(nrows, ncols, squeeze=False).flat)
        self.ax = self.axes[0]
        self.ax.set(xlabel=xlabel or "", ylabel=ylabel or "", xscale=xscale, yscale=yscale)
        self.ax.grid(alpha=0.3)
        self._legend, self._fmts = legend or (), fmts
        self._limits = xlim, ylim
        self._rescale()

    def add(self, x: Any, y: Any) -> None:
        """Add a point to each curve, and show it.

        Parameters
        ----------
        x, y : float or iterable of float
            One number for all curves, or one a curve; None leaves a curve as it is.
        """
        self.extend([(x, y)])

    def extend(self, points: Iterable[tuple[Any, Any]]) -> None:
        """Add several points as `add` does, and show them at once.

        Parameters
        ----------
        points : iterable of (x, y)

        Examples
        --------
        >>> animator = Animator()
        >>> animator.extend([(0, 3.0), (1, 2.0)])
        >>> animator.Y
        [[3.0, 2.0]]
        """
        for x, y in points:
            self._append(_numbers("x", x), _numbers("y", y))
        for line, X, Y in zip(self.ax.lines, self.X, self.Y, strict=True):
            line.set_data(X, Y)
        self._rescale()
        self._show()

    def _append(self, xs: list[float | None], ys: list[float | None]) -> None:
        if len(xs) == 1:
            xs = xs * len(ys)
        if len(xs) != len(ys):
            raise ValueError(f"x has {len(xs)} numbers and y {len(ys)}; give one of each a curve")
        while len(self.X) < len(ys):
            self._add_curve()
        for X, Y, x, y in zip(self.X, self.Y, xs, ys, strict=False):
            if x is not None and y is not None:
                X.append(x)
                Y.append(y)

    def _add_curve(self) -> None:
        i = len(self.X)
        label = self._legend[i] if i < len(self._legend) else None
        self.ax.plot([], [], self._fmts[i % len(self._fmts)], label=label)
        self.X.append([])
        self.Y.append([])
        add_legend(self.ax, outside=True)

    def _rescale(self) -> None:
        self.ax.relim()
        self.ax.autoscale()
        xlim, ylim = self._limits
        if xlim is not None and not hides_one(xlim, self.X):
            self.ax.set_xlim(*xlim)
        if ylim is not None and not hides_one(ylim, self.Y):
            self.ax.set_ylim(*ylim)

    def _show(self) -> None:
        if self._notebook:
            self._show_in_notebook()
        elif self._window:
            self.fig.canvas.draw_idle()
            self.fig.canvas.flush_events()

    def _forget_window(self, event: Any) -> None:
        self._window = False

    def _show_in_notebook(self) -> None:
        ipython = import_module("IPython.display")  # has types only where it is installed
        content = io.BytesIO()  # Jupyter draws a figure itself only after `%matplotlib inline`
        self.fig.savefig(content, format="png")
        picture = ipython.Image(content.getvalue())
        if self._display is None:
            self._display = ipython.display(picture, display_id=True)
        else:
            self._display.update(picture)


def hides_one(limits: Limits, curves: Sequence[Any]) -> bool:
    """Tell whether a curve has no part between the limits; on one of them is between."""
    low, high = limits
    low, high = sorted([-math.inf if low is None else low, math.inf if high is None else high])
    ends = [(min(curve), max(curve)) for curve in curves if len(curve)]
    return any(start < low >= end or end > high <= start for start, end in ends)


def _numbers(name: str, value: Any) -> list[float | None]:
    """Return the numbers for the curves; arrays and tensors without dimensions are numbers too."""
    single = not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0
    try:
        return [None if v is None else float(v) for v in ([value] if single else value)]
    except (TypeError, ValueError):
        raise TypeError(f"{name}={value!r} is not a number, nor one for each curve") from None


def _in_notebook() -> bool:
    """Tell whether a Jupyter kernel runs this; it has IPython loaded then."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")


def _figure(figsize: tuple[float, float], *, window: bool) -> tuple[Figure, bool]:
    """Return a figure, and whether it has a window: if asked for and the backend has windows."""
    if not window:
        return new_figure(figsize), False
    plt = required("matplotlib.pyplot", "report", "plots need Matplotlib")
    figure = plt.figure(figsize=figsize, layout="constrained")
    has_window = getattr(figure.canvas, "required_interactive_framework", None) is not None
    if has_window:
        figure.show()
    else:
        plt.close(figure)  # pyplot would keep it for good
    return figure, has_window
