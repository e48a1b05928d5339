"""What all pictures share: colours, lines, size, and a figure that pyplot does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tilewise._extras import required

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colours of Okabe and Ito (2008), told apart with any colour vision; line and marker differ too.
BLUE, ORANGE = "#0072B2", "#E69F00"
STYLES = [
    (BLUE, "-", "o"),
    ("#D55E00", "--", "s"),
    ("#009E73", "-.", "^"),
    ("#CC79A7", ":", "D"),
    (ORANGE, "-", "v"),
    ("#56B4E9", "--", "P"),
    ("#000000", "-.", "X"),
]
SIZE = (5.4, 3.8)  # inches; small, so that the text stays readable on a phone


def line_style(i: int) -> dict[str, Any]:
    """Return what ``Axes.plot`` takes for line number i of a picture."""
    colour, line, marker = STYLES[i % len(STYLES)]
    return {"color": colour, "linestyle": line, "marker": marker}


def new_axes(size: tuple[float, float] = SIZE) -> Axes:
    """Return the axes of a new figure that pyplot does not know; `size` is in inches."""
    figure = required("matplotlib.figure", "report", "plots need Matplotlib")
    axes: Axes = figure.Figure(figsize=size, layout="constrained").subplots()
    return axes
