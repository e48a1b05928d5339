"""Intel's library from its wheel, through its C interface."""

import ctypes
import os
import re
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rivals.rival import Array, Call, Rival, UnsupportedError, needs_out

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

    def product(self, a: Array, b: Array, out: Array | None) -> Call:
        out = needs_out(out)
        if a.ndim == b.ndim == 1:
            raise UnsupportedError("its dot does not write to memory")
        if a.ndim == 1:
            a, b = b.T, a
        if b.ndim == 1:
            trans, lda = _layout(a)
            shape = (a if trans == _AS_IS else a.T).shape
            return _call(self._routine("gemv", out), trans, *shape, 1.0, a, lda, b, 1, 0.0, out, 1)
        m, n, k = *out.shape[-2:], a.shape[-1]
        if a.ndim == 3:
            head, strides = (_AS_IS, _AS_IS, m, n, k, 1.0), (m * k, k * n, m * n)
            left, right, result = (
                (x, x.shape[2], s) for x, s in zip((a, b, out), strides, strict=True)
            )
            routine = self._routine("gemm_batch_strided", out)
            return _call(routine, *head, *left, *right, 0.0, *result, len(a))
        (trans_a, lda), (trans_b, ldb) = _layout(a), _layout(b)
        head = (trans_a, trans_b, m, n, k, 1.0)
        return _call(self._routine("gemm", out), *head, a, lda, b, ldb, 0.0, out, n)

    def _routine(self, name: str, out: Array) -> Any:
        return getattr(self.library, f"cblas_{'s' if out.dtype == np.float32 else 'd'}{name}")


def _call(routine: Any, *arguments: Any) -> Call:
    """Return a call of a routine, its arguments as C takes them: a pointer keeps its array."""
    (dtype,) = {argument.dtype for argument in arguments if isinstance(argument, np.ndarray)}
    real = ctypes.c_float if dtype == np.float32 else ctypes.c_double
    converted: list[Any] = [ctypes.c_int(_ROW_MAJOR)]
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            converted.append(argument.ctypes.data_as(ctypes.c_void_p))
        else:
            converted.append((real if isinstance(argument, float) else ctypes.c_int)(argument))
    return partial(routine, *converted)


def _layout(matrix: Array) -> tuple[int, int]:
    """Return how a matrix lies by rows, and its leading dimension."""
    if matrix.flags.c_contiguous:
        return _AS_IS, matrix.shape[1]
    return _TRANSPOSED, matrix.shape[0]
