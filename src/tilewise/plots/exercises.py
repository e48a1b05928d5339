"""Pictures of the section's exercises."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import numpy as np

from tilewise._format import three_digits
from tilewise.plots.style import BLUE, ORANGE, finished, line_style, started

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tilewise.experiments.exercises import Curve, SweepResult
    from tilewise.experiments.noise import NoiseResult


def sweep(
    results: Iterable[SweepResult],
    quantity: Literal["loss", "seconds"] = "loss",
    ax: Axes | None = None,
) -> Axes:
    """Draw a heat map over batch size and learning rate, with the number in each cell.

    Parameters
    ----------
    results : iterable of SweepResult
        Results of `tilewise.experiments.batch_rate_sweep`.
    quantity : {'loss', 'seconds'}, default 'loss'
        What the cells show: the loss at the end, or the training time.
    ax : matplotlib.axes.Axes, optional
        Axes to draw in. By default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, with the picture. Cells of runs that diverged say so. The lightest cell is ten
        times the least, or more.

    Raises
    ------
    ValueError
        `results` is empty.
    ImportError
        Matplotlib is not installed.

    Examples
    --------
    >>> from tilewise.experiments import SweepResult
    >>> ax = sweep([SweepResult(10, 0.1, 0.25, 0.001), SweepResult(10, 9.0, None, None)])
    >>> [text.get_text() for text in ax.texts]
    ['0.25', 'diverged']
    """
    results, axes = started(results, "results", "run", ax)
    batches = sorted({result.batch_size for result in results})
    rates = sorted({result.learning_rate for result in results})
    shades = np.full((len(batches), len(rates)), np.nan)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.8}
    for result in results:
        row, column = batches.index(result.batch_size), rates.index(result.learning_rate)
        value = getattr(result, quantity)
        if value is not None:
            shades[row, column] = np.log10(max(value, 1e-300))
        label = "diverged" if value is None else _cell(value, quantity)
        axes.text(column, row, label, ha="center", va="center", fontsize=8, bbox=box)
    least = np.nanmin(shades, initial=np.inf)
    scale = {"vmin": least, "vmax": least + 1} if np.isfinite(least) else {}
    axes.imshow(shades, cmap="cividis", aspect="auto", **scale)
    axes.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
    axes.set_yticks(range(len(batches)), [str(batch) for batch in batches])
    axes.set(xlabel="learning rate", ylabel="batch size")
    return axes


def _cell(value: float, quantity: str) -> str:
    from matplotlib.ticker import EngFormatter

    if quantity == "seconds":
        return str(EngFormatter(unit="s", places=1)(value))
    return three_digits(value) if value < 1e5 else f"{value:.0e}"


def excess_loss(curves: Iterable[Curve], ax: Axes | None = None) -> Axes:
    """Draw how far the loss is above the least possible, after each epoch.

    Parameters
    ----------
    curves : iterable of Curve
        Results of `tilewise.experiments.rate_decay`, `replacement` or `duplicated_data`.
    ax : matplotlib.axes.Axes, optional
        Axes to draw in, which get a legend of their own. By default those of a new figure, which
        has its legend below them.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, with the picture. Values that a logarithmic axis cannot show are left out.

    Raises
    ------
    ValueError
        `curves` is empty.
    ImportError
        Matplotlib is not installed.

    Examples
    --------
    >>> from tilewise.experiments import Curve
    >>> excess_loss([Curve("gd", (1, 2), (0.5, 0.25))]).get_yscale()
    'log'
    """
    curves, axes = started(curves, "curves", "curve", ax)
    for i, curve in enumerate(curves):
        losses = np.array(curve.excess_losses)
        losses[losses <= 0] = np.nan
        axes.plot(curve.epochs, losses, **line_style(i), label=curve.name)
    axes.set_yscale("log")
    axes.set_xticks(curves[0].epochs)
    return finished(axes, ax, "epoch", "loss above the least possible")


def gradient_noise(results: Iterable[NoiseResult], ax: Axes | None = None) -> Axes:
    """Draw the noise of the gradient against the batch size, with the line of the theory.

    Parameters
    ----------
    results : iterable of NoiseResult
        Results of `tilewise.experiments.gradient_noise`.
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
    >>> from tilewise.experiments import NoiseResult
    >>> ax = gradient_noise([NoiseResult(1, 2.0, 2.1), NoiseResult(4, 1.0, 1.05)])
    >>> ax.get_xlabel()
    'batch size b'
    """
    results, axes = started(results, "results", "batch size", ax)
    batches = [result.batch_size for result in results]
    axes.plot(batches, [result.theory for result in results], color=ORANGE, label="theory")
    measured = [result.measured for result in results]
    axes.plot(batches, measured, color=BLUE, ls="", marker="o", label="measured")
    axes.set(xscale="log", yscale="log")
    return finished(axes, ax, "batch size b", "noise of the gradient")
