"""What a strong engineer writes without a library: a loop in C++, and the same one in Numba."""

import ctypes
import os
import shutil
import subprocess
import tempfile
from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rivals.rival import Array, Call, Rival
from benchmarks.steps import Steps

_SOURCE = Path(__file__).with_name("plain_loop.cpp")
_FLAGS = ("-std=c++17", "-O3", "-march=native", "-ffast-math", "-fPIC")


class _Steps(ctypes.Structure):
    """As the source has it."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("rows", "features", "batch_size", "epochs")),
        *((name, ctypes.c_int64) for name in ("permuted", "average")),
        *((name, ctypes.c_double) for name in ("learning_rate", "weight_decay")),
    )


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
        counts = (*X.shape, steps.batch_size, steps.epochs, steps.sampling == "permutation")
        given = _Steps(*counts, steps.average, steps.learning_rate, steps.weight_decay)
        train = getattr(self.library, f"train_{X.dtype}")
        pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in (X, y)]

        def call() -> tuple[Array, float]:
            w = np.zeros(X.shape[1] + 1, X.dtype)
            train(*pointers, ctypes.byref(given), w.ctypes.data_as(ctypes.c_void_p))
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

    def kernels(self) -> str:
        return f"LLVM for {self.library.core.codegen.get_host_cpu_features().count('+')} features"

    def epochs(self, X: Array, y: Array, steps: Steps) -> Call:
        batch_size, rate, epochs, sampling, average, decay = astuple(steps)
        counts = batch_size, epochs, sampling == "permutation", average
        return partial(self.compiled, X, y, *counts, *map(X.dtype.type, (rate, decay)))


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
