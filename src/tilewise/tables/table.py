"""A table of numbers: what a user's file holds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.data.columns import check_names, column_label, position_of

__all__ = ["NumericTable"]


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
