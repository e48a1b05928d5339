"""PyTorch on the CPU, with the MKL that is linked into it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.rivals.rival import ALL_DTYPES, Array, Call, Rival
from benchmarks.steps import Steps


class Torch(Rival):
    """Its products, and its loop with the gradient written out."""

    name = "torch"
    package = "torch"
    settings = (
        "mm, mv, dot, bmm with out=, on tensors made before the clock starts; no gradients; for "
        "SGD a loop with the gradient written out, batches and residuals into what exists, and "
        "addmv_ in place, which is faster than autograd"
    )
    dtypes = ALL_DTYPES
    loops_in_python = True

    def __init__(self) -> None:
        super().__init__()
        self.library.set_grad_enabled(False)

    def version(self) -> str:
        """Return the version and that of the MKL inside."""
        found = re.search(r"Math Kernel Library Version (\S+?)-", self.library.__config__.show())
        return f"{self.library.__version__}, MKL {found.group(1) if found else 'none'}"

    def kernels(self) -> str:
        """Return what its MKL says of the CPU in the first line of its log."""
        code = "import torch; a = torch.ones(64, 64); torch.mm(a, a)"
        variables = os.environ | {"MKL_VERBOSE": "1"}
        log = subprocess.check_output([sys.executable, "-c", code], env=variables, text=True)
        found = re.search(r"for Intel\(R\) 64 architecture (.+?), Lnx", log)
        return f"MKL for {found.group(1)}" if found else "not told"

    def set_threads(self, n: int) -> None:
        self.library.set_num_threads(n)

    def product(self, a: Array, b: Array, out: Array | None) -> Call:
        """Return torch's product of tensors that share the memory of the arrays."""
        if a.ndim == 1 and b.ndim == 2:
            a, b = b.T, a
        routine = {(1, 1): "dot", (2, 1): "mv", (2, 2): "mm", (3, 3): "bmm"}
        product = getattr(self.library, routine[a.ndim, b.ndim])
        left, right = self.library.from_numpy(a), self.library.from_numpy(b)
        if out is None:
            return partial(product, left, right)
        return partial(product, left, right, out=self.library.from_numpy(out))

    def epochs(self, X: Array, y: Array, steps: Steps) -> Call:
        """Return the loop; for another order, it copies the rows of each batch together."""
        torch, size = self.library, steps.batch_size
        columns, target = torch.from_numpy(X), torch.from_numpy(y)
        splits = [*zip(columns.split(size), target.split(size), strict=True)]
        buffers = {
            n: (columns.new_empty(n, X.shape[1]), columns.new_empty(n), columns.new_empty(n))
            for n in {len(rows) for rows, _ in splits}
        }

        def shuffled() -> Iterator[tuple[Any, Any]]:
            for picked in torch.randperm(len(X)).split(size):
                rows, targets, _ = buffers[len(picked)]
                torch.index_select(columns, 0, picked, out=rows)
                torch.index_select(target, 0, picked, out=targets)
                yield rows, targets

        def epoch(w: Any, b: Any) -> None:
            for rows, targets in splits if steps.sampling == "sequential" else shuffled():
                residual = torch.mv(rows, w, out=buffers[len(rows)][2]).add_(b).sub_(targets)
                rate = steps.learning_rate / len(rows)
                w.addmv_(rows.t(), residual, alpha=-rate)
                b.sub_(residual.sum(), alpha=rate)

        @torch.inference_mode()
        def call() -> tuple[Array, float]:
            w, b = columns.new_zeros(X.shape[1]), columns.new_zeros(())
            for _ in range(steps.epochs):
                epoch(w, b)
            return w.numpy(), b.item()

        return call
