"""What a strong engineer writes without a library: a loop in C++, and the same one in Numba."""

import ctypes
import os
import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rivals.rival import Array, Call, Rival
from benchmarks.steps import Steps

_SOURCE = Path(__file__).with_name("plain_loop.cpp")
_FLAGS = ("-std=c++17", "-O3", "-march=native", "-ffast-math", "-fPIC")


class PlainCpp(Rival):
    """`plain_loop.cpp`, compiled for this CPU."""

    name = "plain C++"
    package = "the system's compiler"
    settings = (
        f"plain_loop.cpp, compiled with {' '.join(_FLAGS)}; linked without -ffast-math, which "
        "would round tiny numbers to zero in the whole process"
    )
    has_threads = False
    averages = True

    def __init__(self) -> None:
        self.compiler = os.environ.get("CXX") or shutil.which("c++") or ""
        if not self.compiler:
            raise ImportError("there is no C++ compiler")
        with tempfile.TemporaryDirectory() as folder:
            built, library = f"{folder}/loop.o", f"{folder}/loop.so"
            subprocess.check_call([self.compiler, *_FLAGS, "-c", str(_SOURCE), "-o", built])
            subprocess.check_call([self.compiler, "-shared", built, "-o", library])
            self.library = ctypes.CDLL(library)

    def version(self) -> str:
        """Return that of the compiler."""
        return subprocess.check_output([self.compiler, "--version"], text=True).splitlines()[0]

    def epochs(self, X: Array, y: Array, steps: Steps) -> Call:
        counts = (*X.shape, steps.batch_size, steps.epochs)
        flags = (steps.sampling == "permutation", steps.average)
        w = np.empty(X.shape[1] + 1, X.dtype)
        train = partial(
            getattr(self.library, f"train_{X.dtype}"),
            *(array.ctypes.data_as(ctypes.c_void_p) for array in (X, y, w)),
            *map(ctypes.c_int64, (*counts, *flags)),
            *map(ctypes.c_double, (steps.learning_rate, steps.weight_decay)),
        )

        def call() -> tuple[Array, float]:
            train()
            return w[:-1], float(w[-1])

        return call


class Numba(Rival):
    """The same loop in Python, compiled."""

    name = "numba"
    package = "numba"
    settings = "a loop over rows and features, by njit(fastmath=True), compiled before the clock"
    has_threads = False
    averages = True

    def __init__(self) -> None:
        super().__init__()
        self.compiled = self.library.njit(fastmath=True)(_train)

    def epochs(self, X: Array, y: Array, steps: Steps) -> Call:
        counts = steps.batch_size, steps.epochs, steps.sampling == "permutation", steps.average
        rates = map(X.dtype.type, (steps.learning_rate, steps.weight_decay))
        return partial(self.compiled, X, y, *counts, *rates)


def _train(
    X: Any, y: Any, size: int, epochs: int, permuted: bool, average: bool, rate: Any, decay: Any
) -> Any:
    n, d = X.shape
    w, gradient, total = np.zeros(d, X.dtype), np.empty(d, X.dtype), np.zeros(d + 1, X.dtype)
    b, order, taken = X.dtype.type(0), np.arange(n), 0
    for _ in range(epochs):
        if permuted:
            np.random.shuffle(order)
        for start in range(0, n, size):
            end = min(start + size, n)
            gradient[:] = 0
            gradient_b = X.dtype.type(0)
            for i in range(start, end):
                row = order[i] if permuted else i
                residual = b - y[row]
                for j in range(d):
                    residual += X[row, j] * w[j]
                for j in range(d):
                    gradient[j] += residual * X[row, j]
                gradient_b += residual
            step = rate / X.dtype.type(end - start)
            for j in range(d):
                w[j] -= step * gradient[j] + rate * decay * w[j]
            b -= step * gradient_b
            taken += 1
            if average:
                total[:d] += w
                total[d] += b
    if average:
        return total[:d] / taken, total[d] / taken
    return w, b
