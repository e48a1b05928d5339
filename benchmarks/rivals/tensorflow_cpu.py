"""TensorFlow on the CPU, with oneDNN and Eigen inside."""

import os
import re
import subprocess
import sys
from functools import partial
from typing import Any

import numpy as np

from benchmarks.rivals.forms import Forms, has_few_terms, multiply_and_sum
from benchmarks.rivals.rival import Array, Call, Rival, by_rows


class TensorFlow(Rival):
    """Its raw operations; its loops are those that XLA makes of JAX's, too."""

    name = "tensorflow"
    package = "tensorflow"
    settings = (
        "tf.raw_ops.MatMul and BatchMatMulV2, eagerly: tf.linalg.matmul calls them after more "
        "Python, and a tf.function costs more a call; on its own tensors; it makes a new result in "
        "each call, in the clock; the fastest form of each case, tried before the clock starts: "
        "operands either way round, multiply and sum, or XLA; threads by TF_NUM_INTRAOP_THREADS"
    )
    dtypes = ("float32", "float64", "float16", "int32", "int64")

    def __init__(self) -> None:
        super().__init__()
        tf = self.library
        tf.get_logger().setLevel("ERROR")  # it warns of a compilation for each case
        add = partial(multiply_and_sum, add=lambda terms, axis: tf.reduce_sum(terms, axis))
        forms = {"XLA": tf.linalg.matmul, "XLA sum": add}
        self.forms = Forms()
        self.compiled = {name: tf.function(f, jit_compile=True) for name, f in forms.items()}

    @classmethod
    def environment(cls, threads: int) -> dict[str, str]:
        """Return the variables that its thread pools read, and silence."""
        return {
            "TF_NUM_INTRAOP_THREADS": str(threads),
            "TF_NUM_INTEROP_THREADS": "1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "-1",
        }

    def version(self) -> str:
        """Return the version; the distribution may be tensorflow-cpu."""
        return str(self.library.__version__)

    def form(self) -> str:
        return self.forms.last

    def set_threads(self, n: int) -> None:
        """Do nothing: its process was started with so many."""

    def kernels(self) -> str:
        """Return what its oneDNN says of the CPU in its log."""
        code = "import tensorflow as tf; a = tf.ones((64, 64)); tf.linalg.matmul(a, a)"
        variables = os.environ | {"ONEDNN_VERBOSE": "1"}
        log = subprocess.check_output([sys.executable, "-c", code], env=variables, text=True)
        found = re.search(r"cpu,isa:(.+)", log)
        return f"oneDNN for {found.group(1)}" if found else "not told"

    def product(self, a: Array, b: Array, out: Array | None) -> Call:
        """Return the fastest operation on copies; vectors are matrices to it."""
        tf = self.library
        case = a.shape, b.shape, a.dtype, a.flags.c_contiguous, b.flags.c_contiguous
        a, b = a[np.newaxis] if a.ndim == 1 else a, b[:, np.newaxis] if b.ndim == 1 else b
        forms: dict[str, Call] = {}
        if a.ndim == 3:
            left, right = tf.constant(a), tf.constant(b)
            forms["matmul"] = partial(tf.raw_ops.BatchMatMulV2, x=left, y=right)
        else:
            forms["matmul"], forms["swapped"] = self._matmul(a, b), self._matmul(b.T, a.T)
        if a.flags.c_contiguous and b.flags.c_contiguous:
            left, right = tf.constant(a), tf.constant(b)
            names = self.compiled if has_few_terms(a, b) else ("XLA",)
            forms |= {name: partial(self.compiled[name], left, right) for name in names}
        if a.ndim == 2 and 1 not in (len(a), b.shape[1]):
            del forms["swapped"]  # its result is the transpose, which a vector does not mind
        return self.forms.fastest(case, forms)

    def _matmul(self, a: Array, b: Array) -> Call:
        (left, trans_left), (right, trans_right) = by_rows(a), by_rows(b)
        operands = {"a": self.library.constant(left), "b": self.library.constant(right)}
        transposed = {"transpose_a": trans_left, "transpose_b": trans_right}
        return partial(self.library.raw_ops.MatMul, **operands, **transposed)

    def result(self, returned: Any, out: Array | None) -> Any:
        """Return the new array, in the shape that was asked for: it cannot write to `out`."""
        return returned if out is None else np.reshape(returned, out.shape)
