"""The columns of a file: found by name, or by number from 1."""

from collections import Counter
from collections.abc import Sequence

__all__ = ["check_names", "column_label", "columns_of", "position_of"]

_SHOWN_NAMES = 10


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
