"""JAX on the CPU, which compiles with XLA."""

import re
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from benchmarks.epochs import Epochs
from benchmarks.rival import ALL_DTYPES, Array, Call, Rival, UnsupportedError, by_rows
from benchmarks.rivals.forms import Forms, has_few_terms, multiply_and_sum, of_steps, orders

FORMS = ("matmul", "einsum", "swapped", "multiply and sum")
AXES = {
    (1, 1): ("k", "k", ""),
    (2, 1): ("ik", "k", "i"),
    (1, 2): ("k", "kj", "j"),
    (2, 2): ("ik", "kj", "ij"),
    (3, 3): ("bik", "bkj", "bij"),
}
"""Of the operands and the result, by the numbers of their axes."""


class JAX(Rival):
    """`jax.numpy.matmul` and a `lax.scan` over the batches, compiled."""

    name = "jax"
    package = "jax"
    settings = (
        "compiled for the shapes before the clock starts, on its own arrays; block_until_ready, "
        "without asynchronous dispatch; it makes a new result in each call, in the clock; for SGD "
        "a lax.scan over the batches of all epochs, in an order that NumPy draws, in the clock; "
        "the fastest form of each case, tried before the clock starts: jax.numpy.matmul, einsum "
        "with the operands either way round, or multiply and sum; threads by PJRT_NPROC"
    )
    dtypes = ALL_DTYPES

    def __init__(self) -> None:
        super().__init__()
        self.library.config.update("jax_enable_x64", True)
        self.library.config.update("jax_cpu_enable_async_dispatch", False)
        self.forms = Forms()
        self.compiled = {
            key: self._compiled(*key) for key in product(FORMS, (False, True), (False, True))
        }

    @classmethod
    def environment(cls, threads: int) -> dict[str, str]:
        """Return the variable that its thread pool reads, and no search for accelerators."""
        return {"PJRT_NPROC": str(threads), "JAX_PLATFORMS": "cpu"}

    def form(self) -> str | None:
        """Return the fastest form."""
        return self.forms.last

    def set_threads(self, n: int) -> None:
        """Do nothing: its process was started with so many."""

    def kernels(self) -> str:
        """Return what its compiler made of a product."""
        x = self.library.numpy.ones((64, 64))
        text = self.compiled["matmul", False, False].lower(x, x).compile().as_text()
        return "XLA " + ", ".join(sorted(set(re.findall(r'"__(\w+)"', text))) or ["dot"])

    def product(self, a: Array, b: Array, out: Array | None) -> Call:
        """Return the fastest compiled product of copies."""
        (rows_a, trans_a), (rows_b, trans_b) = by_rows(a), by_rows(b)
        left, right = self.library.numpy.array(rows_a), self.library.numpy.array(rows_b)
        names = FORMS if has_few_terms(a, b) else FORMS[:-1]
        case = a.shape, b.shape, a.dtype, trans_a, trans_b
        forms = {
            name: self._run(self.compiled[name, trans_a, trans_b], left, right) for name in names
        }
        return self.forms.fastest(case, forms)

    def _run(self, compiled: Any, left: Any, right: Any) -> Call:
        return lambda: compiled(left, right).block_until_ready()

    def _multiply_and_sum(self, a: Any, b: Any) -> Any:
        return multiply_and_sum(a, b, partial(self.library.numpy.sum, dtype=a.dtype))

    def result(self, returned: Any, out: Array | None) -> Array:
        """Return the new array."""
        return np.asarray(returned)

    def _compiled(self, form: str, trans_a: bool, trans_b: bool) -> Any:
        """Return a product of what lies by rows, either of which may be a transpose."""
        jnp = self.library.numpy

        def as_asked(left: Any, right: Any) -> tuple[Any, Any]:
            return left.T if trans_a else left, right.T if trans_b else right

        def einsum(left: Any, right: Any) -> Any:
            a, b, c = AXES[left.ndim, right.ndim]
            a, b = a[::-1] if trans_a else a, b[::-1] if trans_b else b
            if form == "swapped":
                return jnp.einsum(f"{b},{a}->{c}", right, left)
            return jnp.einsum(f"{a},{b}->{c}", left, right)

        if form == "matmul":
            return self.library.jit(lambda *stored: jnp.matmul(*as_asked(*stored)))
        if form == "multiply and sum":
            return self.library.jit(lambda *stored: self._multiply_and_sum(*as_asked(*stored)))
        return self.library.jit(einsum)

    def epochs(self, X: Array, y: Array, task: Epochs) -> Call:
        """Return all epochs, compiled as one; a shuffled one gathers its rows, batch by batch."""
        if task.sampling == "chunked":
            raise UnsupportedError("its loop has no chunks")
        jnp, rng = self.library.numpy, np.random.default_rng(0)
        columns, target, zeros = jnp.array(X), jnp.array(y), jnp.zeros(task.features + 1, X.dtype)

        def form(multiply: tuple[bool, bool]) -> Call:
            train = self.library.jit(self._training(task, multiply))

            def call() -> tuple[Array, float]:
                w, b = train((zeros[:-1], zeros[-1]), columns, target, orders(task, rng))
                return np.asarray(w), float(b)

            return call

        forms = {name: form(multiply) for multiply, name in of_steps().items()}
        return self.forms.fastest(task, forms)

    def _training(self, task: Epochs, multiply: tuple[bool, bool]) -> Any:
        """Return all epochs as a scan of scans; a batch that is left over is a step of its own.

        Predictions and gradients are each products, or multiply and sum.
        """
        jax, jnp, size = self.library, self.library.numpy, task.batch_size
        whole = task.rows // size * size
        predict, gradient = (self._multiply_and_sum if other else jnp.matmul for other in multiply)

        def step(state: Any, batch: Any) -> Any:
            (w, b), (rows, targets) = state, batch
            residual = predict(rows, w) + b - targets
            rate = jnp.asarray(task.learning_rate / len(targets), w.dtype)
            return (w - rate * gradient(residual, rows), b - rate * residual.sum()), None

        def train(state: Any, columns: Any, target: Any, orders: Any) -> Any:
            def shuffled(state: Any, order: Any) -> Any:
                def gather(state: Any, picked: Any) -> Any:
                    rows, targets = (
                        array.at[picked].get(mode="promise_in_bounds")
                        for array in (columns, target)
                    )
                    return step(state, (rows, targets))

                state, _ = jax.lax.scan(gather, state, order[:whole].reshape(-1, size))
                return gather(state, order[whole:]) if whole < task.rows else (state, None)

            def in_order(state: Any, _: Any) -> Any:
                batches = columns[:whole].reshape(-1, size, task.features)
                targets = target[:whole].reshape(-1, size)
                state, _ = jax.lax.scan(step, state, (batches, targets))
                rest = columns[whole:], target[whole:]
                return step(state, rest) if whole < task.rows else (state, None)

            epoch = shuffled if task.sampling == "permutation" else in_order
            return jax.lax.scan(epoch, state, orders)[0]

        return train
