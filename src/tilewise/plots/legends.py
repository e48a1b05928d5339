"""Legends that cover no curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["add_legend"]

_FONT_SIZE = 8.0
_SHARE = 0.4  # of the height of the axes that a legend may take


def add_legend(ax: Axes) -> None:
    """Name the curves of the axes in a legend below the label of the x axis.

    Where no layout makes room for it there, it stands in the axes, above the curves: the upper
    limit of the y axis is raised.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        With its curves, its labels, and the size for which the legend gets its columns.
    """
    if (old := ax.get_legend()) is not None:
        old.remove()
    if not ax.get_legend_handles_labels()[1]:
        return
    ax.figure.canvas.figure.draw_without_rendering()  # a layout moves the axes
    if _layout_makes_room(ax):
        ax.legend(**_below(ax), **_fitting(ax))
    else:
        legend = ax.legend(loc="upper center", **_fitting(ax))
        _raise_limit(ax, legend.get_window_extent().y0)


def _layout_makes_room(ax: Axes) -> bool:
    from matplotlib.layout_engine import ConstrainedLayoutEngine, TightLayoutEngine

    engine = ax.figure.canvas.figure.get_layout_engine()
    makes_room = isinstance(engine, (ConstrainedLayoutEngine, TightLayoutEngine))
    return makes_room and ax.get_subplotspec() is not None and ax.get_in_layout()


def _below(ax: Axes) -> dict[str, Any]:
    """Return what puts a legend below all that belongs to the x axis, whatever the size."""
    from matplotlib.transforms import ScaledTranslation

    figure = ax.figure.canvas.figure
    axis = ax.xaxis.get_tightbbox() or ax.bbox
    depth = max(ax.bbox.y0 - axis.y0, 0) / figure.dpi
    transform = ax.transAxes + ScaledTranslation(0, -depth, figure.dpi_scale_trans)
    return {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "bbox_transform": transform}


def _fitting(ax: Axes) -> dict[str, Any]:
    """Return the columns that let the letters be largest, with the fewest rows, and their size."""
    entries = len(ax.get_legend_handles_labels()[1])
    scale, best, rows = 0.0, 1, entries
    for columns in range(1, entries + 1):
        box = ax.legend(loc="upper center", fontsize=_FONT_SIZE, ncols=columns).get_window_extent()
        by_width, by_height = ax.bbox.width / box.width, _SHARE * ax.bbox.height / box.height
        if by_width < scale:
            break  # more columns are wider still
        fits, needs = min(by_width, by_height, 1.0), -(entries // -columns)
        if (fits, -needs) > (scale, -rows):
            scale, rows, best = fits, needs, columns
    return {"fontsize": scale * _FONT_SIZE, "ncols": best}


def _raise_limit(ax: Axes, bottom: float) -> None:
    """Raise the upper limit, so that what was in the axes ends below a pixel row."""
    share = (bottom - ax.bbox.y0) / ax.bbox.height
    scale, automatic = ax.yaxis.get_transform(), ax.get_autoscaley_on()
    low, high = scale.transform(ax.get_ylim())
    ax.set_ylim(top=scale.inverted().transform([low + (high - low) / share])[0])
    ax.set_autoscaley_on(automatic)  # curves that are drawn later are seen
