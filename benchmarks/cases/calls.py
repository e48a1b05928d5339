"""Calls as users make them: fitting with defaults, a step, predicting."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.cases.case import Case, Size
from benchmarks.cases.epochs import Epochs

METHODS = ("fit", "fit one epoch", "partial_fit", "predict")


@dataclass(frozen=True)
class Use(Case):
    """A method of an estimator, with its defaults, on so many rows."""

    method: str = "fit"
    rows: int = 0
    features: int = 0

    asks = "use"

    @property
    def name(self) -> str:
        return f"{self.method}, {self.rows} x {self.features}"

    @property
    def flops(self) -> int:
        return (2 if self.method == "predict" else 4) * self.rows * self.features

    @property
    def bytes(self) -> int:
        return self.rows * (self.features + 1) * np.dtype(self.dtype).itemsize

    def data(self) -> dict[str, Any]:
        made = Epochs("", self.dtype, rows=self.rows, features=self.features).data()
        return {"X": made["X"], "y": made["y"], "method": self.method}

    def check(self, data: dict[str, Any], found: Any, answer: Any) -> None:
        """Raise ArithmeticError unless a prediction is finite, one for each row.

        What a fit arrives at by its defaults is no one answer: the tests have that of tilewise.
        """
        if self.method == "predict" and not (
            np.shape(found) == (self.rows,) and np.isfinite(found).all()
        ):
            raise ArithmeticError(f"no predictions for {self.name}")


def cases(size: Size, *, quick: bool) -> list[Use]:
    """Return the group calls; a step has a batch of its own."""
    tables = ((1500, 5),) if quick else ((1500, 5), (10_000, 20), (100_000, 50))
    steps = [("step", 1, 5), ("step", 32, 20), ("predict", 1, 5)]
    return [
        Use("calls", method=method, rows=rows, features=features)
        for method, rows, features in (*steps, *((m, *table) for table in tables for m in METHODS))
    ]
