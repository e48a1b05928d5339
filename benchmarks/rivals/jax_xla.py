"""JAX on the CPU, which compiles with XLA."""

from typing import Any

import numpy as np

from benchmarks.rivals.rival import ALL_DTYPES, Array, Call, Rival
from benchmarks.steps import Steps

_FEW = 1000  # numbers of a batch up to which sums were faster than matmul, in a run that tried both


class JAX(Rival):
    """`jax.numpy.matmul` and a loop over the batches, compiled."""

    name = "jax"
    package = "jax"
    settings = (
        "compiled for the shapes before the clock starts, on its own arrays; block_until_ready, "
        "without asynchronous dispatch; it makes a new result in each call, in the clock; for SGD "
        "a loop over the batches of all epochs, in an order that NumPy draws, in the clock, by "
        "jax.numpy.matmul, for batches of at most 1000 numbers by multiply and sum, which is "
        "faster there; threads by PJRT_NPROC"
    )
    dtypes = ALL_DTYPES

    def __init__(self) -> None:
        super().__init__()
        self.library.config.update("jax_enable_x64", True)
        self.library.config.update("jax_cpu_enable_async_dispatch", False)

    @classmethod
    def environment(cls, threads: int) -> dict[str, str]:
        """Return the variable that its thread pool reads, and no search for accelerators."""
        return {"PJRT_NPROC": str(threads), "JAX_PLATFORMS": "cpu"}

    def set_threads(self, n: int) -> None:
        """Do nothing: its process was started with so many."""

    def product(self, a: Array, b: Array, out: Array) -> Call:
        """Return a compiled product of copies, which lie as the operands do."""
        jnp = self.library.numpy
        turned = not a.flags.c_contiguous, not b.flags.c_contiguous
        left, right = jnp.array(a.T if turned[0] else a), jnp.array(b.T if turned[1] else b)
        compiled = self.library.jit(
            lambda a, b: jnp.matmul(a.T if turned[0] else a, b.T if turned[1] else b)
        )
        return lambda: compiled(left, right).block_until_ready()

    def result(self, returned: Any, out: Any) -> Any:
        """Return the new array: it cannot write to `out`."""
        return returned

    def epochs(self, X: Array, y: Array, steps: Steps) -> Call:
        """Return all epochs, compiled as one; a shuffled one gathers its rows, batch by batch."""
        jnp, rng = self.library.numpy, np.random.default_rng(0)
        columns, target, zeros = jnp.array(X), jnp.array(y), jnp.zeros(X.shape[1] + 1, X.dtype)
        train = self.library.jit(self._training(steps))

        def call() -> tuple[Array, float]:  # NumPy draws an order faster than XLA sorts
            rows = np.arange(len(X) if steps.sampling == "permutation" else 0, dtype=np.int32)
            orders = np.stack([rng.permutation(rows) for _ in range(steps.epochs)])
            w, b = train((zeros[:-1], zeros[-1]), columns, target, orders)
            return np.asarray(w), float(b)

        return call

    def _training(self, steps: Steps) -> Any:
        """Return a loop over epochs and batches; a batch that is left over is a step of its own."""
        lax, jnp, size = self.library.lax, self.library.numpy, steps.batch_size

        def train(state: Any, columns: Any, target: Any, orders: Any) -> Any:
            n, d = columns.shape
            multiply = _multiply_and_sum if size * d <= _FEW else jnp.matmul

            def step(state: Any, order: Any, start: Any, count: int) -> Any:
                w, b = state
                if steps.sampling == "permutation":
                    picked = lax.dynamic_slice_in_dim(order, start, count)
                    rows = columns.at[picked].get(mode="promise_in_bounds")
                    targets = target.at[picked].get(mode="promise_in_bounds")
                else:
                    rows = lax.dynamic_slice_in_dim(columns, start, count)
                    targets = lax.dynamic_slice_in_dim(target, start, count)
                residual = multiply(rows, w) + b - targets
                rate = jnp.asarray(steps.learning_rate / count, w.dtype)
                return w - rate * multiply(residual, rows), b - rate * residual.sum()

            def epoch(state: Any, order: Any) -> Any:
                whole = n // size
                state = lax.fori_loop(
                    0, whole, lambda i, state: step(state, order, i * size, size), state
                )
                rest = n - whole * size
                return step(state, order, whole * size, rest) if rest else state, None

            return lax.scan(epoch, state, orders)[0]

        return train


def _multiply_and_sum(a: Any, b: Any) -> Any:
    return (a * b).sum(-1) if b.ndim == 1 else (a[:, None] * b).sum(0)
