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
    from matplotlib.text import Annotation

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
_LED_OVER_TEXT, _LED_OVER_LINE, _FAR = 2.0, 0.3, 0.003
_ROUNDS = 8  # of choosing again, at most
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
    """Write each label where it overlaps the axes' lines and the other labels least.

    A thin line leads from the text to its anchor, and over no other text or line if that can be.
    Each label in its turn takes the place that is best beside the others, a few times over. The
    same input gives the same picture.

    Parameters
    ----------
    labels : sequence of Label
    ax : matplotlib.axes.Axes
        With its lines, its final limits and its final size.
    """
    figure = ax.figure.canvas.figure
    figure.draw_without_rendering()  # a layout moves the axes
    page = _Page(ax, figure.dpi / 72)
    texts = [_write(label, ax) for label in labels]
    places = [page.places(label, text) for label, text in zip(labels, texts, strict=True)]
    for text, mine, i in zip(texts, places, _choose(places), strict=True):
        text.xy, text.xyann = mine.choices[i]


def _write(label: Label, ax: Axes) -> Annotation:
    return ax.annotate(
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


@dataclass(frozen=True)
class _Places:
    """Where a label can stand: an anchor and an offset, and what the text and its line cover."""

    choices: list[tuple[tuple[float, float], tuple[float, float]]]
    boxes: Boxes
    leaders: Boxes  # of each choice, shape (n, steps, 4)
    cost: NDArray[np.float64]  # of each choice without other labels


def _choose(places: Sequence[_Places]) -> list[int]:
    """Return the choice of each label."""
    taken: dict[int, int] = {}
    for _ in range(_ROUNDS):
        before = dict(taken)
        for i, mine in enumerate(places):
            others = [(places[j], k) for j, k in taken.items() if j != i]
            taken[i] = int(np.argmin(np.round(mine.cost + _cost_beside(mine, others), 6)))
        if taken == before:
            break
    return [taken[i] for i in range(len(places))]


def _cost_beside(
    mine: _Places, others: Sequence[tuple[_Places, int]]
) -> NDArray[np.float64] | float:
    if not others:
        return 0.0
    texts = np.array([places.boxes[i] for places, i in others])
    leaders = np.vstack([places.leaders[i] for places, i in others])
    led_over = _shared(mine.leaders.reshape(-1, 4), texts).reshape(len(mine.boxes), -1)
    cost: NDArray[np.float64] = (
        _OVER_TEXT * _shared(mine.boxes, texts) / _area(mine.boxes)
        + _LED_OVER_TEXT * (_shared(mine.boxes, leaders) > 0)
        + _LED_OVER_TEXT * led_over.any(axis=1)
    )
    return cost


class _Page:
    """What a label can lie over, or leave."""

    def __init__(self, ax: Axes, pixels: float) -> None:
        self._ax, self._pixels = ax, pixels
        self._lines, self._segments = _boxes_of_lines(ax, pixels), _segments(ax)

    def places(self, label: Label, text: Annotation) -> _Places:
        """Return the places of a label."""
        from matplotlib.text import Text

        extent = Text.get_window_extent(text)  # of the text alone, without its line
        half = (np.array([extent.width, extent.height]) / self._pixels + _GAP) / 2
        choices = [
            (anchor, (float(across), float(up)))
            for away in _AWAY
            for anchor in label.anchors
            for across, up in (half + away) * _DIRECTIONS
        ]
        tips = self._ax.transData.transform([xy for xy, _ in choices])
        centres = tips + self._pixels * np.array([by for _, by in choices])
        boxes = _around(centres, half * self._pixels)
        away = np.repeat(_AWAY, len(choices) // len(_AWAY))
        cost = self._cost_of_boxes(boxes) + self._cost_of_leaders(tips, centres) + _FAR * away
        return _Places(choices, boxes, _leaders(tips, centres, self._pixels), cost)

    def _cost_of_boxes(self, boxes: Boxes) -> NDArray[np.float64]:
        outside = 1 - _shared(boxes, np.array([self._ax.bbox.extents])) / _area(boxes)
        over_lines = _shared(boxes, self._lines) / _area(boxes)
        cost: NDArray[np.float64] = (
            _OUTSIDE * (outside + (outside > 1e-6))
            + _OVER_LINE * over_lines
            + _TOUCHING * (over_lines > 0)
        )
        return cost

    def _cost_of_leaders(self, tips: Points, centres: Points) -> NDArray[np.float64]:
        ways = centres - tips
        at_marker = _AWAY[0] * self._pixels / np.hypot(*ways.T)[:, None]
        crossed = _crossed(tips + at_marker * ways, centres, self._segments)
        cost: NDArray[np.float64] = np.multiply(_LED_OVER_LINE, crossed)
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


def _area(boxes: Boxes) -> NDArray[np.float64]:
    area: NDArray[np.float64] = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return area
