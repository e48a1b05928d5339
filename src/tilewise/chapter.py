"""The experiments of "Minibatch Stochastic Gradient Descent" (d2l.ai, section 12.5), as data.

Each experiment is one function that measures and returns dataclasses; `tilewise.plots` draws them
and `tilewise.report` lays them out.
"""

import math
import statistics
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from tilewise._threads import threads
from tilewise._validation import check_float_dtype, check_float_matrix, check_int
from tilewise.history import History
from tilewise.linalg import STRATEGIES, matmul
from tilewise.sgd import fit
from tilewise.timing import Timer

__all__ = [
    "PUBLISHED_GFLOPS",
    "PUBLISHED_RUNS",
    "Run",
    "StepLimit",
    "StrategyResult",
    "four_runs",
    "step_limit",
    "strategies",
]

Progress = Callable[[Iterable[Any]], Iterable[Any]]
"""Wraps the steps of an experiment to show how far it is, such as `tqdm.tqdm`."""

# fmt: off
PUBLISHED_RUNS = {
    "PyTorch": {"gd": ("0.247", "0.020"), "sgd": ("0.245", "0.685"),
                "batch 100": ("0.246", "0.025"), "batch 10": ("0.246", "0.090")},
    "MXNet": {"gd": ("0.254", "0.034"), "sgd": ("0.243", "3.216"),
              "batch 100": ("0.248", "0.064"), "batch 10": ("0.246", "0.374")},
    "TensorFlow": {"gd": ("0.249", "0.022"), "sgd": ("0.246", "6.006"),
                   "batch 100": ("0.245", "0.074"), "batch 10": ("0.245", "0.617")},
}
# fmt: on
"""Loss and seconds per epoch of the runs as d2l.ai prints them, by framework and run."""

PUBLISHED_GFLOPS = {
    "PyTorch": {"element": "0.017", "column": "0.459", "block": "37.6", "full": "51.6"},
    "MXNet": {"element": "0.000", "column": "0.152", "block": "2.8", "full": "3.2"},
    "TensorFlow": {"element": "0.000", "column": "0.060", "block": "2.43", "full": "1.15"},
}
"""Gigaflops of the strategies as d2l.ai prints them: 0.03 GFLOP over the time, at n = 256."""

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


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes
    ----------
    name : str
    batch_size : int
    learning_rate : float
    epochs : int
    history : History
    """

    name: str
    batch_size: int
    learning_rate: float
    epochs: int
    history: History

    @property
    def loss(self) -> float:
        """Half the squared error at the end, averaged over all rows."""
        return float(self.history.losses[-1])

    @property
    def seconds_per_epoch(self) -> float:
        """Training time of the run over its epochs."""
        return self.history.seconds_per_epoch


@dataclass(frozen=True)
class StepLimit:
    """How large the learning rate of full-batch descent may be.

    Attributes
    ----------
    lambda_max : float
        Largest eigenvalue of the loss's second derivative.
    """

    lambda_max: float

    @property
    def learning_rate(self) -> float:
        """Descent converges below this learning rate, and from almost no start above it."""
        return 2 / self.lambda_max


def strategies(
    n: int = 256,
    dtype: DTypeLike = np.float32,
    repeats: int = 7,
    progress: Progress = iter,
) -> list[StrategyResult]:
    """Measure every strategy of `tilewise.matmul`, and `numpy.matmul`, on two n x n matrices.

    After one product each to warm up, the strategies take turns, a lap each, so that a change of
    the clock frequency meets all of them; the median lap counts. Outputs are allocated before.
    All run on one thread, so that the order of the work is what differs.

    Parameters
    ----------
    n : int, default 256
        Rows and columns.
    dtype : {float32, float64}, default float32
    repeats : int, default 7
        Laps of each strategy, of ten milliseconds or one product, whichever is longer.
    progress : callable, optional
        Wraps the iterable of the laps, such as `tqdm.tqdm`.

    Returns
    -------
    list of StrategyResult
        In the order of `tilewise.STRATEGIES`, then "numpy".

    Raises
    ------
    TypeError, ValueError
        `n` or `repeats` is not a positive integer, or `dtype` is another one.
    ImportError
        threadpoolctl, which holds NumPy to one thread, is not installed.

    Examples
    --------
    >>> [result.name for result in strategies(n=8, repeats=1)]
    ['element', 'row', 'column', 'block', 'full', 'numpy']
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
    with threads(1), _numpy_on_one_thread():
        calls = {name: _calls_in_a_lap(product) for name, product in products.items()}
        for _ in progress(range(repeats)):
            for name, product in products.items():
                laps[name].append(_seconds(product, calls[name]))
    return [
        StrategyResult(name, n, dtype.name, 2 * n**3 / statistics.median(laps[name]) / 1e9)
        for name in products
    ]


