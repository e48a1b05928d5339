"""A table for a terminal; the template of the page lays the same out in HTML."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

_WIDTH = 80  # of a terminal


@dataclass(frozen=True)
class Table:
    """A table of text, whose first `names` columns name a row and whose others hold its numbers."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str  # how the numbers came about
    names: int = 1

    def to_text(self) -> str:
        """Return the table for a terminal of 80 columns."""
        columns = []
        for i, column in enumerate(zip(self.header, *self.rows, strict=True)):
            align = str.ljust if i < self.names else str.rjust
            width = max(map(len, column))
            columns.append([align(cell, width) for cell in column])
        lines = ["  ".join(cells) for cells in zip(*columns, strict=True)]
        return "\n".join([self.title, *lines, textwrap.fill(self.caption, _WIDTH)])
