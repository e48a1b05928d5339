"""The contestants. A new one is a class here, and a word in `RIVALS`."""

import ctypes
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module

import numpy as np

from benchmarks.mkl import MKL
from benchmarks.rival import OURS, Array, Rival, UnsupportedError


class Tilewise(Rival):
    """The library of this repository."""

    name = OURS
    package = "tilewise"

    def __init__(self) -> None:
        super().__init__()
        self.matmul = self.library.matmul  # itself: a method around it would cost a call

    def kernels(self) -> str:
        """Return the instruction set in use."""
        return str(self.library.isa())

    def set_threads(self, n: int) -> None:
        """Use at most `n` threads."""
        self.library.set_num_threads(n)


class NumPy(Rival):
    """NumPy, with whichever BLAS its build has."""

    name = "numpy"
    package = "numpy"

    def __init__(self) -> None:
        super().__init__()
        self.matmul = np.matmul  # type: ignore[method-assign]

    def kernels(self) -> str:
        """Return the core type that its BLAS picked."""
        from threadpoolctl import threadpool_info

        blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
        own = [pool for pool in blas if f"{self.package}.libs" in pool["filepath"]] or blas
        return f"{own[0]['internal_api']} {own[0].get('architecture', '')}" if own else "not told"


class NumPyBest(NumPy):
    """NumPy with its BLAS told which kernels to use, which it reads once, at import."""

    name = "numpy-best"

    def __init__(self) -> None:
        core = os.environ.get("OPENBLAS_CORETYPE")
        if not core:
            raise ImportError("OPENBLAS_CORETYPE is not set")
        super().__init__()
        self.settings = f"OPENBLAS_CORETYPE={core}, the fastest of those that run here"


class SciPy(NumPy):
    """The BLAS that SciPy brings, called directly."""

    name = "scipy"
    package = "scipy"
    settings = "scipy.linalg.blas on the transposes, which lie by columns as it wants them"

    def __init__(self) -> None:
        self.library = import_module("scipy.linalg.blas")

    def prepare(self, a: Array, b: Array, out: Array) -> Callable[[], object]:
        """Return ``out.T = b.T @ a.T``, for two matrices."""
        if a.ndim != 2 or b.ndim != 2:
            raise UnsupportedError("matrices only")
        gemm = self.library.sgemm if out.dtype == np.float32 else self.library.dgemm
        (left, trans_left), (right, trans_right) = _by_columns(b.T), _by_columns(a.T)
        return partial(gemm, 1.0, left, right, 0.0, out.T, trans_left, trans_right, 1)


def _by_columns(matrix: Array) -> tuple[Array, bool]:
    return (matrix, False) if matrix.flags.f_contiguous else (matrix.T, True)


class Torch(Rival):
    """PyTorch on the CPU, with the MKL that is linked into it."""

    name = "torch"
    package = "torch"
    settings = "mm, mv, dot, bmm with out=, on tensors made before the clock starts; no gradients"

    def __init__(self) -> None:
        super().__init__()
        self.library.set_grad_enabled(False)

    def version(self) -> str:
        """Return the version and that of the MKL inside."""
        found = re.search(r"Math Kernel Library Version (\S+?)-", self.library.__config__.show())
        return f"{self.library.__version__}, MKL {found.group(1) if found else 'none'}"

    def kernels(self) -> str:
        """Return what its MKL says of the CPU in the first line of its log."""
        code = "import torch; a = torch.ones(64, 64); torch.mm(a, a)"
        log = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"MKL_VERBOSE": "1"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        found = re.search(r"for Intel\(R\) 64 architecture (.+?), Lnx", log)
        return f"MKL for {found.group(1)}" if found else "not told"

    def set_threads(self, n: int) -> None:
        """Use at most `n` threads."""
        self.library.set_num_threads(n)

    def prepare(self, a: Array, b: Array, out: Array) -> Callable[[], object]:
        """Return torch's product of tensors that share the memory of the arrays."""
        if a.ndim == 1 and b.ndim == 2:
            a, b = b.T, a
        routine = {(1, 1): "dot", (2, 1): "mv", (2, 2): "mm", (3, 3): "bmm"}
        product = getattr(self.library, routine[a.ndim, b.ndim])
        left, right, result = (self.library.from_numpy(array) for array in (a, b, out))
        return partial(product, left, right, out=result)


class Blis(Rival):
    """The `blis` wheel."""

    name = "blis"
    package = "blis"
    settings = "blis.py with out= and beta=0; the wheel is built without threads"

    def __init__(self) -> None:
        self.library = import_module("blis.py")
        self.compiled = ctypes.CDLL(str(import_module("blis.cy").__file__))

    def kernels(self) -> str:
        """Return the configuration that it picked."""
        self.compiled.bli_arch_string.restype = ctypes.c_char_p
        return str(self.compiled.bli_arch_string(self.compiled.bli_arch_query_id()).decode())

    def set_threads(self, n: int) -> None:
        """Do nothing: it has one."""
        if n > 1:
            raise UnsupportedError("the wheel is built without threads")

    def prepare(self, a: Array, b: Array, out: Array) -> Callable[[], object]:
        """Return a call, for two matrices."""
        if b.ndim == 1 or a.ndim != 2:  # its gemv adds to out, whatever beta is
            raise UnsupportedError("matrices only")
        shapes = a.shape, b.shape
        (a, trans_a), (b, trans_b) = _by_rows(a), _by_rows(b)
        if (a.shape, b.shape) != shapes and out.dtype == np.float64:
            raise UnsupportedError("in float64 it takes the shape of the untransposed matrix")
        return partial(self.library.gemm, a, b, out, trans_a, trans_b, 1.0, 0.0)


def _by_rows(matrix: Array) -> tuple[Array, bool]:
    return (matrix, False) if matrix.flags.c_contiguous else (matrix.T, True)


RIVALS: dict[str, type[Rival]] = {
    rival.name: rival for rival in (Tilewise, NumPy, NumPyBest, SciPy, Torch, MKL, Blis)
}
"""By name, in the order in which they take their turns."""
