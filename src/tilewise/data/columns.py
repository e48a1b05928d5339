"""Columns of numbers, perhaps with names: what a user's file holds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["NumericTable", "check_names", "column_label", "columns_of", "position_of"]

_SHOWN_NAMES = 10


@dataclass(frozen=True)
class NumericTable:
    """A table of finite numbers.

    Attributes
    ----------
    names : tuple of str or None
        Of the columns, all different; None where the file names none.
    values : ndarray of float64, shape (n, d)
        With at least one row and one column.
    """

    names: tuple[str, ...] | None
    values: NDArray[np.float64]

    @classmethod
    def checked(cls, names: tuple[str, ...] | None, values: NDArray[Any]) -> "NumericTable":
        """Return the table, or raise ValueError and say where it is not one."""
        if values.size == 0:
            raise ValueError(f"it has {values.shape[0]} rows of {values.shape[1]} columns")
        if names is not None:
            check_names(names)
        with np.errstate(over="ignore"):  # of a longer float, found below
            converted = np.ascontiguousarray(values, np.float64)
        finite = np.isfinite(converted)
        if not finite.all():
            bad = int(np.count_nonzero(~finite.all(axis=1)))
            row, column = (int(i) for i in np.unravel_index(np.argmin(finite), finite.shape))
            raise ValueError(
                f"row {row + 1}, {column_label(names, column)} is {converted[row, column]}; bad "
                f"rows: {bad} of {len(values)}; mend or remove them"
            )
        return cls(names, converted)

    def position(self, target: str | None) -> int:
        """Return the index of a column given by name or by number from 1; the last for None."""
        d = self.values.shape[1]
        return d - 1 if target is None else position_of(target, self.names, d)


def position_of(target: str, names: tuple[str, ...] | None, d: int) -> int:
    """Return the index of one of d columns, given by name or by number from 1, or raise."""
    if names is not None and target in names:
        return names.index(target)
    if target.isascii() and target.isdigit() and len(target) < 10 and 1 <= int(target) <= d:
        return int(target) - 1
    raise ValueError(
        f"target={target!r} is not a column; give a number from 1 to {d}"
        + (f" or a name: {_shown(names)}" if names else "")
    )


def check_names(names: tuple[str, ...]) -> None:
    """Raise ValueError unless all are different and none is blank."""
    for column, name in enumerate(names):
        if not name.strip():
            raise ValueError(f"column {column + 1} has no name in the header; give it one")
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(f"{count} columns have the name {name!r}; give each its own")


def columns_of(names: tuple[str, ...], only: Sequence[str] | None) -> Sequence[int]:
    """Return the indices of the columns named `only`, or of all for None."""
    if only is None:
        return range(len(names))
    missing = [name for name in only if name not in names]
    if missing:
        more = f" (and {len(missing) - 1} more)" if missing[1:] else ""
        raise ValueError(f"column {missing[0]!r}{more} is missing; add it")
    return [names.index(name) for name in only]


def column_label(names: tuple[str, ...] | None, column: int) -> str:
    """Return the column as messages name it: its number from 1, and its name."""
    return f"column {column + 1}" + (f" ({names[column]!r})" if names else "")


def _shown(names: tuple[str, ...]) -> str:
    more = "" if len(names) <= _SHOWN_NAMES else f" and {len(names) - _SHOWN_NAMES} more"
    return ", ".join(map(repr, names[:_SHOWN_NAMES])) + more
