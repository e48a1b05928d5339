"""The library of this repository."""

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

    def product(self, a: Array, b: Array, out: Array | None) -> Call:
        return partial(self.library.matmul, a, b, out)

    def strategy(self, a: Array, b: Array, out: Array, strategy: str) -> Call:
        return partial(self.library.matmul, a, b, out, strategy=strategy)

    def epochs(self, X: Array, y: Array, steps: Steps) -> Call:
        """Return a call that makes a trainer and trains; for `fit` it computes the loss, too."""
        make = partial(
            self.library.Trainer,
            X.shape[1],
            batch_size=steps.batch_size,
            learning_rate=steps.learning_rate,
            sampling=steps.sampling,
            average=steps.average,
            weight_decay=steps.weight_decay,
            dtype=X.dtype,
            initial_weights=np.zeros(X.shape[1]),
            seed=0,
        )

        def call() -> tuple[Array, float]:
            trainer = make()
            if steps.epochs > 1:
                trainer.fit(X, y, steps.epochs, record_every=_NEVER)
            else:
                trainer.run_epoch(X, y)
            return trainer.weights, trainer.bias

        return call

    def use(self, method: str, X: Array, y: Array) -> Call:
        if method == "step":
            trainer = self.library.Trainer(X.shape[1], dtype=X.dtype)
            return partial(trainer.step, X, y)
        if method.startswith("fit"):
            epochs = {"epochs": 1} if method == "fit one epoch" else {}
            return partial(self.library.fit, X, y, **epochs)
        model = self.library.SGDRegressor(epochs=1).fit(X, y)
        return (
            partial(model.predict, X) if method == "predict" else partial(model.partial_fit, X, y)
        )
