"""NumPy and SciPy, with whichever BLAS their builds have."""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache, partial
from importlib import import_module
from itertools import cycle

import numpy as np

from benchmarks.clock import clock
from benchmarks.rivals.rival import ALL_DTYPES, Array, Call, Rival, UnsupportedError, needs_out
from benchmarks.steps import Steps

# What OpenBLAS can be told to use; a CPU that lacks the instructions ends the process, which is
# then no candidate. A build without some of them falls back to another, which it reports.
_CORES = ("Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids")


class NumPy(Rival):
    """`numpy.matmul`, and a loop in Python."""

    name = "numpy"
    package = "numpy"
    settings = (
        "as installed; numpy.matmul with out=; for SGD a loop over views of the rows, "
        "two products and updates in place for each step, nothing of which makes an array"
    )
    dtypes = ALL_DTYPES
    loops_in_python = True

    def kernels(self) -> str:
        """Return the core type that its BLAS picked."""
        from threadpoolctl import threadpool_info

        blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
        own = [pool for pool in blas if f"{self.package}.libs" in pool["filepath"]] or blas
        return f"{own[0]['internal_api']} {own[0].get('architecture', '')}" if own else "not told"

    def product(self, a: Array, b: Array, out: Array | None) -> Call:
        return partial(np.matmul, a, b, out)

    def epochs(self, X: Array, y: Array, steps: Steps) -> Call:
        """Return the loop; for another order, it copies the rows of each batch together."""
        rng, size = np.random.default_rng(0), steps.batch_size
        gathered, targets = np.empty((size, X.shape[1]), X.dtype), np.empty(size, X.dtype)
        residuals, gradient = np.empty(size, X.dtype), np.empty(X.shape[1], X.dtype)
        starts = range(0, len(X), size)
        in_order = [(X[start : start + size], y[start : start + size]) for start in starts]

        def shuffled() -> Iterator[tuple[Array, Array]]:
            order = rng.permutation(len(X))
            for start in starts:
                picked = order[start : start + size]
                n = len(picked)  # "raise" would gather into a copy first
                np.take(X, picked, 0, gathered[:n], "clip")
                np.take(y, picked, 0, targets[:n], "clip")
                yield gathered[:n], targets[:n]

        def epoch(w: Array, b: Array) -> None:
            for rows, expected in in_order if steps.sampling == "sequential" else shuffled():
                residual = np.dot(rows, w, residuals[: len(rows)])
                residual -= expected
                residual += b
                rate = steps.learning_rate / len(rows)
                np.dot(residual, rows, gradient)
                np.multiply(gradient, rate, gradient)
                w -= gradient
                b -= rate * np.add.reduce(residual)

        def call() -> tuple[Array, float]:
            w, b = np.zeros(X.shape[1], X.dtype), np.zeros((), X.dtype)
            for _ in range(steps.epochs):
                epoch(w, b)
            return w, float(b)

        return call


class NumPyBest(NumPy):
    """NumPy with its BLAS told which kernels to use, which it reads once, at import."""

    name = "numpy-best"

    @classmethod
    def environment(cls, threads: int) -> dict[str, str]:
        """Return the core type that is fastest, where OpenBLAS does not pick it."""
        core = _best_core()
        return {"OPENBLAS_CORETYPE": core} if core else {}

    def __init__(self) -> None:
        core = os.environ.get("OPENBLAS_CORETYPE", "")
        super().__init__()
        if core not in self.kernels() or not core:
            raise ImportError(f"the installed one has picked its kernels already: {self.kernels()}")
        self.settings = f"OPENBLAS_CORETYPE={core}, the fastest of those that run here, at n = 768"

    def epochs(self, X: Array, y: Array, steps: Steps) -> Call:
        """Refuse: few operations of the loop are products."""
        raise UnsupportedError("its loop is that of numpy")


class SciPy(NumPyBest):
    """The BLAS that SciPy brings, called directly."""

    name = "scipy"
    package = "scipy"
    settings = (
        "scipy.linalg.blas.gemm and gemv, with less Python around them than numpy.matmul has, on "
        "transposes, which lie by columns as they want them, and overwrite_c or overwrite_y; the "
        "OPENBLAS_CORETYPE of numpy-best"
    )
    dtypes = Rival.dtypes

    def __init__(self) -> None:
        self.library = import_module("scipy.linalg.blas")

    def product(self, a: Array, b: Array, out: Array | None) -> Call:
        """Return ``out.T = b.T @ a.T``, or the product of a matrix and a vector."""
        out = needs_out(out)
        if a.ndim == b.ndim == 1:
            raise UnsupportedError("its dot does not write to memory")
        if a.ndim > 2:
            raise UnsupportedError("no stacks")
        letter = "s" if out.dtype == np.float32 else "d"
        if a.ndim == 1 or b.ndim == 1:
            matrix, x = (a, b) if b.ndim == 1 else (b.T, a)
            matrix, transposed = _by_columns(matrix)
            gemv = getattr(self.library, f"{letter}gemv")
            return partial(gemv, 1.0, matrix, x, 0.0, out, 0, 1, 0, 1, transposed, 1)
        gemm = getattr(self.library, f"{letter}gemm")
        (left, trans_left), (right, trans_right) = _by_columns(b.T), _by_columns(a.T)
        return partial(gemm, 1.0, left, right, 0.0, out.T, trans_left, trans_right, 1)


def _by_columns(matrix: Array) -> tuple[Array, bool]:
    return (matrix, False) if matrix.flags.f_contiguous else (matrix.T, True)


@cache
def _best_core() -> str:
    """Return the core type with which OpenBLAS is fastest on one thread; "" for its own choice."""
    code = "from benchmarks.rivals.numpy_scipy import judge; judge()"
    found: dict[str, tuple[float, str]] = {}
    for core in ("", *_CORES):
        variables = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"}
        variables |= {"OPENBLAS_CORETYPE": core} if core else {}
        command = [sys.executable, "-c", code]
        judged = subprocess.run(command, env=variables, capture_output=True, text=True)
        if not judged.returncode:
            kernels, seconds = judged.stdout.strip().rsplit(" ", 1)
            found.setdefault(kernels, (float(seconds), core))
    return min(found.values(), default=(0.0, ""))[1]


def judge() -> None:
    """Print the kernels of this process, and the time of products of both dtypes."""
    numpy, seconds = NumPy(), 1.0
    numpy.set_threads(1)
    for dtype in Rival.dtypes:
        a = np.ones((768, 768), dtype)
        seconds *= min(clock(cycle([numpy.product(a, a, np.empty_like(a))])) for _ in range(9))
    print(numpy.kernels(), seconds)
