"""JAX on the CPU, which compiles with XLA."""

import re
from itertools import product
from typing import Any

import numpy as np

from benchmarks.epochs import Epochs
from benchmarks.rival import ALL_DTYPES, Array, Call, Rival, UnsupportedError, by_rows


class JAX(Rival):
    """`jax.numpy.matmul` and a `lax.scan` over the batches, compiled."""

    name = "jax"
    package = "jax"
    settings = (
        "compiled for the shapes before the clock starts, on its own arrays; block_until_ready, "
        "without asynchronous dispatch; it makes a new result in each call, in the clock; for SGD "
        "a lax.scan over the batches of all epochs; threads by PJRT_NPROC"
    )
    dtypes = ALL_DTYPES

    def __init__(self) -> None:
        super().__init__()
        self.library.config.update("jax_enable_x64", True)
        self.library.config.update("jax_cpu_enable_async_dispatch", False)
        self.products = {
            transposed: self._compiled_product(*transposed)
            for transposed in product((False, True), repeat=2)
        }

    @classmethod
    def environment(cls, threads: int) -> dict[str, str]:
        """Return the variable that its thread pool reads, and no search for accelerators."""
        return {"PJRT_NPROC": str(threads), "JAX_PLATFORMS": "cpu"}

    def set_threads(self, n: int) -> None:
        """Do nothing: its process was started with so many."""

    def kernels(self) -> str:
        """Return what its compiler made of a product."""
        x = self.library.numpy.ones((64, 64))
        text = self.products[False, False].lower(x, x).compile().as_text()
        return "XLA " + ", ".join(sorted(set(re.findall(r'"__(\w+)"', text))) or ["dot"])

    def product(self, a: Array, b: Array, out: Array | None) -> Call:
        """Return the compiled product of copies; transposed in it where an operand lies so."""
        (a, trans_a), (b, trans_b) = by_rows(a), by_rows(b)
        left, right = self.library.numpy.array(a), self.library.numpy.array(b)
        compiled = self.products[trans_a, trans_b]
        return lambda: compiled(left, right).block_until_ready()

    def result(self, returned: Any, out: Array | None) -> Array:
        """Return the new array."""
        return np.asarray(returned)

    def _compiled_product(self, trans_a: bool, trans_b: bool) -> Any:
        matmul = self.library.numpy.matmul
        return self.library.jit(lambda a, b: matmul(a.T if trans_a else a, b.T if trans_b else b))

    def epochs(self, X: Array, y: Array, task: Epochs) -> Call:
        """Return all epochs, compiled as one; a shuffled one gathers its rows, batch by batch."""
        if task.sampling == "chunked":
            raise UnsupportedError("its loop has no chunks")
        jax, jnp = self.library, self.library.numpy
        train = jax.jit(self._training(task))
        columns, target, zeros = jnp.array(X), jnp.array(y), jnp.zeros(task.features + 1, X.dtype)
        keys = jax.random.split(jax.random.key(0), task.epochs)

        def call() -> tuple[Array, float]:
            w, b = train((zeros[:-1], zeros[-1]), columns, target, keys)
            return np.asarray(w), float(b)

        return call

    def _training(self, task: Epochs) -> Any:
        """Return all epochs as a scan of scans; a batch that is left over is a step of its own."""
        jax, jnp, size = self.library, self.library.numpy, task.batch_size
        whole = task.rows // size * size

        def step(state: Any, batch: Any) -> Any:
            (w, b), (rows, targets) = state, batch
            residual = rows @ w + b - targets
            rate = jnp.asarray(task.learning_rate / len(targets), w.dtype)
            return (w - rate * (residual @ rows), b - rate * residual.sum()), None

        def train(state: Any, columns: Any, target: Any, keys: Any) -> Any:
            def shuffled(state: Any, key: Any) -> Any:
                def gather(state: Any, picked: Any) -> Any:
                    return step(state, (columns[picked], target[picked]))

                order = jax.random.permutation(key, task.rows)
                state, _ = jax.lax.scan(gather, state, order[:whole].reshape(-1, size))
                return gather(state, order[whole:]) if whole < task.rows else (state, None)

            def in_order(state: Any, key: Any) -> Any:
                batches = columns[:whole].reshape(-1, size, task.features)
                targets = target[:whole].reshape(-1, size)
                state, _ = jax.lax.scan(step, state, (batches, targets))
                rest = columns[whole:], target[whole:]
                return step(state, rest) if whole < task.rows else (state, None)

            epoch = shuffled if task.sampling == "permutation" else in_order
            return jax.lax.scan(epoch, state, keys)[0]

        return train
