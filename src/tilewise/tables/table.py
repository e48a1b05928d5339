"""A table of numbers: what a user's file holds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tilewise._checks import Array
from tilewise.data.array import array_fragment
from tilewise.data.columns import Columns, column_label, position_of
from tilewise.data.dataset import FragmentDataset


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

    def dataset(self, target: str | None = None) -> FragmentDataset:
        """Return the rows, with the target in a column: its name, or its number from 1."""
        d = self.values.shape[1]
        position = position_of(target, self.names, d)
        if d == 1:
            raise ValueError("the table has one column; give the target and at least one feature")
        X, y = np.delete(self.values, position, axis=1), self.values[:, position]
        return FragmentDataset.of([array_fragment(X, y, columns=Columns.of(self.names, position))])
