"""The `blis` wheel."""

import ctypes
from functools import partial
from importlib import import_module

import numpy as np

from benchmarks.rivals.rival import Array, Call, Rival, UnsupportedError, by_rows, needs_out


class Blis(Rival):
    """`blis.py.gemm`."""

    name = "blis"
    package = "blis"
    settings = "blis.py.gemm with out= and beta=0; the wheel is built without threads"
    has_threads = False

    def __init__(self) -> None:
        self.library = import_module("blis.py")
        self.compiled = ctypes.CDLL(str(import_module("blis.cy").__file__))

    def kernels(self) -> str:
        self.compiled.bli_arch_string.restype = ctypes.c_char_p
        return str(self.compiled.bli_arch_string(self.compiled.bli_arch_query_id()).decode())

    def product(self, a: Array, b: Array, out: Array | None) -> Call:
        out = needs_out(out)
        if b.ndim == 1 or a.ndim != 2:  # its gemv adds to out, whatever beta is
            raise UnsupportedError("matrices only")
        shapes = a.shape, b.shape
        (a, trans_a), (b, trans_b) = by_rows(a), by_rows(b)
        if (a.shape, b.shape) != shapes and out.dtype == np.float64:
            raise UnsupportedError("in float64 it takes the shape of the untransposed matrix")
        return partial(self.library.gemm, a, b, out, trans_a, trans_b, 1.0, 0.0)
