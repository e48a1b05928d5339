"""JAX on the CPU, which compiles with XLA."""

from collections.abc import Callable
from typing import Any

from benchmarks.rivals.compiled import CompiledLibrary, fastest, has_few_terms
from benchmarks.rivals.rival import ALL_DTYPES, Array, Call, by_rows
from benchmarks.steps import Steps


class JAX(CompiledLibrary):
    """`jax.numpy.matmul` and a loop over the batches."""

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
        self.multiply = self.library.numpy.matmul

    @classmethod
    def environment(cls, threads: int) -> dict[str, str]:
        """Return the variable that its thread pool reads, and no search for accelerators."""
        return {"PJRT_NPROC": str(threads), "JAX_PLATFORMS": "cpu"}

    def add(self, terms: Any, axis: int) -> Any:
        return self.library.numpy.sum(terms, axis, dtype=terms.dtype)

    def product(self, a: Array, b: Array, out: Array) -> Call:
        """Return the fastest compiled product of copies, which lie as the operands do."""
        (rows_a, turned_a), (rows_b, turned_b) = by_rows(a), by_rows(b)
        left, right = map(self.library.numpy.array, (rows_a, rows_b))
        forms = [self.multiply]
        if a.ndim == b.ndim == 2:
            forms.append(lambda a, b: self.multiply(b.T, a.T).T)
        if has_few_terms(a, b):
            forms.append(self.multiply_and_sum)

        def compiled(form: Any) -> Call:
            run = self.library.jit(
                lambda a, b: form(a.T if turned_a else a, b.T if turned_b else b)
            )
            return lambda: run(left, right).block_until_ready()

        return fastest([compiled(form) for form in forms])

    def training(self, X: Array, y: Array, steps: Steps, step: Any) -> Callable[[Array], Any]:
        lax, jnp, size = self.library.lax, self.library.numpy, steps.batch_size
        table, labels, zeros = jnp.array(X), jnp.array(y), jnp.zeros(X.shape[1] + 1, X.dtype)
        rest = len(X) % size

        def train(state: Any, columns: Any, target: Any, orders: Any) -> Any:
            def batch(state: Any, order: Any, start: Any, count: int) -> Any:
                if steps.sampling == "permutation":
                    picked = lax.dynamic_slice_in_dim(order, start, count)
                    rows = columns.at[picked].get(mode="promise_in_bounds")
                    targets = target.at[picked].get(mode="promise_in_bounds")
                else:
                    rows = lax.dynamic_slice_in_dim(columns, start, count)
                    targets = lax.dynamic_slice_in_dim(target, start, count)
                return step(*state, rows, targets, count)

            def epoch(state: Any, order: Any) -> Any:
                state = lax.fori_loop(
                    0, len(X) // size, lambda i, state: batch(state, order, i * size, size), state
                )
                return batch(state, order, len(X) - rest, rest) if rest else state, None

            return lax.scan(epoch, state, orders)[0]

        run = self.library.jit(train)
        return lambda orders: run((zeros[:-1], zeros[-1]), table, labels, orders)
