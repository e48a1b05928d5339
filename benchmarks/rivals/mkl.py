"""Intel's library from its wheel, through its C interface."""

import ctypes
import os
import re
from collections.abc import Iterator
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rival import Array, Call, Rival, UnsupportedError, needs_out

_ROW_MAJOR, _AS_IS, _TRANSPOSED = 101, 111, 112
_INTEL_OPENMP = 0

# The names in lower case belong to Fortran, and take pointers: C is spelt MKL_Set_Num_Threads.


class MKL(Rival):
    """cblas of the `mkl` wheel."""

    name = "mkl"
    package = "mkl"
    settings = (
        "cblas gemm, gemv and gemm_batch_strided through ctypes, which costs least from Python, "
        "its arguments converted before the clock starts; Intel's OpenMP, its own; "
        "KMP_BLOCKTIME=1 (ms, long between two calls) so that its threads rest after the last one"
    )

    def __init__(self) -> None:
        try:
            files = metadata.files(self.package) or []
        except metadata.PackageNotFoundError as error:
            raise ImportError(str(error)) from None
        paths = [Path(str(file.locate())) for file in files if file.name.startswith("libmkl_rt.so")]
        if not paths:
            raise ImportError("the installed mkl has no libmkl_rt.so")
        os.environ.setdefault("KMP_BLOCKTIME", "1")  # read when it is loaded
        self.library = ctypes.CDLL(str(paths[0].resolve()))
        self.library.MKL_Set_Threading_Layer(_INTEL_OPENMP)

    def kernels(self) -> str:
        """Return the kernel library that it has loaded: "def" is the one for unknown CPUs."""
        maps = Path("/proc/self/maps").read_text()
        return "libmkl_" + ", ".join(sorted(set(re.findall(r"libmkl_(avx\w*|def|mc3)\.so", maps))))

    def set_threads(self, n: int) -> None:
        """Use at most `n` threads."""
        self.library.MKL_Set_Num_Threads(n)

    def product(self, a: Array, b: Array, out: Array | None) -> Call:
        """Return a call of the routine for these operands."""
        out = needs_out(out)
        if a.ndim == b.ndim == 1:
            raise UnsupportedError("its dot does not write to memory")
        if a.ndim == 3:
            return self._stack(a, b, out)
        if b.ndim == 1:
            return self._vector(a, b, out)
        if a.ndim == 1:
            return self._vector(b.T, a, out)
        return self._matrices(a, b, out)

    def _routine(self, name: str, out: Array) -> tuple[Any, Any, Any]:
        letter, real = ("s", ctypes.c_float) if out.dtype == np.float32 else ("d", ctypes.c_double)
        return getattr(self.library, f"cblas_{letter}{name}"), real(1), real(0)

    def _matrices(self, a: Array, b: Array, out: Array) -> Call:
        gemm, one, zero = self._routine("gemm", out)
        (trans_a, lda), (trans_b, ldb) = _layout(a), _layout(b)
        head = _integers(_ROW_MAJOR, trans_a, trans_b, *out.shape, a.shape[1])
        left, right = (_at(a), *_integers(lda)), (_at(b), *_integers(ldb))
        return partial(gemm, *head, one, *left, *right, zero, _at(out), *_integers(out.shape[1]))

    def _vector(self, a: Array, x: Array, out: Array) -> Call:
        gemv, one, zero = self._routine("gemv", out)
        trans, lda = _layout(a)
        head = _integers(_ROW_MAJOR, trans, *(a if trans == _AS_IS else a.T).shape)
        step = ctypes.c_int(1)
        return partial(
            gemv, *head, one, _at(a), *_integers(lda), _at(x), step, zero, _at(out), step
        )

    def _stack(self, a: Array, b: Array, out: Array) -> Call:
        gemm, one, zero = self._routine("gemm_batch_strided", out)
        (count, m, k), n = a.shape, b.shape[2]
        head = _integers(_ROW_MAJOR, _AS_IS, _AS_IS, m, n, k)
        left, right = (_at(a), *_integers(k, m * k)), (_at(b), *_integers(n, k * n))
        return partial(gemm, *head, one, *left, *right, zero, _at(out), *_integers(n, m * n, count))


def _integers(*values: int) -> Iterator[ctypes.c_int]:
    return map(ctypes.c_int, values)


def _at(array: Array) -> ctypes.c_void_p:
    """Return a pointer that keeps its array."""
    return array.ctypes.data_as(ctypes.c_void_p)


def _layout(matrix: Array) -> tuple[int, int]:
    """Return how a matrix lies by rows, and its leading dimension."""
    if matrix.flags.c_contiguous:
        return _AS_IS, matrix.shape[1]
    return _TRANSPOSED, matrix.shape[0]
