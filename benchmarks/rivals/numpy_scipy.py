"""NumPy and SciPy, with whichever BLAS their builds have."""

from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.rivals.rival import (
    ALL_DTYPES,
    Array,
    ArrayLibrary,
    Call,
    Rival,
    UnsupportedError,
    by_rows,
)


def openblas(package: str) -> str:
    """Return the core type that the BLAS of a package has picked."""
    from threadpoolctl import threadpool_info

    blas = [
        pool
        for pool in threadpool_info()
        if pool["user_api"] == "blas" and pool["internal_api"] != "tilewise"
    ]
    own = [pool for pool in blas if f"{package}.libs" in pool["filepath"]] or blas
    return f"{own[0]['internal_api']} {own[0].get('architecture', '')}" if own else "not told"


class NumPy(ArrayLibrary):
    """`numpy.matmul`, and a loop in Python."""

    name = "numpy"
    package = "numpy"
    settings = (
        "as installed; numpy.matmul with out=; for SGD a loop over views of the rows, "
        "two products and updates in place for each step"
    )
    dtypes = ALL_DTYPES
    array = staticmethod(np.asarray)
    order = staticmethod(np.random.default_rng(0).permutation)

    def kernels(self) -> str:
        return openblas(self.package)

    def product(self, a: Array, b: Array, out: Array) -> Call:
        return partial(np.matmul, a, b, out)

    def gather(self, array: Array, picked: Array, out: Array) -> None:
        np.take(array, picked, 0, out, "clip")  # "raise" would gather into a copy first

    def step(
        self, w: Array, b: Array, rows: Array, targets: Array, residual: Array, rate: Any
    ) -> None:
        np.dot(rows, w, residual)
        residual -= targets
        residual += b
        residual *= rate
        w -= np.dot(residual, rows)
        b -= np.add.reduce(residual)


class SciPy(Rival):
    """The BLAS that SciPy brings, called directly."""

    name = "scipy"
    package = "scipy"
    settings = (
        "scipy.linalg.blas.gemm and gemv, with less Python around them than numpy.matmul has, on "
        "transposes, which lie by columns as they want them, and overwrite_c or overwrite_y"
    )

    def __init__(self) -> None:
        self.library = import_module("scipy.linalg.blas")

    def kernels(self) -> str:
        return openblas(self.package)

    def product(self, a: Array, b: Array, out: Array) -> Call:
        """Return ``out.T = b.T @ a.T``, or the product of a matrix and a vector."""
        if a.ndim == b.ndim == 1:
            raise UnsupportedError("its dot does not write to memory")
        if a.ndim > 2:
            raise UnsupportedError("no stacks")
        letter = "s" if out.dtype == np.float32 else "d"
        if a.ndim == 1 or b.ndim == 1:
            matrix, x = (a, b) if b.ndim == 1 else (b.T, a)
            rows, transposed = by_rows(matrix.T)
            gemv = getattr(self.library, f"{letter}gemv")
            return partial(gemv, 1.0, rows.T, x, 0.0, out, 0, 1, 0, 1, transposed, 1)
        gemm = getattr(self.library, f"{letter}gemm")
        (left, trans_left), (right, trans_right) = by_rows(b), by_rows(a)
        return partial(gemm, 1.0, left.T, right.T, 0.0, out.T, trans_left, trans_right, 1)
