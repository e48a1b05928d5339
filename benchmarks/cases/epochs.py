"""Epochs of minibatch SGD on data of every size, in every order of the rows."""

from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cases.case import Case, Size
from benchmarks.steps import Steps, plain_sgd

Array = NDArray[Any]

AIRFOIL = (1500, 5)
_AIRFOIL_EPOCHS = 50  # a call of scikit-learn takes as long as some epochs of so few rows
_LARGE = ((1_000_000, 16), (1_000_000, 128), (200_000, 1024))
_IN_CACHE = (16_384, 128)
_ORDERS = ("sequential", "permutation", "chunked")
_SUMS = ({"average": True}, {"weight_decay": 0.1})
_QUICK = (
    *("1500 x 5, batch 1, sequential", "1500 x 5, batch 100, sequential"),
    *("1500 x 5, batch 1, sequential, average", "1500 x 5, batch 100, sequential, weight decay"),
    *("1500 x 5, batch 100, permutation", "20000 x 64, batch 1, sequential"),
    *("200000 x 64, batch 100, sequential", "16384 x 128, batch 1024, sequential"),
)

_BLOCK = 2**20 + 7  # random numbers, repeated: drawing gigabytes takes longer than measuring
_NOISE = 0.1


@dataclass(frozen=True)
class Epochs(Case):
    """Training of ``y = X w + b`` from zero weights, by steps of plain SGD."""

    rows: int = 0
    features: int = 0
    batch_size: int = 1
    epochs: int = 1  # in one call: several where they are short, so that the call counts little
    sampling: str = "sequential"  # "permutation" is a new order for each epoch
    average: bool = False
    weight_decay: float = 0.0

    asks = "train"

    @property
    def name(self) -> str:
        special = ", average" * self.average + ", weight decay" * bool(self.weight_decay)
        sizes = f"{self.rows} x {self.features}, batch {self.batch_size}"
        return f"{sizes}, {self.sampling}{special}"

    @property
    def units(self) -> int:
        return self.epochs

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
        largest = (1 + sqrt((self.features + 1) / self.batch_size)) ** 2
        steps = self.epochs * -(-self.rows // self.batch_size)
        rate = min(1 / steps, 0.5 / largest)
        sums = self.average, self.weight_decay
        return Steps(self.batch_size, rate, self.epochs, self.sampling, *sums)

    def data(self) -> dict[str, Any]:
        """Return the steps, and X and y of a linear model with noise, which repeats in the end."""
        rng = np.random.default_rng(0)
        X = np.empty((self.rows, self.features), self.dtype)
        _fill(X.reshape(-1), rng.standard_normal(_BLOCK))
        y = X @ rng.standard_normal(self.features).astype(self.dtype)
        noise = np.empty_like(y)
        _fill(noise, 0.5 + _NOISE * rng.standard_normal(_BLOCK))
        return {"X": X, "y": y + noise, "steps": self.steps}

    def answer(self) -> Array:
        """Return weights and bias after the same steps in order, in float64."""
        return _answer(replace(self, group="", sampling="sequential", threads=1, only=(), after=""))

    def check(self, data: dict[str, Any], found: Any, answer: Array) -> None:
        """Raise ArithmeticError unless the parameters are those of the same steps in float64.

        Steps in another order end near by, not at the same: the nearer, the more rows there are
        for each feature. README.md has the figures behind the bounds.
        """
        distance = np.abs(np.append(*found) - answer).max() / np.abs(answer).max()
        shuffled = 1e-3 + 4 * self.features / (self.rows * self.epochs)
        bound = 2e-4 if self.sampling == "sequential" else shuffled
        if not distance <= bound:
            message = f"wrong weights for {self.name}: off by {distance:.2g} of the largest"
            raise ArithmeticError(message)


def _fill(target: Array, block: Array) -> None:
    for start in range(0, len(target), len(block)):
        part = target[start : start + len(block)]
        part[:] = block[: len(part)]


@cache  # all contestants are held to it, in all visits
def _answer(case: Epochs) -> Array:
    return plain_sgd(**case.data(), dtype=np.float64)


def cases(size: Size, *, quick: bool) -> list[Epochs]:
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
    few = [c for c in found if c.rows == AIRFOIL[0] and c.sampling == "sequential"]
    found += [replace(case, group="averaging", **sums) for case in few for sums in _SUMS]
    for threads, shape in product(size.threads[1:], (_IN_CACHE, _LARGE[1])):
        found.append(_case(threads, "sgd-large", shape, 1024, "sequential"))
    return [case for case in found if not quick or case.name in _QUICK]


def _case(threads: int, group: str, shape: tuple[int, int], batch: int, order: str) -> Epochs:
    epochs = {AIRFOIL: _AIRFOIL_EPOCHS, _IN_CACHE: 20}.get(shape, 1)
    rows, features = shape
    sizes = {"rows": rows, "features": features, "batch_size": batch}
    return Epochs(group, threads=threads, epochs=epochs, sampling=order, **sizes)
