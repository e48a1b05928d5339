"""scikit-learn's SGDRegressor."""

from importlib import import_module

from benchmarks.epochs import Epochs
from benchmarks.rival import Array, Call, Rival, UnsupportedError


class ScikitLearn(Rival):
    """Compiled, one row a step."""

    name = "scikit-learn"
    package = "scikit-learn"
    settings = (
        "SGDRegressor.fit with penalty=None, learning_rate='constant', tol=None: compiled, and "
        "with the loss in each step; its checks of values and parameters are off; it has batch "
        "size 1 and one thread"
    )

    def __init__(self) -> None:
        self.library = import_module("sklearn.linear_model")
        self.config = import_module("sklearn").config_context

    def kernels(self) -> str:
        """Return how its loop was made."""
        return "Cython"

    def epochs(self, X: Array, y: Array, task: Epochs) -> Call:
        """Return its fit, in order or shuffled."""
        if task.batch_size != 1:
            raise UnsupportedError("SGDRegressor has no minibatches")
        if task.sampling == "chunked" or task.threads > 1:
            raise UnsupportedError("SGDRegressor has neither chunks nor threads")
        model = self.library.SGDRegressor(
            penalty=None,
            learning_rate="constant",
            eta0=task.learning_rate,
            shuffle=task.sampling == "permutation",
            max_iter=task.epochs,
            tol=None,
            random_state=0,
        )

        def call() -> tuple[Array, float]:
            with self.config(assume_finite=True, skip_parameter_validation=True):
                model.fit(X, y)
            return model.coef_, float(model.intercept_[0])

        return call
