"""PyTorch on the CPU, with the MKL that is linked into it."""

import os
import re
import subprocess
import sys
from functools import partial
from typing import Any

from benchmarks.epochs import Epochs
from benchmarks.rival import ALL_DTYPES, Array, Call, Rival, UnsupportedError, loops_in_python


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
        log = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"MKL_VERBOSE": "1"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        found = re.search(r"for Intel\(R\) 64 architecture (.+?), Lnx", log)
        return f"MKL for {found.group(1)}" if found else "not told"

    def set_threads(self, n: int) -> None:
        """Use at most `n` threads."""
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

    def epochs(self, X: Array, y: Array, task: Epochs) -> Call:
        """Return the loop; for another order, it copies the rows of each batch together."""
        if task.sampling == "chunked":
            raise UnsupportedError("its loop has no chunks")
        loops_in_python(task)
        torch, size = self.library, task.batch_size
        columns, target = torch.from_numpy(X), torch.from_numpy(y)
        splits = [*zip(columns.split(size), target.split(size), strict=True)]
        buffers = {n: self._buffers(columns, n) for n in {len(rows) for rows, _ in splits}}

        def shuffled() -> object:
            for picked in torch.randperm(len(X)).split(size):
                rows, targets, _ = buffers[len(picked)]
                torch.index_select(columns, 0, picked, out=rows)
                torch.index_select(target, 0, picked, out=targets)
                yield rows, targets

        def epoch(w: object, b: object) -> None:
            for rows, targets in splits if task.sampling == "sequential" else shuffled():
                residual = torch.mv(rows, w, out=buffers[len(rows)][2]).add_(b).sub_(targets)
                rate = task.learning_rate / len(rows)
                w.addmv_(rows.t(), residual, alpha=-rate)
                b.sub_(residual.sum(), alpha=rate)

        @torch.inference_mode()
        def call() -> tuple[Array, float]:
            w = torch.zeros(task.features, dtype=columns.dtype)
            b = torch.zeros((), dtype=columns.dtype)
            for _ in range(task.epochs):
                epoch(w, b)
            return w.numpy(), b.item()

        return call

    def _buffers(self, columns: Any, n: int) -> tuple[Any, Any, Any]:
        """Return what the rows of a batch, their targets and residuals are written to."""
        return columns.new_empty(n, columns.shape[1]), columns.new_empty(n), columns.new_empty(n)


class TorchChapter(Torch):
    """The loop of d2l.ai, section 12.5, as readers run it."""

    name = "torch-chapter"
    settings = "d2l.ai, section 12.5, as printed: a shuffling DataLoader, and autograd; a yardstick"

    def product(self, a: Array, b: Array, out: Array | None) -> Call:
        """Refuse."""
        raise UnsupportedError("its products are those of torch")

    def epochs(self, X: Array, y: Array, task: Epochs) -> Call:
        """Return the loop, which shuffles; on the data of the chapter."""
        if task.sampling != "permutation" or task.group != "sgd-airfoil":
            raise UnsupportedError("the chapter shuffles its 1500 rows")
        torch = self.library
        examples = torch.utils.data.TensorDataset(torch.from_numpy(X), torch.from_numpy(y))
        batches = torch.utils.data.DataLoader(examples, task.batch_size, shuffle=True)

        @torch.enable_grad()
        def call() -> tuple[Array, float]:
            w = torch.zeros(task.features, 1, requires_grad=True)
            b = torch.zeros(1, requires_grad=True)
            for _ in range(task.epochs):
                for rows, targets in batches:
                    loss = (rows @ w + b - targets.reshape(-1, 1)) ** 2 / 2
                    loss.mean().backward()
                    with torch.no_grad():
                        for parameter in (w, b):
                            parameter -= task.learning_rate * parameter.grad
                            parameter.grad.zero_()
            return w.detach().numpy().ravel(), b.item()

        return call
