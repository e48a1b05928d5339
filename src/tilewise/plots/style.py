"""What all pictures share: colours, lines, size, legend, and a figure that pyplot does not know."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from tilewise._extras import required

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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

Result = TypeVar("Result")


def line_style(i: int) -> dict[str, Any]:
    """Return what ``Axes.plot`` takes for line number i of a picture."""
    colour, line, marker = STYLES[i % len(STYLES)]
    return {"color": colour, "linestyle": line, "marker": marker}


def new_figure(size: tuple[float, float]) -> Figure:
    """Return a new figure that pyplot does not know; `size` is in inches."""
    figure = required("matplotlib.figure", "report", "plots need Matplotlib")
    made: Figure = figure.Figure(figsize=size, layout="constrained")
    return made


def new_axes(size: tuple[float, float] = SIZE) -> Axes:
    """Return the axes of a new figure."""
    return new_figure(size).subplots()


def started(
    results: Iterable[Result],
    name: str,
    noun: str,
    ax: Axes | None,
    size: tuple[float, float] = SIZE,
) -> tuple[list[Result], Axes]:
    """Return the results as a list, of at least one, and where to draw them."""
    listed = list(results)
    if not listed:
        raise ValueError(f"{name} is empty; pass at least one {noun}")
    return listed, new_axes(size) if ax is None else ax


def draw_lines(axes: Axes, results: list[Any], x: str, y: str, label: str, **style: Any) -> None:
    """Draw a line for each label among the results, of which x, y and label are attributes."""
    for i, name in enumerate(dict.fromkeys(getattr(result, label) for result in results)):
        own = [result for result in results if getattr(result, label) == name]
        xs, ys = ([getattr(result, key) for result in own] for key in (x, y))
        axes.plot(xs, ys, **line_style(i), label=name, **style)


def finished(axes: Axes, ax: Axes | None, xlabel: str, ylabel: str, **legend: Any) -> Axes:
    """Name the axes and the curves, lay a grid, and return the axes; `ax` is what the user gave."""
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.3)
    add_legend(axes, outside=ax is None, **legend)
    return axes


def add_legend(ax: Axes, *, outside: bool, **inside: Any) -> None:
    """Name the curves: below the axes in a figure of our own, else as `Axes.legend` does."""
    labels = ax.get_legend_handles_labels()[1]
    if not labels:
        return
    if not outside:
        ax.legend(fontsize=8, **inside)
        return
    for old in list(ax.figure.legends):
        old.remove()
    columns = 2 if max(map(len, labels)) > 24 else 3
    ax.figure.legend(loc="outside lower center", ncols=columns, fontsize=8)
