"""Labels in a picture, each beside what it names and none over another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Label", "place"]

_FONT_SIZE = 7
_AWAY = (6, 16, 26, 36, 46, 60, 75)  # points from what is named
_DIRECTIONS = (
    (1, 0), (-1, 0), (0, 1), (0, -1), (1, 0.6), (-1, 0.6), (1, -0.6), (-1, -0.6),
    (0.7, 0.7), (-0.7, 0.7), (0.7, -0.7), (-0.7, -0.7),
)  # fmt: skip
_MARKER, _LINE = 4.0, 1.0  # points that a marker and a line take to each side
_OVER_LINE, _OVER_TEXT, _CROSSING = 2, 20, 1  # how bad: over a line, over a text, a thin line
_STEPS = 24  # along a leader: less than the height of a text apart

_GAP = (6.0, 1.0)  # points between two labels, beside and above each other

Boxes = NDArray[np.float64]
"""Left, bottom, right and top of boxes in pixels, shape (n, 4)."""


@dataclass(frozen=True)
class Label:
    """A text and the places, in data coordinates, that it may stand beside; the first is best.

    Attributes
    ----------
    text, colour : str
    anchors : sequence of (x, y)
    """

    text: str
    colour: str
    anchors: Sequence[tuple[float, float]]


def place(labels: Sequence[Label], ax: Axes) -> None:
    """Write each label where it overlaps the axes' lines and the labels before it least.

    A thin line leads from the text to its anchor, and over no other text if that can be. The same
    input gives the same picture.

    Parameters
    ----------
    labels : sequence of Label
    ax : matplotlib.axes.Axes
        With its lines, its final limits and its final size.
    """
    from matplotlib.text import Text

    figure = ax.figure.canvas.figure
    figure.draw_without_rendering()  # a layout moves the axes
    pixels = figure.dpi / 72  # in a point
    taken = _boxes_of_lines(ax, pixels)
    texts: Boxes = np.empty((0, 4))
    led: Boxes = np.empty((0, 4))  # by the thin lines
    for label in labels:
        text = ax.annotate(
            label.text,
            label.anchors[0],
            (0, 0),
            textcoords="offset points",
            color=label.colour,
            fontsize=_FONT_SIZE,
            ha="center",
            va="center",
            arrowprops={"arrowstyle": "-", "linewidth": 0.5, "color": label.colour, "shrinkA": 0},
        )
        extent = Text.get_window_extent(text)  # of the text alone, without its line
        half = (np.array([extent.width, extent.height]) / pixels + _GAP) / 2
        choices = [
            (anchor, tuple((half + away) * direction))
            for away in _AWAY
            for anchor in label.anchors
            for direction in _DIRECTIONS
        ]
        centres = [ax.transData.transform(xy) + np.multiply(by, pixels) for xy, by in choices]
        boxes = _around(np.array(centres), half * pixels)
        page = np.array([ax.bbox.extents])
        whole = 4 * np.prod(half * pixels)
        tips = ax.transData.transform([xy for xy, _ in choices])
        leaders = _leaders(tips, np.array(centres), pixels)
        crossing = _shared(leaders.reshape(-1, 4), texts).reshape(len(choices), -1).any(axis=1)
        crossed = _shared(boxes, led) > 0
        hidden = _OVER_LINE * _shared(boxes, taken) + _OVER_TEXT * _shared(boxes, texts)
        cost = whole - _shared(boxes, page) + hidden + _CROSSING * whole * (crossing + crossed)
        best = int(np.argmin(np.round(cost, 3)))
        text.xy, text.xyann = choices[best]
        texts, led = np.vstack([texts, boxes[best]]), np.vstack([led, leaders[best]])


def _boxes_of_lines(ax: Axes, pixels: float) -> Boxes:
    """Return small boxes along each line, and one for each marker."""
    boxes = []
    for line in ax.get_lines():
        xy = ax.transData.transform(line.get_xydata())
        if line.get_marker() != "None":
            boxes.append(_around(xy, _MARKER * pixels))
        for start, end in pairwise(xy):
            steps = np.arange(0, 1, 2 * _LINE * pixels / max(np.hypot(*(end - start)), 1.0))
            boxes.append(_around(start + steps[:, None] * (end - start), _LINE * pixels))
    return np.vstack(boxes)


def _leaders(tips: NDArray[np.float64], centres: NDArray[np.float64], pixels: float) -> Boxes:
    """Return small boxes along the line from each tip to its text, shape (n, steps, 4)."""
    steps = np.linspace(0, 1, _STEPS)[:, None]
    points = tips[:, None] + steps * (centres - tips)[:, None]
    return _around(points.reshape(-1, 2), _LINE * pixels).reshape(len(tips), _STEPS, 4)


def _around(centres: NDArray[np.float64], half: float | NDArray[np.float64]) -> Boxes:
    return np.hstack([centres - half, centres + half])


def _shared(boxes: Boxes, others: Boxes) -> NDArray[np.float64]:
    """Return the area of each box that the others cover, counted for each of them."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    area: NDArray[np.float64] = np.prod(np.maximum(high - low, 0), axis=2).sum(axis=1)
    return area
