"""NumPy and SciPy, with whichever BLAS their builds have."""

import os
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
        "two products and updates in place for each step"
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
        rng, rate = np.random.default_rng(0), X.dtype.type(task.learning_rate)

        def epoch(w: Array, b: Array, order: Array | None) -> None:
            for start in range(0, len(X), task.batch_size):
                batch = slice(start, start + task.batch_size)
                picked = batch if order is None else order[batch]
                rows = X[picked]
                residual = rows @ w
                residual += b - y[picked]
                step = rate / X.dtype.type(len(rows))
                w -= step * (residual @ rows)
                b -= step * residual.sum()

        def call() -> tuple[Array, float]:
            w, b = np.zeros(task.features, X.dtype), np.zeros((), X.dtype)
            for _ in range(task.epochs):
                epoch(w, b, None if task.sampling == "sequential" else rng.permutation(len(X)))
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
        "scipy.linalg.blas.gemm, with less Python around it than numpy.matmul has, on the "
        "transposes, which lie by columns as it wants them, and overwrite_c"
    )
    dtypes = Rival.dtypes

    def __init__(self) -> None:
        self.library = import_module("scipy.linalg.blas")

    def product(self, a: Array, b: Array, out: Array | None) -> Call:
        """Return ``out.T = b.T @ a.T``, for two matrices."""
        out = needs_out(out)
        if a.ndim != 2 or b.ndim != 2:
            raise UnsupportedError("matrices only")
        gemm = self.library.sgemm if out.dtype == np.float32 else self.library.dgemm
        (left, trans_left), (right, trans_right) = _by_columns(b.T), _by_columns(a.T)
        return partial(gemm, 1.0, left, right, 0.0, out.T, trans_left, trans_right, 1)

    def epochs(self, X: Array, y: Array, task: Epochs) -> Call:
        """Refuse."""
        raise UnsupportedError("has no trainer")


def _by_columns(matrix: Array) -> tuple[Array, bool]:
    return (matrix, False) if matrix.flags.f_contiguous else (matrix.T, True)
