"""Epochs of minibatch SGD on data of every size, in every order of the rows."""

from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from math import sqrt
from typing import Any

import numpy as np

from benchmarks.cases.case import Case
from benchmarks.steps import Array, Steps, plain_sgd

AIRFOIL = (1500, 5)
_AIRFOIL_EPOCHS = 50  # a call of scikit-learn takes as long as some epochs of so few rows
_LARGE = ((1_000_000, 16), (1_000_000, 128), (200_000, 1024))
_IN_CACHE = (16_384, 128)
_ORDERS = ("sequential", "permutation", "chunked")
_SUMS: tuple[dict[str, Any], ...] = ({"average": True}, {"weight_decay": 0.1})
_BLOCK = 2**20 + 7  # random numbers, repeated: drawing gigabytes takes longer than measuring


@dataclass(frozen=True)
class Epochs(Case):
    """Training of ``y = X w + b`` from zero weights, by steps of plain SGD."""

    rows: int = 0
    features: int = 0
    plan: Steps = field(default_factory=Steps)  # epochs in one call: several where they are short

    asks = "train"

    @property
    def name(self) -> str:
        plan = self.plan
        special = ", average" * plan.average + ", weight decay" * bool(plan.weight_decay)
        sizes = f"{self.rows} x {self.features}, batch {plan.batch_size}"
        return f"{sizes}, {plan.sampling}{special}"

    @property
    def units(self) -> int:
        return self.plan.epochs

    @property
    def flops(self) -> int:
        return 4 * self.rows * self.features

    @property
    def bytes(self) -> int:
        return self.rows * (self.features + 1) * np.dtype(self.dtype).itemsize

    @property
    def steps(self) -> Steps:
        """Return the steps, at a rate with which they get about two thirds of the way.

        All steps count in the end then, the first as much as the last: missing ones are seen. Where
        that is not stable it is less: the largest eigenvalue of a batch is Marchenko and Pastur's.
        """
        largest = (1 + sqrt((self.features + 1) / self.plan.batch_size)) ** 2
        rate = min(1 / self.plan.count(self.rows), 0.5 / largest)
        return replace(self.plan, learning_rate=rate)

    def data(self) -> dict[str, Any]:
        """Return the steps, and X and y of a linear model with noise, which repeats in the end."""
        rng = np.random.default_rng(0)
        drawn = rng.standard_normal(_BLOCK).astype(self.dtype)
        X = np.resize(drawn, (self.rows, self.features))
        y = X @ rng.standard_normal(self.features).astype(self.dtype)
        y += np.resize(0.5 + 0.1 * rng.standard_normal(_BLOCK), self.rows).astype(self.dtype)
        return {"X": X, "y": y, "steps": self.steps}

    def answer(self) -> Any:
        """Return weights and bias after the same steps in order, in float64."""
        plan = replace(self.plan, sampling="sequential")
        return _answer(Epochs("", self.dtype, rows=self.rows, features=self.features, plan=plan))

    def check(self, data: dict[str, Any], found: Any, answer: Any) -> None:
        """Raise ArithmeticError unless the parameters are those of the same steps in float64.

        Steps in another order end near by, not at the same: the nearer, the more rows there are
        for each feature. README.md has the figures behind the bounds.
        """
        distance = np.abs(np.append(*found) - answer).max() / np.abs(answer).max()
        shuffled = 1e-3 + 4 * self.features / (self.rows * self.plan.epochs)
        bound = 2e-4 if self.plan.sampling == "sequential" else shuffled
        if not distance <= bound:
            message = f"wrong weights for {self.name}: off by {distance:.2g} of the largest"
            raise ArithmeticError(message)


@cache  # all contestants are held to it, in all visits
def _answer(case: Epochs) -> Array:
    return plain_sgd(**case.data(), dtype=np.float64)


def cases(cpus: int) -> list[Epochs]:
    """Return the groups sgd-airfoil and sgd-large; on several threads, batches worth it."""
    shapes = [
        *[("sgd-airfoil", AIRFOIL, b, order) for b in (1, 10, 100, 1500) for order in _ORDERS],
        *[("sgd-large", (200_000, 64), 1, order) for order in _ORDERS],
        *[("sgd-large", (20_000, 64), 1, "sequential")],
        *[("sgd-large", (200_000, 64), 100, "sequential")],
        *[("sgd-large", shape, 1, order) for shape in _LARGE for order in _ORDERS[:2]],
        *[("sgd-large", *of) for of in product(_LARGE, (32, 1024), _ORDERS)],
        ("sgd-large", _IN_CACHE, 1024, "sequential"),
    ]
    found = [_case(1, *of) for of in shapes]
    few = [c for c in found if c.rows == AIRFOIL[0] and c.plan.sampling == "sequential"]
    for case, sums in product(few, _SUMS):
        found.append(replace(case, group="averaging", plan=replace(case.plan, **sums)))
    for threads, shape in product({cpus} - {1}, (_IN_CACHE, _LARGE[1])):
        found.append(_case(threads, "sgd-large", shape, 1024, "sequential"))
    return found


def _case(threads: int, group: str, shape: tuple[int, int], batch: int, order: str) -> Epochs:
    epochs = {AIRFOIL: _AIRFOIL_EPOCHS, _IN_CACHE: 20}.get(shape, 1)
    rows, features = shape
    plan = Steps(batch, epochs, order)
    return Epochs(group, threads=threads, rows=rows, features=features, plan=plan)
