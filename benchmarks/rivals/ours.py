"""The library of this repository."""

from functools import partial

import numpy as np

from benchmarks.epochs import Epochs
from benchmarks.rival import ALL_DTYPES, OURS, Array, Call, Rival

_NEVER = 10**15  # rows between two looks at the loss


class Tilewise(Rival):
    """`tilewise.matmul`, `Trainer.fit` and `Trainer.run_epoch`."""

    name = OURS
    package = "tilewise"
    settings = "as installed; each call makes its trainer, in the clock"
    dtypes = ALL_DTYPES

    def kernels(self) -> str:
        """Return the instruction set in use."""
        return str(self.library.isa())

    def set_threads(self, n: int) -> None:
        """Use at most `n` threads."""
        self.library.set_num_threads(n)

    def product(self, a: Array, b: Array, out: Array | None) -> Call:
        """Return the product."""
        return partial(self.library.matmul, a, b, out)

    def strategy(self, name: str, a: Array, b: Array, out: Array) -> Call:
        """Return the product, computed in the way of that name."""
        return partial(self.library.matmul, a, b, out, strategy=name)

    def epochs(self, X: Array, y: Array, task: Epochs) -> Call:
        """Return a call that makes a trainer and trains; for `fit` it computes the loss, too."""
        make = partial(
            self.library.Trainer,
            task.features,
            batch_size=task.batch_size,
            learning_rate=task.learning_rate,
            sampling=task.sampling,
            dtype=task.dtype,
            initial_weights=np.zeros(task.features),
            seed=0,
        )

        def call() -> tuple[Array, float]:
            trainer = make()
            if task.epochs > 1:
                trainer.fit(X, y, task.epochs, record_every=_NEVER)
            else:
                trainer.run_epoch(X, y)
            return trainer.weights, trainer.bias

        return call
