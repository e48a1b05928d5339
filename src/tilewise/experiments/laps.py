"""Time of short calls: in laps, on one thread."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from tilewise._extras import required
from tilewise.timing import Timer

_LAP_SECONDS = 1e-2  # long beside an interrupt, and the threads of the one before come to rest


def numpy_on_one_thread() -> AbstractContextManager[Any]:
    """Hold NumPy to one thread in a `with` block."""
    controls = required("threadpoolctl", "report", "NumPy on one thread needs threadpoolctl")
    limits: AbstractContextManager[Any] = controls.threadpool_limits(1)
    return limits


def calls_in_a_lap(call_seconds: float) -> int:
    """Return how many calls fill a lap."""
    return max(1, math.ceil(_LAP_SECONDS / call_seconds))


def seconds(product: Callable[[], Any], calls: int) -> float:
    """Return the time of one call, averaged over a lap of several."""
    timer = Timer()
    for _ in range(calls):
        product()
    return timer.stop() / calls
