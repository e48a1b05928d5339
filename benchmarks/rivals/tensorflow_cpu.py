"""TensorFlow on the CPU, with oneDNN and Eigen inside."""

import os
import re
import subprocess
import sys
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from benchmarks.epochs import Epochs
from benchmarks.rival import Array, Call, Rival, UnsupportedError
from benchmarks.rivals.forms import Forms, has_few_terms, multiply_and_sum, of_steps, orders


class TensorFlow(Rival):
    """Its raw operations, and a compiled loop over the batches."""

    name = "tensorflow"
    package = "tensorflow"
    settings = (
        "tf.raw_ops.MatMul and BatchMatMulV2, eagerly: tf.linalg.matmul calls them after more "
        "Python, and a tf.function costs more a call; on its own tensors; it makes a new result in "
        "each call, in the clock; for SGD a loop over the batches of all epochs, compiled by XLA, "
        "in an order that NumPy draws, in the clock; the fastest form of each case, tried before "
        "the clock starts: a vector as a row or a column, operands either way round, multiply and "
        "sum, or XLA; threads by TF_NUM_INTRAOP_THREADS"
    )
    dtypes = ("float32", "float64", "float16", "int32", "int64")

    def __init__(self) -> None:
        super().__init__()
        tf = self.library
        tf.get_logger().setLevel("ERROR")  # it warns of a compilation for each case
        add = partial(multiply_and_sum, add=lambda terms, axis: tf.reduce_sum(terms, axis))
        forms = {"matmul": tf.linalg.matmul, "multiply and sum": add}
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

    def form(self) -> str | None:
        """Return the fastest form."""
        return self.forms.last

    def set_threads(self, n: int) -> None:
        """Do nothing: its process was started with so many."""

    def kernels(self) -> str:
        """Return what its oneDNN says of the CPU in its log."""
        code = "import tensorflow as tf; a = tf.ones((64, 64)); tf.linalg.matmul(a, a)"
        log = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"ONEDNN_VERBOSE": "1"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        found = re.search(r"cpu,isa:(.+)", log)
        return f"oneDNN for {found.group(1)}" if found else "not told"

    def product(self, a: Array, b: Array, out: Array | None) -> Call:
        """Return the fastest operation on copies."""
        case = a.shape, b.shape, a.dtype, a.flags.c_contiguous, b.flags.c_contiguous
        forms = self._stacks(a, b) if a.ndim == 3 else self._matrices(a, b)
        return self.forms.fastest(case, forms)

    def _stacks(self, a: Array, b: Array) -> dict[str, Call]:
        left, right = self.library.constant(a), self.library.constant(b)
        multiply = self.library.raw_ops.BatchMatMulV2
        return {"matmul": partial(multiply, x=left, y=right)} | self._compiled(left, right)

    def _matrices(self, a: Array, b: Array) -> dict[str, Call]:
        """Return what there is for matrices; vectors are matrices to it, either way round."""
        tf = self.library
        a, b = a[np.newaxis] if a.ndim == 1 else a, b[:, np.newaxis] if b.ndim == 1 else b
        pairs = [(a, b), (b.T, a.T)] if 1 in (len(a), b.shape[1]) else [(a, b)]
        forms: dict[str, Call] = {}
        for swapped, pair in zip(("", " swapped"), pairs, strict=False):
            for (left, trans_left), (right, trans_right) in product(*map(_layouts, pair)):
                transposed = {"transpose_a": trans_left, "transpose_b": trans_right}
                operands = {"a": tf.constant(left), "b": tf.constant(right)}
                asked = "".join(f" {name}" for name, set_ in transposed.items() if set_)
                forms[f"MatMul{swapped}{asked}"] = partial(
                    tf.raw_ops.MatMul, **operands, **transposed
                )
        if a.flags.c_contiguous and b.flags.c_contiguous:
            left, right = tf.constant(a), tf.constant(b)
            forms |= self._compiled(left, right)
            if len(b) == 1:
                forms["multiply"] = partial(tf.raw_ops.Mul, x=left, y=right)
        return forms

    def _compiled(self, left: Any, right: Any) -> dict[str, Call]:
        """Return what XLA makes of a product of operands that lie by rows."""
        names = self.compiled if has_few_terms(left, right) else ["matmul"]
        return {f"XLA, {name}": partial(self.compiled[name], left, right) for name in names}

    def result(self, returned: Any, out: Array | None) -> Array:
        """Return the new array, in the shape that was asked for."""
        found = np.asarray(returned)
        return found if out is None else found.reshape(out.shape)

    def epochs(self, X: Array, y: Array, task: Epochs) -> Call:
        """Return all epochs, compiled as one; a shuffled one gathers its rows, batch by batch."""
        if task.sampling == "chunked":
            raise UnsupportedError("its loop has no chunks")
        tf, rng = self.library, np.random.default_rng(0)
        columns, target = tf.constant(X), tf.constant(y)

        def form(multiply: tuple[bool, bool]) -> Call:
            training = self._training(task, columns, target, multiply)
            train = tf.function(training, jit_compile=True)

            def call() -> tuple[Array, float]:
                zeros = tf.zeros(task.features, X.dtype), tf.zeros((), X.dtype)
                w, b = train(*zeros, tf.constant(orders(task, rng)))
                return w.numpy(), float(b)

            return call

        forms = {name: form(multiply) for multiply, name in of_steps().items()}
        return self.forms.fastest(task, forms)

    def _training(
        self, task: Epochs, columns: Any, target: Any, multiply: tuple[bool, bool]
    ) -> Call:
        """Return a loop over epochs and batches; a batch left over is a step of its own.

        Predictions and gradients are each products, or multiply and sum.
        """
        tf, size = self.library, task.batch_size
        steps = task.rows // size
        whole = steps * size

        def step(w: Any, b: Any, rows: Any, targets: Any) -> Any:
            predicted = tf.reduce_sum(rows * w, 1) if multiply[0] else tf.linalg.matvec(rows, w)
            residual = predicted + b - targets
            if multiply[1]:
                gradient = tf.reduce_sum(residual[:, None] * rows, 0)
            else:
                gradient = tf.linalg.matvec(rows, residual, transpose_a=True)
            rate = np.asarray(task.learning_rate / rows.shape[0], w.dtype.as_numpy_dtype)
            return w - rate * gradient, b - rate * tf.reduce_sum(residual)

        def in_order(w: Any, b: Any) -> Any:
            batches = tf.reshape(columns[:whole], (steps, size, task.features))
            targets = tf.reshape(target[:whole], (steps, size))
            for index in tf.range(steps):
                w, b = step(w, b, batches[index], targets[index])
            return step(w, b, columns[whole:], target[whole:]) if whole < task.rows else (w, b)

        def shuffled(w: Any, b: Any, order: Any) -> Any:
            batches = tf.reshape(order[:whole], (steps, size))
            for index in tf.range(steps):
                picked = batches[index]
                w, b = step(w, b, tf.gather(columns, picked), tf.gather(target, picked))
            rest = tf.gather(columns, order[whole:]), tf.gather(target, order[whole:])
            return step(w, b, *rest) if whole < task.rows else (w, b)

        def train(w: Any, b: Any, orders: Any) -> Any:
            for epoch in tf.range(task.epochs):
                if task.sampling == "permutation":
                    w, b = shuffled(w, b, orders[epoch])
                else:
                    w, b = in_order(w, b)
            return w, b

        return train


def _layouts(matrix: Array) -> list[tuple[Array, bool]]:
    """Return the views that lie by rows, and whether they are the transpose: both of a vector."""
    flags = matrix.flags
    return [(matrix, False)] * flags.c_contiguous + [(matrix.T, True)] * flags.f_contiguous
