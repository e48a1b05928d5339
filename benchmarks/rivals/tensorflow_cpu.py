"""TensorFlow on the CPU, with oneDNN and Eigen inside."""

import os
import re
import subprocess
import sys
from functools import partial
from typing import Any

import numpy as np

from benchmarks.epochs import Epochs
from benchmarks.rival import Array, Call, Rival, UnsupportedError, by_rows


class TensorFlow(Rival):
    """Its raw operations, and a compiled loop over the batches."""

    name = "tensorflow"
    package = "tensorflow"
    settings = (
        "tf.raw_ops.MatMul and BatchMatMulV2, eagerly: tf.linalg.matmul calls them after more "
        "Python, and a tf.function costs more a call; on its own tensors; it makes a new result in "
        "each call, in the clock; for SGD a loop over the batches of all epochs, compiled by XLA, "
        "which takes a tenth of the time of a plain tf.function; threads by TF_NUM_INTRAOP_THREADS"
    )
    dtypes = ("float32", "float64", "float16", "int32", "int64")

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
        """Return the operation on copies; vectors are matrices to it."""
        a, b = a[np.newaxis] if a.ndim == 1 else a, b[:, np.newaxis] if b.ndim == 1 else b
        (a, trans_a), (b, trans_b) = by_rows(a), by_rows(b)
        left, right = self.library.constant(a), self.library.constant(b)
        if a.ndim == 3:
            return partial(self.library.raw_ops.BatchMatMulV2, x=left, y=right)
        multiply = self.library.raw_ops.MatMul
        return partial(multiply, a=left, b=right, transpose_a=trans_a, transpose_b=trans_b)

    def result(self, returned: Any, out: Array | None) -> Array:
        """Return the new array, in the shape that was asked for."""
        found = np.asarray(returned)
        return found if out is None else found.reshape(out.shape)

    def epochs(self, X: Array, y: Array, task: Epochs) -> Call:
        """Return all epochs, compiled as one; a shuffled one gathers its rows, batch by batch."""
        if task.sampling == "chunked":
            raise UnsupportedError("its loop has no chunks")
        tf = self.library
        columns, target = tf.constant(X), tf.constant(y)
        train = tf.function(self._training(task, columns, target), jit_compile=True)

        def call() -> tuple[Array, float]:
            w, b = train(tf.zeros(task.features, X.dtype), tf.zeros((), X.dtype))
            return w.numpy(), float(b)

        return call

    def _training(self, task: Epochs, columns: Any, target: Any) -> Call:
        """Return a loop over epochs and batches; a batch left over is a step of its own."""
        tf, size = self.library, task.batch_size
        steps = task.rows // size
        whole = steps * size

        def step(w: Any, b: Any, rows: Any, targets: Any) -> Any:
            residual = tf.linalg.matvec(rows, w) + b - targets
            rate = np.asarray(task.learning_rate / rows.shape[0], w.dtype.as_numpy_dtype)
            w -= rate * tf.linalg.matvec(rows, residual, transpose_a=True)
            return w, b - rate * tf.reduce_sum(residual)

        def in_order(w: Any, b: Any) -> Any:
            batches = tf.reshape(columns[:whole], (steps, size, task.features))
            targets = tf.reshape(target[:whole], (steps, size))
            for index in tf.range(steps):
                w, b = step(w, b, batches[index], targets[index])
            return step(w, b, columns[whole:], target[whole:]) if whole < task.rows else (w, b)

        def shuffled(w: Any, b: Any) -> Any:
            order = tf.random.shuffle(tf.range(task.rows))
            batches = tf.reshape(order[:whole], (steps, size))
            for index in tf.range(steps):
                picked = batches[index]
                w, b = step(w, b, tf.gather(columns, picked), tf.gather(target, picked))
            rest = tf.gather(columns, order[whole:]), tf.gather(target, order[whole:])
            return step(w, b, *rest) if whole < task.rows else (w, b)

        def train(w: Any, b: Any) -> Any:
            for _ in tf.range(task.epochs):
                w, b = shuffled(w, b) if task.sampling == "permutation" else in_order(w, b)
            return w, b

        return train
