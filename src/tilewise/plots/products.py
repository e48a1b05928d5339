"""Pictures of the ways to compute a matrix product."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tilewise._format import three_digits
from tilewise.plots.style import BLUE, ORANGE, draw_lines, finished, started

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tilewise.experiments.products import StrategyResult
    from tilewise.experiments.python_loops import FrameworkResult


def strategies(results: Iterable[StrategyResult], ax: Axes | None = None) -> Axes:
    """Draw the speed of the ways to compute a matrix product, as bars.

    Parameters
    ----------
    results : iterable of StrategyResult
        Results of `tilewise.experiments.strategies`. NumPy's bar has a colour of its own.
    ax : matplotlib.axes.Axes, optional
        Axes to draw in. By default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, with the picture.

    Raises
    ------
    ValueError
        `results` is empty.
    ImportError
        Matplotlib is not installed.

    Examples
    --------
    >>> from tilewise.experiments import StrategyResult
    >>> ax = strategies([StrategyResult("full", 256, "float32", gflops=123.4)])
    >>> [text.get_text() for text in ax.texts]
    ['123']
    """
    results, axes = started(results, "results", "measured strategy", ax)
    bars = axes.barh(
        [result.name for result in results],
        [result.gflops for result in results],
        color=[ORANGE if result.name == "numpy" else BLUE for result in results],
    )
    axes.bar_label(bars, [three_digits(result.gflops) for result in results], padding=4)
    axes.margins(x=0.15)  # room for the numbers
    axes.invert_yaxis()
    axes.set_xlabel("GFLOP/s")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(left=False)
    return axes


def size_sweep(results: Iterable[StrategyResult], ax: Axes | None = None) -> Axes:
    """Draw the speed of each strategy against the size of the matrices.

    Parameters
    ----------
    results : iterable of StrategyResult
        Results of `tilewise.experiments.size_sweep`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw in, which get a legend of their own. By default those of a new figure, which
        has its legend below them.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, with the picture.

    Raises
    ------
    ValueError
        `results` is empty.
    ImportError
        Matplotlib is not installed.

    Examples
    --------
    >>> from tilewise.experiments import StrategyResult
    >>> size_sweep([StrategyResult("full", 256, "float32", gflops=123.4)]).get_xlabel()
    'rows and columns n'
    """
    results, axes = started(results, "results", "measured strategy", ax)
    draw_lines(axes, results, x="n", y="gflops", label="name")
    sizes = sorted({result.n for result in results})
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(n) for n in sizes])
    axes.set_yscale("log")
    axes.minorticks_off()
    return finished(axes, ax, "rows and columns n", "GFLOP/s")


def frameworks(results: Iterable[FrameworkResult], ax: Axes | None = None) -> Axes:
    """Draw the speed of the loops in Python, a line a framework.

    Parameters
    ----------
    results : iterable of FrameworkResult
        Results of `tilewise.experiments.frameworks`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw in, which get a legend of their own. By default those of a new figure, which
        has its legend below them.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, with the picture.

    Raises
    ------
    ValueError
        `results` is empty.
    ImportError
        Matplotlib is not installed.

    Examples
    --------
    >>> from tilewise.experiments import FrameworkResult
    >>> ax = frameworks([FrameworkResult("NumPy", "full", 64, calls=1, seconds=1e-5)])
    >>> ax.get_ylabel()
    'GFLOP/s'
    """
    results, axes = started(results, "results", "measured loop", ax)
    draw_lines(axes, results, x="strategy", y="gflops", label="framework")
    axes.set_yscale("log")
    axes.minorticks_off()
    return finished(axes, ax, "strategy", "GFLOP/s")
