from typing import Any, final, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

STRATEGIES: tuple[str, ...]

def isa() -> str: ...
def available_isas() -> tuple[str, ...]: ...
def cpu_name() -> str: ...
def caches() -> dict[str, int]: ...
def matmul(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    out: NDArray[Any] | None = None,
    *,
    strategy: str = "full",
    block_size: int = 64,
    **kwargs: Any,
) -> Any: ...

class Sampler:
    def __init__(self, n: int, sampling: str, seed: int) -> None: ...
    def next_epoch(self) -> NDArray[np.int64]: ...

class Schedule:
    def __init__(
        self, batch_size: int, learning_rate: float, epochs: int, record_every: int
    ) -> None: ...

def fit(
    X: NDArray[Any],
    y: NDArray[Any],
    weights: NDArray[Any],
    bias: float,
    schedule: Schedule,
    sampler: Sampler,
) -> tuple[list[float], list[float], list[int], float]: ...
def mean_loss(
    X: NDArray[Any], y: NDArray[Any], weights: NDArray[Any], bias: float
) -> float: ...
