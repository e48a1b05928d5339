"""Intel's library from its wheel, through its C interface."""

import ctypes
import os
import re
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rivals.rival import Array, Call, Rival, UnsupportedError

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
        self.library.MKL_Set_Num_Threads(n)

    def product(self, a: Array, b: Array, out: Array) -> Call:
        letter, real = ("s", ctypes.c_float) if out.dtype == np.float32 else ("d", ctypes.c_double)
        one, zero = real(1), real(0)
        operands: tuple[Any, ...]
        arguments: tuple[Any, ...]
        if a.ndim == b.ndim == 1:
            raise UnsupportedError("its dot does not write to memory")
        if a.ndim == 1:
            a, b = b.T, a
        if b.ndim == 1:
            trans, lda = _layout(a)
            sides = (len(a), lda) if trans == _AS_IS else (a.shape[1], lda)
            name, arguments = "gemv", (trans, *sides, one, a, lda, b, 1, zero, out, 1)
        elif a.ndim == 3:
            (m, n), k = out.shape[1:], a.shape[2]
            operands = (a, k, m * k, b, n, k * n, zero, out, n, m * n, len(a))
            name, arguments = "gemm_batch_strided", (_AS_IS, _AS_IS, m, n, k, one, *operands)
        else:
            (m, n), k = out.shape, a.shape[1]
            (trans_a, lda), (trans_b, ldb) = _layout(a), _layout(b)
            operands = (a, lda, b, ldb, zero, out, n)
            name, arguments = "gemm", (trans_a, trans_b, m, n, k, one, *operands)
        routine = getattr(self.library, f"cblas_{letter}{name}")
        return partial(routine, *map(_converted, (_ROW_MAJOR, *arguments)))


def _converted(argument: Any) -> Any:
    """Return an argument as C takes it: a pointer keeps its array."""
    if isinstance(argument, np.ndarray):
        return argument.ctypes.data_as(ctypes.c_void_p)
    return ctypes.c_int(argument) if isinstance(argument, int) else argument


def _layout(matrix: Array) -> tuple[int, int]:
    """Return how a matrix lies by rows, and its leading dimension."""
    if matrix.flags.c_contiguous:
        return _AS_IS, matrix.shape[1]
    return _TRANSPOSED, matrix.shape[0]
