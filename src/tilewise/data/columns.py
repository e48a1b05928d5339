"""The columns of a table: found by name, by number from 1 or by index, and named in messages."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tilewise._checks import check_int

_SHOWN_NAMES = 10


@dataclass(frozen=True)
class Columns:
    """The features of a table, and the target: one of its columns, or beside it, after the last."""

    features: tuple[str, ...] | None
    target: str | None
    target_position: int  # from 0

    @classmethod
    def of(cls, names: Sequence[str] | None, position: int) -> "Columns":
        """Return the columns of a table whose target is at an index."""
        if names is None:
            return cls(None, None, position)
        return cls((*names[:position], *names[position + 1 :]), names[position], position)

    def label(self, j: int | None) -> str:
        """Return feature j, or the target for None, as messages name it."""
        if j is None:
            return column_label(self.target_position, self.target)
        name = None if self.features is None else self.features[j]
        return column_label(j if j < self.target_position else j + 1, name)


def position_of(target: int | str | None, names: Sequence[str] | None, d: int) -> int:
    """Return the index of one of d columns, or raise; see `open_rows`. None is the last."""
    if target is None:
        return d - 1
    if not isinstance(target, str):
        if not -d <= check_int("target", target, minimum=-(2**63)) < d:
            raise ValueError(
                f"target={target} is no index of {d} columns; give {-d} to {d - 1}, or a number "
                f"from 1 to {d} as a str"
            )
        return target % d
    if names is not None and target in names:
        return names.index(target)
    if target.isascii() and target.isdigit() and len(target) < 10 and 1 <= int(target) <= d:
        return int(target) - 1
    raise ValueError(
        f"target={target!r} is not a column; give a number from 1 to {d}"
        + (f" or a name: {_shown(names)}" if names else "")
    )


def check_names(names: Sequence[str]) -> None:
    """Raise ValueError unless all are different and none is blank."""
    for column, name in enumerate(names):
        if not name.strip():
            raise ValueError(f"column {column + 1} has no name in the header; give it one")
    for name, count in Counter(names).items():
        if count > 1:
            raise ValueError(f"{count} columns have the name {name!r}; give each its own")


def columns_of(names: Sequence[str], only: Sequence[str] | None) -> Sequence[int]:
    """Return the indices of the columns named `only`, or of all for None."""
    if only is None:
        return range(len(names))
    missing = [name for name in only if name not in names]
    if missing:
        more = f" (and {len(missing) - 1} more)" if missing[1:] else ""
        raise ValueError(f"column {missing[0]!r}{more} is missing; add it")
    return [names.index(name) for name in only]


def column_label(position: int, name: str | None) -> str:
    """Return a column as messages name it: by its number from 1, and its name."""
    return f"column {position + 1}" + (f" ({name!r})" if name is not None else "")


def _shown(names: Sequence[str]) -> str:
    more = "" if len(names) <= _SHOWN_NAMES else f" and {len(names) - _SHOWN_NAMES} more"
    return ", ".join(map(repr, names[:_SHOWN_NAMES])) + more
