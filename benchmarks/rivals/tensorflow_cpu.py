"""TensorFlow on the CPU, with oneDNN and Eigen inside."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.rivals.compiled import CompiledLibrary, fastest, has_few_terms
from benchmarks.rivals.rival import Array, Call, by_rows
from benchmarks.steps import Steps


class TensorFlow(CompiledLibrary):
    """Its raw operations, and a loop over the batches compiled by XLA."""

    name = "tensorflow"
    package = "tensorflow"
    settings = (
        "tf.raw_ops.MatMul and BatchMatMulV2, eagerly: tf.linalg.matmul calls them after more "
        "Python, and a tf.function costs more a call; on its own tensors; it makes a new result in "
        "each call, in the clock; for SGD a loop over the batches of all epochs, compiled by XLA, "
        "in an order that NumPy draws, in the clock; the fastest form of each case, tried before "
        "the clock starts: operands either way round, multiply and sum, or XLA; threads by "
        "TF_NUM_INTRAOP_THREADS"
    )
    dtypes = ("float32", "float64", "float16", "int32", "int64")

    def __init__(self) -> None:
        super().__init__()
        self.library.get_logger().setLevel("ERROR")  # it warns of a compilation for each case
        self.add = self.library.reduce_sum
        self.compiled = partial(self.library.function, jit_compile=True)

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

    def product(self, a: Array, b: Array, out: Array) -> Call:
        """Return the fastest operation on copies; vectors are matrices to it."""
        tf, contiguous = self.library, a.flags.c_contiguous and b.flags.c_contiguous
        a, b = a[np.newaxis] if a.ndim == 1 else a, b[:, np.newaxis] if b.ndim == 1 else b
        forms: list[Call] = []
        if a.ndim == 3:
            forms.append(partial(tf.raw_ops.BatchMatMulV2, x=tf.constant(a), y=tf.constant(b)))
        else:
            forms.append(self._matmul(a, b))
            if 1 in (len(a), b.shape[1]):  # gives the transpose, which a vector does not mind
                forms.append(self._matmul(b.T, a.T))
        if contiguous:
            operands = tf.constant(a), tf.constant(b)
            ways = [tf.linalg.matmul, *[self.multiply_and_sum] * has_few_terms(a, b)]
            forms += [partial(self.compiled(way), *operands) for way in ways]
        return fastest(forms)

    def _matmul(self, a: Array, b: Array) -> Call:
        (left, trans_left), (right, trans_right) = by_rows(a), by_rows(b)
        operands = {"a": self.library.constant(left), "b": self.library.constant(right)}
        transposed = {"transpose_a": trans_left, "transpose_b": trans_right}
        return partial(self.library.raw_ops.MatMul, **operands, **transposed)

    def multiply(self, a: Any, b: Any) -> Any:
        matvec = self.library.linalg.matvec
        return matvec(a, b) if len(b.shape) == 1 else matvec(b, a, transpose_a=True)

    def training(self, X: Array, y: Array, steps: Steps, step: Any) -> Callable[[Array], Any]:
        tf, size, (n, features) = self.library, steps.batch_size, X.shape
        columns, target, whole = tf.constant(X), tf.constant(y), n // size * size

        def batch(w: Any, b: Any, order: Any, start: Any, count: int) -> Any:
            if steps.sampling == "permutation":
                picked = tf.slice(order, [start], [count])
                rows, targets = tf.gather(columns, picked), tf.gather(target, picked)
            else:
                rows = tf.slice(columns, [start, 0], [count, features])
                targets = tf.slice(target, [start], [count])
            return step(w, b, rows, targets, count)

        def train(w: Any, b: Any, orders: Any) -> Any:
            for epoch in tf.range(steps.epochs):
                for start in tf.range(0, whole, size):
                    w, b = batch(w, b, orders[epoch], start, size)
                if whole < n:
                    w, b = batch(w, b, orders[epoch], whole, n - whole)
            return w, b

        run, zeros = self.compiled(train), (tf.zeros(features, X.dtype), tf.zeros((), X.dtype))
        return lambda orders: run(*zeros, tf.constant(orders))
