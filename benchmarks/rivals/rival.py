"""What a contestant is."""

from collections.abc import Callable
from importlib import import_module, metadata
from typing import Any, ClassVar

import numpy as np

from benchmarks.steps import Array as Array
from benchmarks.steps import Steps

Call = Callable[[], Any]

OURS = "tilewise"
"""The name of the contestant that the others are compared with."""

RIVALS: dict[str, type["Rival"]] = {}
"""By name: a class of this folder with a name of its own is in here by being defined."""

ALL_DTYPES: tuple[str, ...] = ("float32", "float64", "float16", "int8", "int16", "int32", "int64")

_MOST_STEPS_IN_PYTHON = 300_000


class UnsupportedError(Exception):
    """The library cannot do that, or not without work that it should not be charged with."""


def by_rows(array: Array) -> tuple[Array, bool]:
    """Return an array that lies by rows, and whether it is the transpose of the one given."""
    return (array, False) if array.flags.c_contiguous else (array.T, True)


class Rival:
    """A library that multiplies matrices, trains linear models, or both.

    A subclass gives `name`, `package`, `settings`, and `product` or `epochs`, which return the call
    that is timed. Its constructor raises ImportError where the library cannot take part.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    """The distribution that has to be installed; also the module, unless `__init__` differs."""
    settings: str
    """How it is set up, and why that is its best."""
    dtypes: tuple[str, ...] = ("float32", "float64")
    samplings: tuple[str, ...] = ("sequential", "permutation")
    averages = False  # and has weight decay
    has_threads = True

    def __init_subclass__(cls) -> None:
        """Let it take part."""
        if "name" in vars(cls):
            RIVALS[cls.name] = cls

    def __init__(self) -> None:
        self.library: Any = import_module(self.package)

    @classmethod
    def environment(cls, threads: int) -> dict[str, str]:
        """Return the variables of its process, for a library that reads them at its start."""
        return {}

    def version(self) -> str:
        """Return the version of the distribution."""
        return metadata.version(self.package)

    def kernels(self) -> str:
        """Return which kernels it picked for this CPU; called after a first product."""
        return "not told"

    def set_threads(self, n: int) -> None:
        """Use at most `n` threads, in every library of the process that threadpoolctl knows."""
        from threadpoolctl import threadpool_limits

        if n > 1 and not self.has_threads:
            raise UnsupportedError("has no threads")
        threadpool_limits(n)

    def product(self, a: Array, b: Array, out: Array) -> Call:
        """Return a call that writes ``a @ b`` to `out`, or to a new array where it cannot."""
        raise UnsupportedError("multiplies no matrices")

    def result(self, returned: Any, out: Any) -> Any:
        """Return the answer of a call that returned this; `out` is None, but for products."""
        return returned if out is None else out

    def train(self, X: Array, y: Array, steps: Steps) -> Call:
        """Return `epochs`, where the library has such a trainer."""
        if steps.sampling not in self.samplings:
            raise UnsupportedError(f"its trainer has no {steps.sampling} order")
        if (steps.average or steps.weight_decay) and not self.averages:
            raise UnsupportedError("its trainer neither averages nor has weight decay")
        return self.epochs(X, y, steps)

    def epochs(self, X: Array, y: Array, steps: Steps) -> Call:
        """Return a call that takes the steps from zero weights, and returns weights and bias."""
        raise UnsupportedError("has no trainer")

    def use(self, method: str, X: Array, y: Array) -> Call:
        """Return a call of its estimator's method, such as "fit", made as its users do."""
        raise UnsupportedError("has no estimator")


class ArrayLibrary(Rival):
    """A library with which one writes the loop over batches in Python, into batches that exist.

    A subclass gives `array`, `order`, `gather` and `step`.
    """

    array: Callable[[Array], Any]  # the library's own, on the same memory
    order: Callable[[int], Any]  # so many numbers, shuffled
    gather: Callable[[Any, Any, Any], Any]  # writes the rows of these numbers to an array
    step: Callable[..., None]  # from w, b, rows, targets, the array of residuals, and the rate

    def epochs(self, X: Array, y: Array, steps: Steps) -> Call:
        """Return the loop; for a random order, it copies the rows of each batch together."""
        if steps.count(len(X)) > _MOST_STEPS_IN_PYTHON:
            raise UnsupportedError("a loop in Python of so many steps takes too long")
        table, labels, starts = self.array(X), self.array(y), range(0, len(X), steps.batch_size)
        slices = [slice(start, start + steps.batch_size) for start in starts]
        in_order = [(table[s], labels[s]) for s in slices]
        buffers = {
            len(rows): [self.array(np.empty(like.shape, X.dtype)) for like in (rows, y_, y_)]
            for rows, y_ in (in_order[0], in_order[-1])
        }

        def shuffled() -> Any:
            order = self.order(len(X))
            for picked in (order[s] for s in slices):
                rows, targets, _ = buffers[len(picked)]
                self.gather(table, picked, rows)
                self.gather(labels, picked, targets)
                yield rows, targets

        def call() -> tuple[Array, float]:
            weights, bias = np.zeros(X.shape[1], X.dtype), np.zeros((), X.dtype)
            w, b = self.array(weights), self.array(bias)
            for _ in range(steps.epochs):
                for rows, targets in in_order if steps.sampling == "sequential" else shuffled():
                    residual, rate = buffers[len(rows)][2], steps.learning_rate / len(rows)
                    self.step(w, b, rows, targets, residual, rate)
            return weights, float(bias)

        return call
