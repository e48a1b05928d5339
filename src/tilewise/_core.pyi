from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

STRATEGIES: tuple[str, ...]
SAMPLINGS: tuple[str, ...]

def isa() -> str: ...
def available_isas() -> tuple[str, ...]: ...
def cpu_name() -> str: ...
def caches() -> dict[str, int]: ...
def peak_fma(dtype: DTypeLike, seconds: float) -> float: ...
def read_gbytes(size: int, threads: int, seconds: float) -> float: ...
def gflops_with_blocking(
    dtype: DTypeLike, n: int, mc: int, nc: int, kc: int, repeats: int
) -> float: ...
def usable_cpus() -> int: ...
def get_num_threads() -> int: ...
def set_num_threads(n: int) -> None: ...

# Any stands for the scalar of two vectors, and for what the product of objects is.
def matmul(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    out: NDArray[Any] | None = None,
    *,
    strategy: str = "full",
    block_size: int = 64,
    **kwargs: Any,
) -> NDArray[Any] | Any: ...
def explain(
    dtype: DTypeLike, m: int, n: int, k: int, strategy: str, block_size: int
) -> dict[str, Any]: ...
def optimizers() -> dict[str, tuple[int, dict[str, float]]]: ...

class Sampler:
    def __init__(self, n: int, sampling: str, seed: int, row_bytes: int = 1) -> None: ...
    def next_epoch(self) -> NDArray[np.int64]: ...
    @property
    def state(self) -> NDArray[np.uint64]: ...
    @state.setter
    def state(self, value: NDArray[np.uint64]) -> None: ...

class Settings:
    def __init__(
        self,
        batch_size: int,
        optimizer: str,
        hyperparameters: list[float],
        weight_decay: float,
        clip_norm: float,
    ) -> None: ...

class State:
    def __init__(
        self, settings: Settings, values: NDArray[Any], counters: NDArray[np.int64]
    ) -> None: ...

class Schedule:
    def __init__(
        self, epochs: int, record_every: int, record_end: bool, start_loss: float
    ) -> None: ...

class Records:
    def __init__(self) -> None: ...
    @property
    def losses(self) -> list[float]: ...
    @property
    def seconds(self) -> list[float]: ...
    @property
    def examples(self) -> list[int]: ...
    @property
    def total_seconds(self) -> float: ...
    @property
    def rows(self) -> int: ...
    @property
    def diverged_at(self) -> int: ...
    @property
    def start_loss(self) -> float: ...

def train(
    X: NDArray[Any],
    y: NDArray[Any],
    sample_weights: NDArray[Any] | None,
    state: State,
    rates: float | Callable[[int, int], NDArray[np.float64]],
    sampler: Sampler,
    schedule: Schedule,
) -> tuple[Records, BaseException | None]: ...
def step(
    X: NDArray[Any],
    y: NDArray[Any],
    sample_weights: NDArray[Any] | None,
    state: State,
    rate: float,
) -> bool: ...
def sum_gradients(
    X: NDArray[Any],
    y: NDArray[Any],
    sample_weights: NDArray[Any] | None,
    order: NDArray[np.int64] | None,
    first: int,
    count: int,
    state: State,
    gradient: NDArray[Any],
) -> None: ...
def take_steps(
    X: NDArray[Any],
    y: NDArray[Any],
    order: NDArray[np.int64] | None,
    first: int,
    count: int,
    state: State,
    rates: NDArray[np.float64],
) -> None: ...
def apply_gradient(gradient: NDArray[Any], count: int, state: State, rate: float) -> None: ...
def mean_loss(
    X: NDArray[Any], y: NDArray[Any], sample_weights: NDArray[Any] | None, state: State
) -> float: ...
def predict(X: NDArray[Any], state: State) -> NDArray[Any]: ...
def sample_rows(
    X: NDArray[Any], sample_weights: NDArray[Any] | None, count: int
) -> tuple[float, float, NDArray[np.int64]]: ...
def column_moments(
    X: NDArray[Any],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]: ...
def first_nonfinite(A: NDArray[Any]) -> int: ...
