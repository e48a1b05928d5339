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
# How bad a place is: for the share of the text that is outside, over lines, over other texts; for
# any line below it; for a thin line over a text, for each line below that, for each point of it.
_OUTSIDE, _OVER_LINE, _OVER_TEXT, _TOUCHING = 5.0, 4.0, 20.0, 2.0
_LED_OVER_TEXT, _LED_OVER_LINE, _LED_FAR = 2.0, 0.3, 0.003
_STEPS = 24  # along a leader: less than the height of a text apart
_GAP = (6.0, 2.0)  # points between two labels, beside and above each other

Boxes = NDArray[np.float64]
"""Left, bottom, right and top of boxes in pixels, shape (n, 4)."""
Points = NDArray[np.float64]
"""Pixels, shape (n, 2)."""


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

    A thin line leads from the text to its anchor, and over no other text or line if that can be.
    The same input gives the same picture.

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
    page = _Page(ax, pixels)
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
        tips = ax.transData.transform([xy for xy, _ in choices])
        centres = tips + pixels * np.array([by for _, by in choices])
        best = page.take(tips, centres, half * pixels)
        text.xy, text.xyann = choices[best]


class _Page:
    """What a label can lie over: the lines, and the labels before it."""

    def __init__(self, ax: Axes, pixels: float) -> None:
        self._pixels = pixels
        self._inside = np.array([ax.bbox.extents])
        self._lines, self._segments = _boxes_of_lines(ax, pixels), _segments(ax)
        self._texts: Boxes = np.empty((0, 4))
        self._leaders: Boxes = np.empty((0, 4))

    def take(self, tips: Points, centres: Points, half: NDArray[np.float64]) -> int:
        """Choose the best of the places for a text, and keep it from the next ones.

        `half` is half the width and height of the text.
        """
        boxes = _around(centres, half)
        leaders = _leaders(tips, centres, self._pixels)
        cost = self._cost_of_boxes(boxes) + self._cost_of_leaders(tips, centres, leaders)
        away = np.repeat(_AWAY, len(tips) // len(_AWAY))
        best = int(np.argmin(np.round(cost + _LED_FAR * away, 6)))
        self._texts = np.vstack([self._texts, boxes[best]])
        self._leaders = np.vstack([self._leaders, leaders[best]])
        return best

    def _cost_of_boxes(self, boxes: Boxes) -> NDArray[np.float64]:
        area = np.prod(boxes[0, 2:] - boxes[0, :2])
        outside = 1 - _shared(boxes, self._inside) / area
        over_lines = _shared(boxes, self._lines) / area
        cost: NDArray[np.float64] = (
            _OUTSIDE * (outside + (outside > 1e-6))
            + _OVER_LINE * over_lines
            + _TOUCHING * (over_lines > 0)
            + _OVER_TEXT * _shared(boxes, self._texts) / area
            + _LED_OVER_TEXT * (_shared(boxes, self._leaders) > 0)
        )
        return cost

    def _cost_of_leaders(
        self, tips: Points, centres: Points, leaders: Boxes
    ) -> NDArray[np.float64]:
        over_texts = _shared(leaders.reshape(-1, 4), self._texts).reshape(len(tips), -1)
        ways = centres - tips
        at_marker = _AWAY[0] * self._pixels / np.hypot(*ways.T)[:, None]
        crossed = _crossed(tips + at_marker * ways, centres, self._segments)
        cost: NDArray[np.float64] = (
            _LED_OVER_TEXT * over_texts.any(axis=1) + _LED_OVER_LINE * crossed
        )
        return cost


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


def _segments(ax: Axes) -> NDArray[np.float64]:
    """Return the ends of the straight parts of the lines in pixels, shape (n, 2, 2)."""
    lines = [ax.transData.transform(line.get_xydata()) for line in ax.get_lines()]
    return np.array([ends for line in lines for ends in pairwise(line)]).reshape(-1, 2, 2)


def _crossed(starts: Points, ends: Points, segments: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return how many of the segments each line from a start to an end crosses."""
    a, b, c, d = starts[:, None], ends[:, None], segments[None, :, 0], segments[None, :, 1]
    apart = (_left_of(a, b, c) != _left_of(a, b, d)) & (_left_of(c, d, a) != _left_of(c, d, b))
    counts: NDArray[np.int64] = apart.sum(axis=1)
    return counts


def _left_of(start: Points, end: Points, point: Points) -> NDArray[np.bool_]:
    """Tell whether a point is on the left of the line from a start to an end."""
    way, to = end - start, point - start
    return way[..., 0] * to[..., 1] > way[..., 1] * to[..., 0]


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
