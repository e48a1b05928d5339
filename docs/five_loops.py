"""Draws docs/images/five_loops.png: which parts of A, B and C the five loops of a product hold.

``python docs/five_loops.py``
"""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

BLOCK, PANEL, TILE = "#a6d3f2", "#0072b2", "#d55e00"
M, N, K = 9.0, 12.0, 8.0
MC, NC, KC, MR, NR = 3.6, 8.4, 3.2, 0.9, 1.8


def matrix(ax: Axes, left: float, top: float, width: float, height: float, name: str) -> None:
    """Draw a matrix with its name above."""
    ax.add_patch(Rectangle((left, top - height), width, height, fc="white", ec="black", lw=1.2))
    ax.text(left + width / 2, top + 1.15, name, ha="center", fontsize=13, weight="bold")


def part(ax: Axes, left: float, top: float, width: float, height: float, color: str) -> None:
    """Fill a part of a matrix."""
    ax.add_patch(Rectangle((left, top - height), width, height, fc=color, ec="black", lw=0.6))


def across(ax: Axes, left: float, right: float, y: float, label: str) -> None:
    """Mark a width above."""
    ax.annotate("", (left, y), (right, y), arrowprops={"arrowstyle": "<->", "lw": 0.9})
    ax.text((left + right) / 2, y + 0.12, label, ha="center", va="bottom", fontsize=11)


def down(ax: Axes, x: float, top: float, bottom: float, label: str, side: int = -1) -> None:
    """Mark a height, with its label on the left or, for side 1, on the right."""
    ax.annotate("", (x, top), (x, bottom), arrowprops={"arrowstyle": "<->", "lw": 0.9})
    ax.text(
        x + 0.3 * side,  # clear of the heads of a short arrow
        (top + bottom) / 2,
        label,
        ha="left" if side > 0 else "right",
        va="center",
        fontsize=11,
    )


def draw() -> Figure:
    """Return the picture."""
    figure = Figure(figsize=(11, 4.6))
    ax = figure.add_subplot()
    c, a, b = 0.0, N + 3.8, N + K + 7.6  # left edges
    matrix(ax, a, 0, K, M, "A")
    part(ax, a, 0, KC, MC, BLOCK)
    part(ax, a, -MR, KC, MR, PANEL)
    across(ax, a, a + KC, 0.25, "kc")
    down(ax, a - 0.25, 0, -MC, "mc")
    down(ax, a + KC + 0.25, -MR, -2 * MR, "mr", side=1)
    ax.text(a + K / 2, -M - 0.4, "block of A: stays in L2", ha="center", va="top", fontsize=11)

    matrix(ax, b, 0, N, K, "B")
    part(ax, b, 0, NC, KC, BLOCK)
    part(ax, b + NR, 0, NR, KC, PANEL)
    across(ax, b, b + NC, 0.25, "nc")
    across(ax, b + NR, b + 2 * NR, -KC - 0.75, "nr")
    down(ax, b - 0.25, 0, -KC, "kc")
    ax.text(
        b + N / 2, -M - 0.4, "block of B: stays in L3; its panels in L2", ha="center", va="top",
        fontsize=11,
    )  # fmt: skip

    matrix(ax, c, 0, N, M, "C")
    part(ax, c, 0, NC, MC, BLOCK)
    part(ax, c + NR, -MR, NR, MR, TILE)
    across(ax, c, c + NC, 0.25, "nc")
    down(ax, c - 0.25, 0, -MC, "mc")
    ax.text(
        c + N / 2, -M - 0.4, "tile of C: stays in registers", ha="center", va="top", fontsize=11
    )

    ax.text(b - 1.9, -M / 2 - 1.0, r"$\times$", fontsize=20, ha="center")
    ax.text(a - 1.9, -M / 2 - 1.0, "+=", fontsize=16, ha="center")
    ax.set_xlim(-1.6, b + N + 0.4)
    ax.set_ylim(-M - 1.6, 2.4)
    ax.set_aspect("equal")
    ax.axis("off")
    figure.tight_layout(pad=0.3)
    return figure


if __name__ == "__main__":
    draw().savefig(
        Path(__file__).parent / "images" / "five_loops.png", dpi=110, bbox_inches="tight"
    )
