"""A table of numbers: what a user's file holds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tilewise._checks import Array
from tilewise.data.columns import column_label


@dataclass(frozen=True)
class NumericTable:
    """A table of finite numbers (n, d), of float64; without names where the file has none."""

    names: tuple[str, ...] | None
    values: NDArray[np.float64]

    @classmethod
    def checked(cls, names: tuple[str, ...] | None, values: Array) -> "NumericTable":
        """Return the table, or raise ValueError and say where a number is not finite."""
        with np.errstate(over="ignore"):  # of a longer float, found below
            converted = np.ascontiguousarray(values, np.float64)
        finite = np.isfinite(converted)
        if not finite.all():
            bad = int(np.count_nonzero(~finite.all(axis=1)))
            row, column = (int(i) for i in np.unravel_index(np.argmin(finite), finite.shape))
            label = column_label(column, None if names is None else names[column])
            raise ValueError(
                f"row {row + 1}, {label} is {converted[row, column]}; bad rows: {bad} of "
                f"{len(values)}; mend or remove them"
            )
        return cls(names, converted)
