"""Pictures of the section's exercises."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import numpy as np

from tilewise._format import three_digits
from tilewise.plots.legends import add_legend
from tilewise.plots.style import BLUE, ORANGE, line_style, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tilewise.experiments.exercises import Curve, SweepResult
    from tilewise.experiments.noise import NoiseResult

__all__ = ["excess_loss", "gradient_noise", "sweep"]


def sweep(
    results: Iterable[SweepResult],
    quantity: Literal["loss", "seconds"] = "loss",
    ax: Axes | None = None,
) -> Axes:
    """Draw a heat map over batch size and learning rate, with the number in each cell.

    Parameters
    ----------
    results : iterable of SweepResult
        Of `tilewise.experiments.batch_rate_sweep`.
    quantity : {'loss', 'seconds'}, default 'loss'
    ax : matplotlib.axes.Axes, optional
        Where to draw. By default in a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Cells of runs that diverged say so. The lightest is ten times the least, or more.

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
    results = list(results)
    if not results:
        raise ValueError("results is empty; pass at least one run")
    ax = new_axes() if ax is None else ax
    batches = sorted({result.batch_size for result in results})
    rates = sorted({result.learning_rate for result in results})
    shades = np.full((len(batches), len(rates)), np.nan)
    for result in results:
        at = batches.index(result.batch_size), rates.index(result.learning_rate)
        value = getattr(result, quantity)
        if value is not None:
            shades[at] = np.log10(max(value, 1e-300))
        label = "diverged" if value is None else _cell(value, quantity)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.8}
        ax.text(at[1], at[0], label, ha="center", va="center", fontsize=8, bbox=box)
    least = np.nanmin(shades, initial=np.inf)
    scale = {"vmin": least, "vmax": least + 1} if np.isfinite(least) else {}
    ax.imshow(shades, cmap="cividis", aspect="auto", **scale)
    ax.set_xticks(range(len(rates)), [f"{rate:g}" for rate in rates])
    ax.set_yticks(range(len(batches)), [str(batch) for batch in batches])
    ax.set_xlabel("learning rate")
    ax.set_ylabel("batch size")
    return ax


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
        Of `tilewise.experiments.rate_decay`, `replacement` or `duplicated_data`.
    ax : matplotlib.axes.Axes, optional
        Where to draw. By default in a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        Values that a logarithmic axis cannot show are left out.

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
    curves = list(curves)
    if not curves:
        raise ValueError("curves is empty; pass at least one curve")
    ax = new_axes() if ax is None else ax
    for i, curve in enumerate(curves):
        losses = np.array(curve.excess_losses)
        losses[losses <= 0] = np.nan
        ax.plot(curve.epochs, losses, **line_style(i), label=curve.name)
    ax.set_yscale("log")
    ax.set_xticks(curves[0].epochs)
    ax.set_xlabel("epoch")
    ax.set_ylabel("loss above the least possible")
    ax.grid(alpha=0.3)
    add_legend(ax)
    return ax


def gradient_noise(results: Iterable[NoiseResult], ax: Axes | None = None) -> Axes:
    """Draw the noise of the gradient against the batch size, with the line of the theory.

    Parameters
    ----------
    results : iterable of NoiseResult
        Of `tilewise.experiments.gradient_noise`.
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
    >>> from tilewise.experiments import NoiseResult
    >>> ax = gradient_noise([NoiseResult(1, 2.0, 2.1), NoiseResult(4, 1.0, 1.05)])
    >>> ax.get_xlabel()
    'batch size b'
    """
    results = list(results)
    if not results:
        raise ValueError("results is empty; pass at least one batch size")
    ax = new_axes() if ax is None else ax
    batches = [result.batch_size for result in results]
    ax.plot(batches, [result.theory for result in results], color=ORANGE, label="theory")
    measured = [result.measured for result in results]
    ax.plot(batches, measured, color=BLUE, ls="", marker="o", label="measured")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("batch size b")
    ax.set_ylabel("noise of the gradient")
    ax.grid(alpha=0.3)
    add_legend(ax)
    return ax
