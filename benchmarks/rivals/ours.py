"""The library of this repository."""

from dataclasses import asdict
from functools import partial

import numpy as np

from benchmarks.rivals.rival import ALL_DTYPES, OURS, Array, Call, Rival
from benchmarks.steps import Steps

_NEVER = 10**15  # rows between two looks at the loss


class Tilewise(Rival):
    """`tilewise.matmul`, `Trainer.fit` and `Trainer.run_epoch`."""

    name = OURS
    package = "tilewise"
    settings = "as installed; each call makes its trainer, in the clock"
    dtypes = ALL_DTYPES
    samplings = ("sequential", "permutation", "chunked")
    averages = True

    def kernels(self) -> str:
        return str(self.library.isa())

    def set_threads(self, n: int) -> None:
        self.library.set_num_threads(n)

    def product(self, a: Array, b: Array, out: Array) -> Call:
        return partial(self.library.matmul, a, b, out)

    def epochs(self, X: Array, y: Array, steps: Steps) -> Call:
        """Return a call that makes a trainer and trains; for `fit` it computes the loss, too."""
        settings = asdict(steps)
        epochs = settings.pop("epochs")
        make = partial(
            self.library.Trainer,
            X.shape[1],
            **settings,
            dtype=X.dtype,
            initial_weights=np.zeros(X.shape[1]),
            seed=0,
        )

        def call() -> tuple[Array, float]:
            trainer = make()
            if epochs > 1:
                trainer.fit(X, y, epochs, record_every=_NEVER)
            else:
                trainer.run_epoch(X, y)
            return trainer.weights, trainer.bias

        return call

    def use(self, method: str, X: Array, y: Array) -> Call:
        if method == "step":
            return partial(self.library.Trainer(X.shape[1], dtype=X.dtype).step, X, y)
        if method.startswith("fit"):
            one = {"epochs": 1} if method == "fit one epoch" else {}
            return partial(self.library.fit, X, y, **one)
        data = (X,) if method == "predict" else (X, y)
        return partial(getattr(self.library.SGDRegressor(epochs=1).fit(X, y), method), *data)
