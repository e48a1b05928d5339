"""What a section of the page consists of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tilewise.report.table import Table


@dataclass(frozen=True)
class Section:
    """A picture with what to see in it, and the table of its numbers."""

    title: str
    draw: Callable[[], Any]  # returns the Axes
    picture_title: str
    caption: str  # a sentence that holds for whatever was measured
    table: Table | None = None
    published: Table | None = None  # what d2l.ai prints, where it has a table of its own
    names: Mapping[str, str] = field(default_factory=dict)  # what names in them stand for
    text: str = ""  # what else to know before the picture
