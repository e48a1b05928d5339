"""Pictures of the ways to compute a matrix product."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tilewise._format import three_digits
from tilewise.plots.legends import add_legend
from tilewise.plots.style import BLUE, ORANGE, line_style, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tilewise.experiments.products import StrategyResult
    from tilewise.experiments.python_loops import FrameworkResult

__all__ = ["frameworks", "size_sweep", "strategies"]


def strategies(results: Iterable[StrategyResult], ax: Axes | None = None) -> Axes:
    """Draw the speed of the ways to compute a matrix product, as bars.

    Parameters
    ----------
    results : iterable of StrategyResult
        Of `tilewise.experiments.strategies`. NumPy's bar has a colour of its own.
    ax : matplotlib.axes.Axes, optional
        Where to draw. By default in a new figure.

    Returns
    -------
    matplotlib.axes.Axes

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
    results = list(results)
    if not results:
        raise ValueError("results is empty; pass at least one measured strategy")
    ax = new_axes() if ax is None else ax
    bars = ax.barh(
        [result.name for result in results],
        [result.gflops for result in results],
        color=[ORANGE if result.name == "numpy" else BLUE for result in results],
    )
    ax.bar_label(bars, [three_digits(result.gflops) for result in results], padding=4)
    ax.margins(x=0.15)  # room for the numbers
    ax.invert_yaxis()
    ax.set_xlabel("GFLOP/s")
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(left=False)
    return ax


def size_sweep(results: Iterable[StrategyResult], ax: Axes | None = None) -> Axes:
    """Draw the speed of each strategy against the size of the matrices.

    Parameters, returned value and errors are those of `strategies`; `results` are those of
    `tilewise.experiments.size_sweep`.

    Examples
    --------
    >>> from tilewise.experiments import StrategyResult
    >>> size_sweep([StrategyResult("full", 256, "float32", gflops=123.4)]).get_xlabel()
    'rows and columns n'
    """
    results = list(results)
    if not results:
        raise ValueError("results is empty; pass at least one measured strategy")
    ax = new_axes() if ax is None else ax
    for i, name in enumerate(dict.fromkeys(result.name for result in results)):
        own = [result for result in results if result.name == name]
        sizes, speeds = [result.n for result in own], [result.gflops for result in own]
        ax.plot(sizes, speeds, **line_style(i), label=name)
    sizes = sorted({result.n for result in results})
    ax.set_xscale("log", base=2)
    ax.set_xticks(sizes, [str(n) for n in sizes])
    _finish_log_speeds(ax, "rows and columns n")
    return ax


def frameworks(results: Iterable[FrameworkResult], ax: Axes | None = None) -> Axes:
    """Draw the speed of the loops in Python, a line a framework.

    Parameters, returned value and errors are those of `strategies`; `results` are those of
    `tilewise.experiments.frameworks`.

    Examples
    --------
    >>> from tilewise.experiments import FrameworkResult
    >>> ax = frameworks([FrameworkResult("NumPy", "full", 64, calls=1, seconds=1e-5)])
    >>> ax.get_ylabel()
    'GFLOP/s'
    """
    results = list(results)
    if not results:
        raise ValueError("results is empty; pass at least one measured loop")
    ax = new_axes() if ax is None else ax
    for i, name in enumerate(dict.fromkeys(result.framework for result in results)):
        own = [result for result in results if result.framework == name]
        speeds = [result.gflops for result in own]
        names = [result.strategy for result in own]
        ax.plot(names, speeds, **line_style(i), label=name)
    _finish_log_speeds(ax, "strategy")
    return ax


def _finish_log_speeds(ax: Axes, xlabel: str) -> None:
    ax.set_yscale("log")
    ax.minorticks_off()
    ax.set_xlabel(xlabel)
    ax.set_ylabel("GFLOP/s")
    ax.grid(alpha=0.3)
    add_legend(ax)
