"""JAX on the CPU, which compiles with XLA."""

import re
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from benchmarks.rivals.forms import Forms, has_few_terms, multiply_and_sum
from benchmarks.rivals.rival import ALL_DTYPES, Array, Call, Rival, by_rows
from benchmarks.steps import Steps

_WAYS = {"product": False, "sum": True}  # whether predictions and gradients multiply and sum


class JAX(Rival):
    """`jax.numpy.matmul` and a loop over the batches, compiled."""

    name = "jax"
    package = "jax"
    settings = (
        "compiled for the shapes before the clock starts, on its own arrays; block_until_ready, "
        "without asynchronous dispatch; it makes a new result in each call, in the clock; for SGD "
        "a loop over the batches of all epochs, in an order that NumPy draws, in the clock; the "
        "fastest form of each case, tried before the clock starts: jax.numpy.matmul, its operands "
        "swapped, or multiply and sum; threads by PJRT_NPROC"
    )
    dtypes = ALL_DTYPES

    def __init__(self) -> None:
        super().__init__()
        self.library.config.update("jax_enable_x64", True)
        self.library.config.update("jax_cpu_enable_async_dispatch", False)
        self.forms = Forms()

    @classmethod
    def environment(cls, threads: int) -> dict[str, str]:
        """Return the variable that its thread pool reads, and no search for accelerators."""
        return {"PJRT_NPROC": str(threads), "JAX_PLATFORMS": "cpu"}

    def form(self) -> str:
        return self.forms.last

    def set_threads(self, n: int) -> None:
        """Do nothing: its process was started with so many."""

    def kernels(self) -> str:
        """Return what its compiler made of a product."""
        x = self.library.numpy.ones((64, 64))
        text = self.library.jit(self.library.numpy.matmul).lower(x, x).compile().as_text()
        return "XLA " + ", ".join(sorted(set(re.findall(r'"__(\w+)"', text))) or ["dot"])

    def product(self, a: Array, b: Array, out: Array | None) -> Call:
        """Return the fastest compiled product of copies, either of which may be a transpose."""
        jnp = self.library.numpy
        (rows_a, trans_a), (rows_b, trans_b) = by_rows(a), by_rows(b)
        stored = jnp.array(rows_a), jnp.array(rows_b)
        forms = {"matmul": jnp.matmul}
        if a.ndim == b.ndim == 2:
            forms["swapped"] = lambda a, b: jnp.matmul(b.T, a.T).T
        if has_few_terms(a, b):
            forms["sum"] = self._multiply_and_sum

        def compiled(form: Any) -> Call:
            def as_asked(left: Any, right: Any) -> Any:
                return form(left.T if trans_a else left, right.T if trans_b else right)

            run = self.library.jit(as_asked)
            return lambda: run(*stored).block_until_ready()

        calls = {name: compiled(form) for name, form in forms.items()}
        return self.forms.fastest((a.shape, b.shape, a.dtype, trans_a, trans_b), calls)

    def _multiply_and_sum(self, a: Any, b: Any) -> Any:
        return multiply_and_sum(a, b, partial(self.library.numpy.sum, dtype=a.dtype))

    def result(self, returned: Any, out: Array | None) -> Any:
        """Return the new array: it cannot write to `out`."""
        return returned

    def epochs(self, X: Array, y: Array, steps: Steps) -> Call:
        """Return all epochs, compiled as one; a shuffled one gathers its rows, batch by batch."""
        jnp, rng = self.library.numpy, np.random.default_rng(0)
        columns, target, zeros = jnp.array(X), jnp.array(y), jnp.zeros(X.shape[1] + 1, X.dtype)

        def orders() -> Array:  # NumPy draws them faster than XLA sorts
            rows = np.arange(len(X) if steps.sampling == "permutation" else 0, dtype=np.int32)
            return np.stack([rng.permutation(rows) for _ in range(steps.epochs)])

        def form(*multiply: bool) -> Call:
            train = self.library.jit(self._training(steps, multiply))

            def call() -> tuple[Array, float]:
                w, b = train((zeros[:-1], zeros[-1]), columns, target, orders())
                return np.asarray(w), float(b)

            return call

        forms = {f"{p}/{g}": form(_WAYS[p], _WAYS[g]) for p, g in product(_WAYS, repeat=2)}
        return self.forms.fastest((X.shape, X.dtype, steps), forms)

    def _training(self, steps: Steps, multiply: tuple[bool, ...]) -> Any:
        """Return a loop over epochs and batches; a batch that is left over is a step of its own."""
        lax, jnp, size = self.library.lax, self.library.numpy, steps.batch_size
        predict, gradient = (self._multiply_and_sum if other else jnp.matmul for other in multiply)

        def train(state: Any, columns: Any, target: Any, orders: Any) -> Any:
            n = len(columns)

            def step(state: Any, order: Any, start: Any, count: int) -> Any:
                w, b = state
                if steps.sampling == "permutation":
                    picked = lax.dynamic_slice_in_dim(order, start, count)
                    rows = columns.at[picked].get(mode="promise_in_bounds")
                    targets = target.at[picked].get(mode="promise_in_bounds")
                else:
                    rows = lax.dynamic_slice_in_dim(columns, start, count)
                    targets = lax.dynamic_slice_in_dim(target, start, count)
                residual = predict(rows, w) + b - targets
                rate = jnp.asarray(steps.learning_rate / count, w.dtype)
                return w - rate * gradient(residual, rows), b - rate * residual.sum()

            def epoch(state: Any, order: Any) -> Any:
                whole = n // size
                state = lax.fori_loop(
                    0, whole, lambda i, state: step(state, order, i * size, size), state
                )
                rest = n - whole * size
                return step(state, order, whole * size, rest) if rest else state, None

            return lax.scan(epoch, state, orders)[0]

        return train
