"""What a contestant is."""

from collections.abc import Callable
from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from benchmarks.epochs import Epochs

Array = NDArray[Any]
Call = Callable[[], Any]

OURS = "tilewise"
"""The name of the contestant that the others are compared with."""

RIVALS: dict[str, type["Rival"]] = {}
"""By name: a class of `benchmarks.rivals` with a name of its own is in here by being defined."""

ALL_DTYPES = ("float32", "float64", "float16", "int8", "int16", "int32", "int64")


_MOST_STEPS_IN_PYTHON = 300_000


class UnsupportedError(Exception):
    """The library cannot do that."""


class Rival:
    """A library that multiplies matrices, trains linear models, or both.

    A subclass gives `name`, `package`, `settings` and `product` or `epochs`, and what else differs
    from here. Where the library cannot take part, its constructor raises ImportError with the
    reason.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    """The distribution that has to be installed; also the module, unless `__init__` differs."""
    settings: str
    """How it is set up, and why that is its best."""
    dtypes: tuple[str, ...] = ("float32", "float64")
    """Of its products."""

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

    def form(self) -> str | None:
        """Return which way of writing the last case down is timed, where it tried several."""
        return None

    def set_threads(self, n: int) -> None:
        """Use at most `n` threads, in every library of the process that threadpoolctl knows."""
        from threadpoolctl import threadpool_limits

        threadpool_limits(n)

    def product(self, a: Array, b: Array, out: Array | None) -> Call:
        """Return what is timed: a call that writes ``a @ b`` to `out`, or to a new array for None.

        Raises
        ------
        UnsupportedError
            The library cannot do that without work that it should not be charged with.
        """
        raise UnsupportedError("multiplies no matrices")

    def strategy(self, name: str, a: Array, b: Array, out: Array) -> Call:
        """Return a product that is computed in the way of that name."""
        raise UnsupportedError("has one way only")

    def result(self, returned: Any, out: Array | None) -> Array:
        """Return the answer of a product that returned this."""
        return np.asarray(returned) if out is None else out

    def epochs(self, X: Array, y: Array, task: "Epochs") -> Call:
        """Return what is timed: a call that trains for `task.epochs` epochs from zero weights.

        It returns weights and bias. Raises UnsupportedError as `product` does.
        """
        raise UnsupportedError("has no trainer")


def loops_in_python(task: "Epochs") -> None:
    """Raise UnsupportedError where a loop over the steps would take minutes."""
    if task.steps > _MOST_STEPS_IN_PYTHON:
        raise UnsupportedError(f"a loop in Python of {task.steps} steps takes too long")


def needs_out(out: Array | None) -> Array:
    """Return `out`; raise UnsupportedError for None, which asks for a new array."""
    if out is None:
        raise UnsupportedError("makes no new array")
    return out


def by_rows(array: Array) -> tuple[Array, bool]:
    """Return a C-contiguous view of an array, and whether it is its transpose."""
    return (array, False) if array.flags.c_contiguous else (array.T, True)
