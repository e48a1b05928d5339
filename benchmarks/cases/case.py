"""What a case is."""

from dataclasses import dataclass
from typing import Any, ClassVar

DTYPES = ("float32", "float64")
"""Those that have a peak."""
BESIDE = "busy process"
"""A neighbour of a case that takes a CPU meanwhile."""


@dataclass(frozen=True)
class Case:
    """One question to all contestants: plain values, and the data and the answer made of them.

    A subclass gives `name`, `flops` and `bytes` (what a unit reads and writes, each once), and:

    - ``data()``: what the method `asks` of a rival takes, by name; `out`, if any, is written to.
    - ``check(data, found, answer)``: raises ArithmeticError unless what was found is right.
    """

    group: str
    dtype: str = "float32"
    threads: int = 1
    only: tuple[str, ...] = ()  # the contestants; by default all
    after: str = ""  # the rival whose product comes before each call in the same process, or BESIDE

    asks: ClassVar[Any]
    name: ClassVar[Any]
    flops: ClassVar[Any]
    bytes: ClassVar[Any]
    data: ClassVar[Any]
    check: ClassVar[Any]

    @property
    def key(self) -> str:
        """Return what tells the case from all others."""
        after = f", after {self.after}" if self.after else ""
        return f"{self.group} {self.name}{after} {self.dtype} {self.threads}t"

    @property
    def units(self) -> int:
        """Return how many of what the times are of, such as epochs, a call does."""
        return 1

    def answer(self) -> Any:
        """Return what `check` needs beside the data, where it takes long to make."""
        return None
