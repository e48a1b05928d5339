from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

STRATEGIES: tuple[str, ...]
SAMPLINGS: tuple[str, ...]
context_threads: ContextVar[int]

def isa() -> str: ...
def available_isas() -> tuple[str, ...]: ...
def cpu_name() -> str: ...
def caches() -> dict[str, int]: ...
def fma_gflops_float32(seconds: float) -> float: ...
def fma_gflops_float64(seconds: float) -> float: ...
def read_gbytes(size: int, threads: int, seconds: float) -> float: ...
def usable_cpus() -> int: ...
def get_num_threads() -> int: ...
def set_num_threads(n: int) -> None: ...
def free_threads(wanted: int) -> int: ...
def for_each_part(parts: int, task: Callable[[int], object]) -> None: ...
def assume_cpus(count: int) -> None: ...

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
def explain_float32(m: int, n: int, k: int) -> dict[str, Any]: ...
def explain_float64(m: int, n: int, k: int) -> dict[str, Any]: ...
def gflops_with_blocking_float32(n: int, mc: int, nc: int, kc: int, repeats: int) -> float: ...
def gflops_with_blocking_float64(n: int, mc: int, nc: int, kc: int, repeats: int) -> float: ...
def optimizers() -> dict[str, tuple[int, dict[str, float]]]: ...

class Sampler:
    def __init__(self, n: int, sampling: str, seed: int, row_bytes: int = 1) -> None: ...
    def next_epoch(self) -> NDArray[np.int64]: ...
    @property
    def state(self) -> NDArray[np.uint64]: ...
    @state.setter
    def state(self, value: ArrayLike) -> None: ...

class Settings:
    def __init__(
        self,
        batch_size: int,
        optimizer: str,
        hyperparameters: list[float],
        weight_decay: float,
        clip_norm: float,
        average: bool,
    ) -> None: ...

class Schedule:
    def __init__(
        self, epochs: int, record_every: int, record_end: bool, start_loss: float
    ) -> None: ...

def train(
    X: NDArray[Any],
    y: NDArray[Any],
    sample_weights: NDArray[Any] | None,
    parameters: NDArray[Any],
    slots: NDArray[Any],
    counters: NDArray[np.int64],
    settings: Settings,
    rates: float | Callable[[int, int], NDArray[np.float64]],
    sampler: Sampler,
    schedule: Schedule,
    record: Callable[[list[float], list[float], list[int], float, int, float], None],
) -> int: ...
def step(
    X: NDArray[Any],
    y: NDArray[Any],
    sample_weights: NDArray[Any] | None,
    parameters: NDArray[Any],
    slots: NDArray[Any],
    counters: NDArray[np.int64],
    settings: Settings,
    rate: float,
) -> None: ...
def sum_gradients(
    X: NDArray[Any],
    y: NDArray[Any],
    sample_weights: NDArray[Any] | None,
    order: NDArray[np.int64] | None,
    first: int,
    count: int,
    parameters: NDArray[Any],
    gradient: NDArray[Any],
) -> None: ...
def apply_gradient(
    gradient: NDArray[Any],
    count: int,
    parameters: NDArray[Any],
    slots: NDArray[Any],
    counters: NDArray[np.int64],
    settings: Settings,
    rate: float,
) -> None: ...
def mean_loss(
    X: NDArray[Any],
    y: NDArray[Any],
    sample_weights: NDArray[Any] | None,
    parameters: NDArray[Any],
) -> float: ...
def first_nonfinite(A: NDArray[Any]) -> int: ...
