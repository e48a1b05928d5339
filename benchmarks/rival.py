"""What a contestant is."""

from collections.abc import Callable
from functools import partial
from importlib import import_module, metadata
from typing import Any, ClassVar

from numpy.typing import NDArray

Array = NDArray[Any]

OURS = "tilewise"
"""The name of the contestant that the others are compared with."""


class UnsupportedError(Exception):
    """The library has no such product."""


class Rival:
    """A library that multiplies matrices.

    A subclass gives `name`, `package` and `matmul`, and what else differs from here. Where the
    library cannot take part, its constructor raises ImportError with the reason.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    """The distribution that has to be installed; also the module, unless `__init__` differs."""
    settings: str = "as installed"
    """How it is set up, and why that is its best."""

    def __init__(self) -> None:
        self.library: Any = import_module(self.package)

    def version(self) -> str:
        """Return the version of the distribution."""
        return metadata.version(self.package)

    def kernels(self) -> str:
        """Return which kernels it picked for this CPU; called after a first product."""
        return "not told"

    def set_threads(self, n: int) -> None:
        """Use at most `n` threads, in every library of the process that threadpoolctl knows."""
        from threadpoolctl import threadpool_limits

        threadpool_limits(n)

    def matmul(self, a: Any, b: Any, out: Any) -> object:
        """Write ``a @ b`` to `out`."""
        raise NotImplementedError

    def prepare(self, a: Array, b: Array, out: Array) -> Callable[[], object]:
        """Return what is timed: a call without arguments that writes ``a @ b`` to `out`.

        Raises
        ------
        UnsupportedError
            The library cannot do that without work that it should not be charged with.
        """
        return partial(self.matmul, a, b, out)
