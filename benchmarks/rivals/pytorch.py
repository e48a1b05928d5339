"""PyTorch on the CPU, with the MKL that is linked into it."""

from functools import partial
from typing import Any

from benchmarks.rivals.rival import ALL_DTYPES, Array, ArrayLibrary, Call
from benchmarks.steps import Steps


class Torch(ArrayLibrary):
    """Its products, and its loop with the gradient written out."""

    name = "torch"
    package = "torch"
    settings = (
        "mm, mv, dot, bmm with out=, on tensors made before the clock starts; no gradients; for "
        "SGD a loop with the gradient written out, batches and residuals into what exists, and "
        "addmv_ in place, which is faster than autograd"
    )
    dtypes = ALL_DTYPES

    def __init__(self) -> None:
        super().__init__()
        self.array, self.order = self.library.from_numpy, self.library.randperm

    def kernels(self) -> str:
        return f"MKL and oneDNN for {self.library.backends.cpu.get_cpu_capability()}"

    def set_threads(self, n: int) -> None:
        self.library.set_num_threads(n)

    def product(self, a: Array, b: Array, out: Array) -> Call:
        """Return torch's product of tensors that share the memory of the arrays."""
        if a.ndim == 1 and b.ndim == 2:
            a, b = b.T, a
        routine = {(1, 1): "dot", (2, 1): "mv", (2, 2): "mm", (3, 3): "bmm"}
        product = getattr(self.library, routine[a.ndim, b.ndim])
        return partial(product, *map(self.array, (a, b)), out=self.array(out))

    def epochs(self, X: Array, y: Array, steps: Steps) -> Call:
        """Return the loop without what autograd needs."""
        call: Call = self.library.inference_mode()(super().epochs(X, y, steps))
        return call

    def gather(self, array: Any, picked: Any, out: Any) -> None:
        self.library.index_select(array, 0, picked, out=out)

    def step(self, w: Any, b: Any, rows: Any, targets: Any, residual: Any, rate: float) -> None:
        self.library.mv(rows, w, out=residual).add_(b).sub_(targets)
        w.addmv_(rows.t(), residual, alpha=-rate)
        b.sub_(residual.sum(), alpha=rate)
