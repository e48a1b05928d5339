"""Calls as users make them: fitting with defaults, a step, predicting."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from benchmarks.cases.epochs import Epochs

_METHODS = ("fit", "fit one epoch", "partial_fit", "predict")


@dataclass(frozen=True)
class Use(Epochs):
    """A method of an estimator, with its defaults, on so many rows."""

    method: str = "fit"

    asks = "use"

    @property
    def name(self) -> str:
        return f"{self.method}, {self.rows} x {self.features}"

    @property
    def flops(self) -> int:
        return (2 if self.method == "predict" else 4) * self.rows * self.features

    def data(self) -> dict[str, Any]:
        made = super().data()
        return {"X": made["X"], "y": made["y"], "method": self.method}

    def answer(self) -> None:
        """Return None: what a fit arrives at by its defaults is no one answer."""

    def check(self, data: dict[str, Any], found: Any, answer: Any) -> None:
        """Raise ArithmeticError unless a prediction is finite, one for each row."""
        if self.method == "predict" and not (
            np.shape(found) == (self.rows,) and np.isfinite(found).all()
        ):
            raise ArithmeticError(f"no predictions for {self.name}")


def cases(cpus: int) -> list[Use]:
    """Return the group calls; a step has a batch of its own."""
    tables = (1500, 5), (10_000, 20), (100_000, 50)
    steps = [("step", (1, 5)), ("step", (32, 20)), ("predict", (1, 5))]
    return [
        Use("calls", rows=rows, features=features, method=method)
        for method, (rows, features) in (*steps, *product(_METHODS, tables))
    ]
