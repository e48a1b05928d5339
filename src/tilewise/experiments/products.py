"""The strategies of `tilewise.matmul` against NumPy, at one size and at several."""

import math
import statistics
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from timeit import timeit
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tilewise._checks import check_float_dtype, check_int
from tilewise._extras import required
from tilewise._threads import threads
from tilewise.products import STRATEGIES, matmul

_LAP_SECONDS = 1e-2  # long beside an interrupt, and the threads of the one before come to rest


@dataclass(frozen=True)
class StrategyResult:
    """The speed of one way to compute a product of two square matrices.

    Attributes
    ----------
    name : str
        A strategy of `tilewise.matmul`, or "numpy".
    n : int
        Rows and columns of the matrices.
    dtype : str
        "float32" or "float64".
    gflops : float
        2 n^3 floating-point operations over the median time, in 10^9 a second.
    """

    name: str
    n: int
    dtype: str
    gflops: float


def strategies(
    n: int = 256, dtype: DTypeLike = np.float32, repeats: int = 7
) -> list[StrategyResult]:
    """Measure every strategy of `tilewise.matmul`, and `numpy.matmul`, on two n x n matrices.

    After two products each to warm up, the strategies take turns, a lap each, so that a change of
    the clock frequency meets all of them; the median lap counts. Outputs are allocated before.
    All run on one thread, so that the order of the work is what differs.

    Parameters
    ----------
    n : int, default 256
        Rows and columns.
    dtype : {float32, float64}, default float32
        Data type of the matrices.
    repeats : int, default 7
        Laps of each strategy, of ten milliseconds or one product, whichever is longer.

    Returns
    -------
    list of StrategyResult
        The strategies in the order of `tilewise.STRATEGIES`, then "numpy".

    Raises
    ------
    TypeError, ValueError
        `n` or `repeats` is not a positive integer, or `dtype` is another one.
    ImportError
        threadpoolctl, which holds NumPy to one thread, is not installed.

    Examples
    --------
    >>> import tilewise as tw
    >>> names = [result.name for result in strategies(n=8, repeats=1)]
    >>> names == [*tw.STRATEGIES, "numpy"]
    True
    """
    n = check_int("n", n)
    repeats = check_int("repeats", repeats)
    dtype = check_float_dtype(dtype)
    rng = np.random.default_rng(0)
    B, C = (rng.standard_normal((n, n)).astype(dtype) for _ in range(2))
    A = np.empty((n, n), dtype)
    products: dict[str, Callable[[], Any]] = {
        name: partial(matmul, B, C, A, strategy=name) for name in STRATEGIES
    }
    products["numpy"] = partial(np.matmul, B, C, A)
    laps: dict[str, list[float]] = {name: [] for name in products}
    calls = dict.fromkeys(products, 1)
    with threads(1), numpy_on_one_thread():
        for turn in range(2 + repeats):
            for name, product in products.items():
                seconds = timeit(product, number=calls[name]) / calls[name]
                if turn == 1:  # warm by now
                    calls[name] = math.ceil(_LAP_SECONDS / seconds)
                elif turn > 1:
                    laps[name].append(seconds)
    return [
        StrategyResult(name, n, dtype.name, 2 * n**3 / statistics.median(laps[name]) / 1e9)
        for name in products
    ]


def size_sweep(
    sizes: Sequence[int] = (32, 64, 128, 256, 512, 1024), repeats: int = 3
) -> list[StrategyResult]:
    """Measure `strategies` at several sizes, in float32.

    Parameters
    ----------
    sizes : sequence of int, default (32, 64, 128, 256, 512, 1024)
        Rows and columns of the matrices.
    repeats : int, default 3
        Laps of each strategy at each size, as in `strategies`.

    Returns
    -------
    list of StrategyResult
        The strategies and "numpy", size by size.

    Raises
    ------
    TypeError, ValueError, ImportError
        As `strategies` does.

    Examples
    --------
    >>> [result.n for result in size_sweep([4, 8], repeats=1) if result.name == "full"]
    [4, 8]
    """
    return [result for n in sizes for result in strategies(n, repeats=repeats)]


def numpy_on_one_thread() -> AbstractContextManager[Any]:
    """Hold NumPy to one thread in a `with` block."""
    controls = required("threadpoolctl", "report", "NumPy on one thread needs threadpoolctl")
    limits: AbstractContextManager[Any] = controls.threadpool_limits(1)
    return limits
