"""Pictures of training runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np

from tilewise.plots.style import finished, line_style, started

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tilewise.experiments.runs import Run
    from tilewise.training.history import History


def loss_vs_time(histories: Mapping[str, History] | Iterable[Run], ax: Axes | None = None) -> Axes:
    """Draw the loss of training runs against their training time, on a logarithmic axis.

    Parameters
    ----------
    histories : mapping of str to History, or iterable of Run
        Results of `tilewise.fit` or `tilewise.train` by label, or of
        `tilewise.experiments.four_runs`.
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
    axes = _draw(histories, "seconds", "training time (seconds)", ax)
    _label_one_two_five(axes)
    return axes


def loss_vs_examples(
    histories: Mapping[str, History] | Iterable[Run], ax: Axes | None = None
) -> Axes:
    """Draw the loss of training runs against the rows seen, on a logarithmic axis.

    Parameters
    ----------
    histories : mapping of str to History, or iterable of Run
        Results of `tilewise.fit` or `tilewise.train` by label, or of
        `tilewise.experiments.four_runs`.
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
        `histories` is empty.
    ImportError
        Matplotlib is not installed.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y, _, _ = tw.data.synthetic(1000, 3, seed=0)
    >>> ax = loss_vs_examples({"batch 10": tw.fit(X, y, batch_size=10, epochs=2, seed=0)})
    >>> ax.get_xlabel()
    'rows seen'
    """
    return _draw(histories, "examples", "rows seen", ax)


def _draw(
    histories: Mapping[str, History] | Iterable[Run],
    quantity: Literal["seconds", "examples"],
    xlabel: str,
    ax: Axes | None,
) -> Axes:
    curves: Iterable[tuple[str, History]] = (
        histories.items()
        if isinstance(histories, Mapping)
        else (
            (f"{run.name}: batch size {run.batch_size}, rate {run.learning_rate:g}", run.history)
            for run in histories
        )
    )
    curves, axes = started(curves, "histories", "training run", ax)
    for i, (label, history) in enumerate(curves):
        spent = getattr(history, quantity)
        drawable = np.isfinite(history.losses) & (spent > 0)
        losses = history.losses[drawable]
        axes.plot(spent[drawable], losses, **line_style(i), markersize=4, label=label)
    axes.set_xscale("log")
    return finished(axes, ax, xlabel, "loss (half mean squared error)")


def _label_one_two_five(ax: Axes) -> None:
    """Label 1, 2 and 5 of each decade, in SI units, or 1 of many; more labels would overlap."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    low, high = ax.get_xlim()
    subs = (1.0, 2.0, 5.0) if high < 200 * low else (1.0,)
    ax.xaxis.set_major_locator(LogLocator(subs=subs))
    ax.xaxis.set_major_formatter(EngFormatter(unit="s"))
    ax.xaxis.set_minor_formatter(NullFormatter())
