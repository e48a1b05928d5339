"""What a contestant is."""

from collections.abc import Callable
from importlib import import_module, metadata
from typing import Any, ClassVar

from numpy.typing import NDArray

from benchmarks.steps import Steps

Array = NDArray[Any]
Call = Callable[[], Any]

OURS = "tilewise"
"""The name of the contestant that the others are compared with."""

RIVALS: dict[str, type["Rival"]] = {}
"""By name: a class of this folder with a name of its own is in here by being defined."""

ALL_DTYPES = ("float32", "float64", "float16", "int8", "int16", "int32", "int64")

_MOST_STEPS_IN_PYTHON = 300_000


class UnsupportedError(Exception):
    """The library cannot do that, or not without work that it should not be charged with."""


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
    loops_in_python = False  # over the steps: many take minutes
    has_threads = True

    def __init_subclass__(cls) -> None:
        """Let it take part."""
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

    def form(self) -> str:
        """Return which way of writing the last case down is timed, where it tried several."""
        return ""

    def set_threads(self, n: int) -> None:
        """Use at most `n` threads, in every library of the process that threadpoolctl knows."""
        from threadpoolctl import threadpool_limits

        if n > 1 and not self.has_threads:
            raise UnsupportedError("has no threads")
        threadpool_limits(n)

    def product(self, a: Array, b: Array, out: Array | None) -> Call:
        """Return a call that writes ``a @ b`` to `out`, or to a new array for None."""
        raise UnsupportedError("multiplies no matrices")

    def strategy(self, a: Array, b: Array, out: Array, strategy: str) -> Call:
        """Return a product that is computed in the way of that name."""
        raise UnsupportedError("has one way only")

    def result(self, returned: Any, out: Array | None) -> Any:
        """Return the answer of a call that returned this."""
        return returned if out is None else out

    def train(self, X: Array, y: Array, steps: Steps) -> Call:
        """Return `epochs`, where the library has such a trainer."""
        if steps.sampling not in self.samplings:
            raise UnsupportedError(f"its trainer has no {steps.sampling} order")
        if (steps.average or steps.weight_decay) and not self.averages:
            raise UnsupportedError("its trainer neither averages nor has weight decay")
        if self.loops_in_python and steps.count(len(X)) > _MOST_STEPS_IN_PYTHON:
            raise UnsupportedError("a loop in Python of so many steps takes too long")
        return self.epochs(X, y, steps)

    def epochs(self, X: Array, y: Array, steps: Steps) -> Call:
        """Return a call that takes the steps from zero weights, and returns weights and bias."""
        raise UnsupportedError("has no trainer")

    def use(self, method: str, X: Array, y: Array) -> Call:
        """Return a call of its estimator's method, such as "fit", made as its users do."""
        raise UnsupportedError("has no estimator")


def needs_out(out: Array | None) -> Array:
    """Return `out`; raise UnsupportedError for None, which asks for a new array."""
    if out is None:
        raise UnsupportedError("makes no new array")
    return out


def by_rows(array: Array) -> tuple[Array, bool]:
    """Return a C-contiguous view of an array, and whether it is its transpose."""
    return (array, False) if array.flags.c_contiguous else (array.T, True)
