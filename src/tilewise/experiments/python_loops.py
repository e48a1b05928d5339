"""The strategies as loops in Python over the arrays of NumPy, PyTorch, TensorFlow and JAX."""

import statistics
import timeit
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from tilewise._checks import check_int
from tilewise._threads import threads
from tilewise.experiments.products import numpy_on_one_thread
from tilewise.products import matmul


@dataclass(frozen=True)
class FrameworkResult:
    """The speed of a loop in Python over the arrays of a framework.

    Attributes
    ----------
    framework : str
        "tilewise" has its loop in C++.
    strategy : str
        "element", "column", "block" or "full".
    n : int
        Rows and columns of the matrices, in float32.
    calls : int
        Products that the loop asks the framework for.
    seconds : float
        Median time of the whole loop.
    """

    framework: str
    strategy: str
    n: int
    calls: int
    seconds: float

    @property
    def gflops(self) -> float:
        """2 n^3 floating-point operations over the time, in 10^9 a second."""
        return 2 * self.n**3 / self.seconds / 1e9


@dataclass(frozen=True)
class _Framework:
    """What the loops need: an array, a product, and to put it into a part of the result."""

    array: Callable[[Any], Any]
    dot: Callable[[Any, Any], Any]
    assign: Callable[[Any, Any, Any], Any]
    result: Callable[[Any], Any]
    finish: Callable[[Any], Any] = lambda A: A


def _set(A: Any, index: Any, value: Any) -> Any:
    A[index] = value
    return A


def _numpy() -> _Framework:
    return _Framework(np.asarray, np.matmul, _set, np.copy)


def _torch() -> _Framework:
    torch = import_module("torch")
    return _Framework(torch.tensor, torch.matmul, _set, torch.clone)


def _jax() -> _Framework:
    jnp = import_module("jax.numpy")
    return _Framework(
        jnp.asarray,
        jnp.matmul,
        lambda A, index, value: A.at[index].set(value),
        lambda A: A,
        lambda A: A.block_until_ready(),
    )


def _tensorflow() -> _Framework:
    tf = import_module("tensorflow")

    def assign(A: Any, index: Any, value: Any) -> Any:
        A[index].assign(value)
        return A

    # numpy() waits for the result.
    return _Framework(
        tf.constant, partial(tf.tensordot, axes=1), assign, tf.Variable, lambda A: A.numpy()
    )


_LOADERS = {"NumPy": _numpy, "PyTorch": _torch, "TensorFlow": _tensorflow, "JAX": _jax}


def _loaded() -> dict[str, _Framework]:
    """Return the frameworks that can be imported; a broken one is as good as none."""
    loaded = {}
    for name, load in _LOADERS.items():
        with suppress(ImportError, OSError):
            loaded[name] = load()
    return loaded


def _parts(n: int) -> dict[str, list[tuple[Any, Any]]]:
    """Return the rows and columns of the parts of the result, for the chapter's strategies."""
    everything, block = slice(None), -(-n // 4)
    starts = [slice(i, i + block) for i in range(0, n, block)]
    return {
        "element": [(i, j) for i in range(n) for j in range(n)],
        "column": [(everything, j) for j in range(n)],
        "block": [(rows, columns) for rows in starts for columns in starts],
        "full": [(everything, everything)],
    }


def _loop(framework: _Framework, parts: list[tuple[Any, Any]], B: Any, C: Any) -> Callable[[], Any]:
    """Return the loop over arrays of the framework's own, to be called."""
    zeros = framework.result(framework.array(np.zeros_like(B)))
    B, C = framework.array(B), framework.array(C)

    def product() -> Any:
        A = zeros
        for rows, columns in parts:
            A = framework.assign(A, (rows, columns), framework.dot(B[rows, :], C[:, columns]))
        return framework.finish(A)

    return product


def frameworks(n: int = 64, repeats: int = 3) -> list[FrameworkResult]:
    """Measure the chapter's loops in Python, beside the same order of work in C++.

    At a small n the operands lie in the cache, so what differs between frameworks is what a call
    costs. Frameworks that are not installed are left out. Blocks have n/4 rows and columns.

    Parameters
    ----------
    n : int, default 64
        Rows and columns.
    repeats : int, default 3
        Timed repetitions, after one to warm up; the median counts.

    Returns
    -------
    list of FrameworkResult
        The four strategies of tilewise, then those of each framework.

    Raises
    ------
    TypeError, ValueError
        `n` or `repeats` is not a positive integer.
    ImportError
        threadpoolctl is not installed.

    Examples
    --------
    >>> results = frameworks(n=8, repeats=1)
    >>> [result.strategy for result in results if result.framework == "NumPy"]
    ['element', 'column', 'block', 'full']
    """
    n, repeats = check_int("n", n), check_int("repeats", repeats)
    rng = np.random.default_rng(0)
    B, C = (rng.standard_normal((n, n), dtype=np.float32) for _ in range(2))
    results = []
    loaded = _loaded()  # before the threads are held back, so that theirs are too
    with threads(1), numpy_on_one_thread():
        for label in ["tilewise", *loaded]:
            for strategy, parts in _parts(n).items():
                if label == "tilewise":
                    calls = 1
                    product: Callable[[], Any] = partial(matmul, B, C, strategy=strategy)
                else:
                    calls, product = len(parts), _loop(loaded[label], parts, B, C)
                product()
                times = timeit.repeat(product, number=1, repeat=repeats)
                results.append(FrameworkResult(label, strategy, n, calls, statistics.median(times)))
    return results