def _numpy_on_one_thread() -> AbstractContextManager[Any]:
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        raise ImportError(
            'threadpoolctl is missing to hold NumPy to one thread: pip install "tilewise[report]"'
        ) from None
    limits: AbstractContextManager[Any] = threadpool_limits(1)
    return limits


def _calls_in_a_lap(product: Callable[[], Any]) -> int:
    """Warm up and return how many calls fill a lap."""
    _seconds(product, calls=1)
    return max(1, math.ceil(_LAP_SECONDS / _seconds(product, calls=1)))


def _seconds(product: Callable[[], Any], calls: int) -> float:
    """Return the time of one call, averaged over a lap of several."""
    timer = Timer()
    for _ in range(calls):
        product()
    return timer.stop() / calls


def four_runs(
    X: ArrayLike,
    y: ArrayLike,
    seed: int | None = None,
    repeats: int = 5,
    progress: Progress = iter,
) -> list[Run]:
    """Train the section's four: gradient descent, batch size 1, 100 and 10.

    A run can take less than a millisecond, and a single cold one several times as long. So each
    is run once to warm up, then `repeats` times with the same seed, which gives the same losses;
    the run of median time is returned.

    Parameters
    ----------
    X : array_like of float32 or float64, shape (n, d)
    y : array_like of float32 or float64, shape (n,)
    seed : int, optional
        Fixes the initial weights and the order of the rows, the same for all runs. By default a
        fresh one.
    repeats : int, default 5
        Timed repetitions.
    progress : callable, optional
        Wraps the iterable of the runs, such as `tqdm.tqdm`.

    Returns
    -------
    list of Run
        "gd", "sgd", "batch 100" and "batch 10".

    Raises
    ------
    TypeError, ValueError
        As `tilewise.fit` does, or `repeats` is not a positive integer.
    FloatingPointError
        A run diverged: the section's learning rates are for standardised data.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y, _, _ = tw.data.synthetic(1500, 5, seed=0)
    >>> for run in four_runs(X, y, seed=0, repeats=1):
    ...     print(run.name, run.batch_size, run.learning_rate, run.epochs)
    gd 1500 1.0 10
    sgd 1 0.005 2
    batch 100 100 0.4 2
    batch 10 10 0.05 2
    """
    X = check_float_matrix("X", X)
    repeats = check_int("repeats", repeats)
    settings = [
        ("gd", len(X), 1.0, 10),
        ("sgd", 1, 0.005, 2),
        ("batch 100", 100, 0.4, 2),
        ("batch 10", 10, 0.05, 2),
    ]
    runs = []
    for name, batch_size, learning_rate, epochs in progress(settings):
        train = partial(
            fit, X, y, batch_size=batch_size, learning_rate=learning_rate, epochs=epochs
        )
        seed = train(seed=seed).seed
        histories = [train(seed=seed) for _ in range(repeats)]
        histories.sort(key=lambda history: history.seconds_per_epoch)
        runs.append(Run(name, batch_size, learning_rate, epochs, histories[repeats // 2]))
    return runs


def step_limit(X: ArrayLike) -> StepLimit:
    """Return how large the learning rate of full-batch descent may be on these rows.

    The loss is quadratic, with second derivative ``X1.T @ X1 / n`` where X1 is X with a column of
    ones for the bias. A step multiplies the error along each eigenvector by
    ``1 - learning_rate * eigenvalue``, so descent converges from every start if and only if the
    learning rate is below ``2 / lambda_max`` (Nocedal and Wright, Numerical Optimization,
    section 3.3).

    Parameters
    ----------
    X : array_like of float32 or float64, shape (n, d)

    Returns
    -------
    StepLimit
        Computed in float64.

    Raises
    ------
    TypeError, ValueError
        `X` is not a matrix of finite floats.

    Examples
    --------
    >>> step_limit([[1.0], [-1.0]]).learning_rate
    2.0
    """
    X = check_float_matrix("X", X)
    X1 = np.column_stack([X.astype(np.float64), np.ones(len(X))])
    hessian: NDArray[np.float64] = X1.T @ X1 / len(X)
    return StepLimit(lambda_max=float(np.linalg.eigvalsh(hessian)[-1]))
