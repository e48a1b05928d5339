"""Pictures of what was measured.

Each function takes ``ax=None``, draws and returns the Axes. Without `ax` it makes a new figure
that pyplot does not know, so nothing global changes: ``ax.figure.savefig("picture.png")``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from tilewise.animator import Animator
from tilewise.figures import BLUE, ORANGE, STYLES, new_axes
from tilewise.roofline_plot import roofline
from tilewise.tables import three_digits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tilewise.chapter import Run, StrategyResult
    from tilewise.history import History

__all__ = ["Animator", "loss_vs_time", "roofline", "strategies"]


def loss_vs_time(histories: Mapping[str, History] | Iterable[Run], ax: Axes | None = None) -> Axes:
    """Draw the loss of training runs against their training time, on a logarithmic axis.

    Parameters
    ----------
    histories : mapping of str to History, or iterable of Run
        Results of `tilewise.fit` or `tilewise.train` by label, or of `tilewise.chapter.four_runs`.
    ax : matplotlib.axes.Axes, optional
        Where to draw. By default in a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        `histories` is empty.
    ImportError
        Matplotlib is not installed.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y, _, _ = tw.data.synthetic(1000, 3, seed=0)
    >>> ax = loss_vs_time({"batch 10": tw.fit(X, y, batch_size=10, epochs=2, seed=0)})
    >>> ax.get_xscale(), ax.get_xlabel()
    ('log', 'training time (seconds)')
    """
    if isinstance(histories, Mapping):
        curves = list(histories.items())
    else:
        curves = [(_label(run), run.history) for run in histories]
    if not curves:
        raise ValueError("histories is empty; pass at least one training run")
    ax = new_axes() if ax is None else ax
    for i, (label, history) in enumerate(curves):
        colour, line, marker = STYLES[i % len(STYLES)]
        drawable = np.isfinite(history.losses) & (history.seconds > 0)
        ax.plot(
            history.seconds[drawable],
            history.losses[drawable],
            color=colour,
            linestyle=line,
            marker=marker,
            markersize=4,
            label=label,
        )
    ax.set_xscale("log")
    _label_one_two_five(ax)
    ax.set_xlabel("training time (seconds)")
    ax.set_ylabel("loss (half mean squared error)")
    ax.grid(alpha=0.3)
    ax.legend()
    return ax


def strategies(results: Iterable[StrategyResult], ax: Axes | None = None) -> Axes:
    """Draw the speed of the ways to compute a matrix product, as bars.

    Parameters
    ----------
    results : iterable of StrategyResult
        Of `tilewise.chapter.strategies`. NumPy's bar has a colour of its own.
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
    >>> from tilewise.chapter import StrategyResult
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


def _label(run: Run) -> str:
    return f"{run.name}: batch size {run.batch_size}, rate {run.learning_rate:g}"


def _label_one_two_five(ax: Axes) -> None:
    """Label 1, 2 and 5 of each decade, in SI units; more labels would overlap."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(EngFormatter(unit="s"))
    ax.xaxis.set_minor_formatter(NullFormatter())
