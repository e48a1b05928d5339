"""NumPy and SciPy, with whichever BLAS their builds have."""

import os
from collections.abc import Iterator
from functools import partial
from importlib import import_module

import numpy as np

from benchmarks.epochs import Epochs
from benchmarks.rival import (
    ALL_DTYPES,
    Array,
    Call,
    Rival,
    UnsupportedError,
    loops_in_python,
    needs_out,
)


class NumPy(Rival):
    """`numpy.matmul`, and a loop in Python."""

    name = "numpy"
    package = "numpy"
    settings = (
        "as installed; numpy.matmul with out=; for SGD a loop over views of the rows, "
        "two products and updates in place for each step, nothing of which makes an array"
    )
    dtypes = ALL_DTYPES

    def kernels(self) -> str:
        """Return the core type that its BLAS picked."""
        from threadpoolctl import threadpool_info

        blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
        own = [pool for pool in blas if f"{self.package}.libs" in pool["filepath"]] or blas
        return f"{own[0]['internal_api']} {own[0].get('architecture', '')}" if own else "not told"

    def product(self, a: Array, b: Array, out: Array | None) -> Call:
        """Return the product."""
        return partial(np.matmul, a, b, out)

    def epochs(self, X: Array, y: Array, task: Epochs) -> Call:
        """Return the loop; for another order, it copies the rows of each batch together."""
        if task.sampling == "chunked":
            raise UnsupportedError("its loop has no chunks")
        loops_in_python(task)
        rng, size = np.random.default_rng(0), task.batch_size
        gathered, targets = np.empty((size, task.features), X.dtype), np.empty(size, X.dtype)
        residuals, gradient = np.empty(size, X.dtype), np.empty(task.features, X.dtype)
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
            for rows, expected in in_order if task.sampling == "sequential" else shuffled():
                residual = np.dot(rows, w, residuals[: len(rows)])
                residual -= expected
                residual += b
                step = task.learning_rate / len(rows)
                np.dot(residual, rows, gradient)
                np.multiply(gradient, step, gradient)
                w -= gradient
                b -= step * np.add.reduce(residual)

        def call() -> tuple[Array, float]:
            w, b = np.zeros(task.features, X.dtype), np.zeros((), X.dtype)
            for _ in range(task.epochs):
                epoch(w, b)
            return w, float(b)

        return call


class NumPyBest(NumPy):
    """NumPy with its BLAS told which kernels to use, which it reads once, at import."""

    name = "numpy-best"
    settings = "with the OPENBLAS_CORETYPE that is fastest at n = 768"

    def __init__(self) -> None:
        core = os.environ.get("OPENBLAS_CORETYPE")
        if not core:
            raise ImportError("OPENBLAS_CORETYPE is not set")
        super().__init__()
        self.settings = f"OPENBLAS_CORETYPE={core}, the fastest of those that run here"

    def epochs(self, X: Array, y: Array, task: Epochs) -> Call:
        """Refuse: few operations of the loop are products."""
        raise UnsupportedError("its loop is that of numpy")


class SciPy(NumPy):
    """The BLAS that SciPy brings, called directly."""

    name = "scipy"
    package = "scipy"
    settings = (
        "scipy.linalg.blas.gemm and gemv, with less Python around them than numpy.matmul has, on "
        "transposes, which lie by columns as they want them, and overwrite_c or overwrite_y"
    )
    dtypes = Rival.dtypes

    def __init__(self) -> None:
        self.library = import_module("scipy.linalg.blas")
        core = os.environ.get("OPENBLAS_CORETYPE")
        if core:
            self.settings += f"; OPENBLAS_CORETYPE={core}"

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

    def epochs(self, X: Array, y: Array, task: Epochs) -> Call:
        """Refuse."""
        raise UnsupportedError("has no trainer")


def _by_columns(matrix: Array) -> tuple[Array, bool]:
    return (matrix, False) if matrix.flags.f_contiguous else (matrix.T, True)
