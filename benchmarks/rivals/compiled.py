"""Libraries that compile what is written: of several forms of a case, the fastest is timed."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from benchmarks.clock import clock
from benchmarks.rivals.rival import Array, Call, Rival
from benchmarks.steps import Steps

_SECONDS = 0.02  # for each form
_FEW_TERMS = 2**26  # compiled as it stands, a product of more would take seconds


def fastest(calls: list[Call]) -> Call:
    """Return the fastest of some calls, tried before the clock starts."""
    for call in calls:
        call()  # compiles
    best = [clock(call) for call in calls]
    for _ in range(min(100, int(_SECONDS / min(best)))):
        best = [min(least, clock(call)) for least, call in zip(best, calls, strict=True)]
    return calls[best.index(min(best))]


def has_few_terms(a: Array, b: Array) -> bool:
    """Return whether `multiply_and_sum` is worth a try."""
    return a.size * (1 if b.ndim == 1 else b.shape[-1]) <= _FEW_TERMS


class CompiledLibrary(Rival):
    """A library with arrays of its own that compiles a loop over the batches of all epochs.

    A subclass gives `multiply`, `add` and `training`.
    """

    multiply: Callable[[Any, Any], Any]  # two matrices, or a matrix and a vector on either side
    add: Callable[[Any, int], Any]  # over an axis

    def set_threads(self, n: int) -> None:
        """Do nothing: its process was started with so many."""

    def result(self, returned: Any, out: Any) -> Any:
        """Return the new array, in the shape that was asked for: it cannot write to `out`."""
        return returned if out is None else np.reshape(returned, out.shape)

    def multiply_and_sum(self, a: Any, b: Any) -> Any:
        """Return ``a @ b`` by a sum over an axis."""
        if len(b.shape) == 1:
            return self.add(a * b, -1)
        if len(a.shape) > 1:
            b = b[..., None, :, :]
        return self.add(a[..., None] * b, -2)

    def training(self, X: Array, y: Array, steps: Steps, step: Any) -> Callable[[Array], Any]:
        """Return what takes the rows of each epoch, if they are not in order, and trains.

        ``step(w, b, rows, targets, count)`` gives the next `w` and `b`. A shuffled epoch gathers
        its rows, batch by batch; a batch that is left over is a step of its own.
        """
        raise NotImplementedError

    def epochs(self, X: Array, y: Array, steps: Steps) -> Call:
        """Return all epochs, compiled as one."""
        rng, shuffled = np.random.default_rng(0), steps.sampling == "permutation"
        rows = np.arange(len(X) if shuffled else 0, dtype=np.int32)

        def step(predict: Any, descend: Any, w: Any, b: Any, *batch: Any) -> Any:
            rows, targets, count = batch
            residual = predict(rows, w) + b - targets
            rate = np.asarray(steps.learning_rate / count, X.dtype)
            return w - rate * descend(residual, rows), b - rate * self.add(residual, 0)

        def form(*multiply: Any) -> Call:
            train = self.training(X, y, steps, partial(step, *multiply))

            def call() -> tuple[Array, float]:  # NumPy draws an order faster than XLA sorts
                w, b = train(np.stack([rng.permutation(rows) for _ in range(steps.epochs)]))
                return np.asarray(w), float(b)

            return call

        ways = self.multiply, self.multiply_and_sum
        return fastest([form(*multiply) for multiply in product(ways, repeat=2)])
