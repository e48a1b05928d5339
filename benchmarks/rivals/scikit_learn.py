"""scikit-learn's SGDRegressor."""

from functools import partial
from importlib import import_module

from benchmarks.rivals.rival import Array, Call, Rival, UnsupportedError
from benchmarks.steps import Steps


class ScikitLearn(Rival):
    """Compiled, one row a step."""

    name = "scikit-learn"
    package = "scikit-learn"
    settings = (
        "SGDRegressor.fit with penalty=None, learning_rate='constant', tol=None: compiled, and "
        "with the loss in each step; its checks of values and parameters are off; it has batch "
        "size 1 and one thread"
    )
    has_threads = False
    averages = True

    def __init__(self) -> None:
        self.make = import_module("sklearn.linear_model").SGDRegressor
        self.config = import_module("sklearn").config_context

    def epochs(self, X: Array, y: Array, steps: Steps) -> Call:
        if steps.batch_size != 1:
            raise UnsupportedError("SGDRegressor has no minibatches")
        model = self.make(
            penalty="l2" if steps.weight_decay else None,
            alpha=steps.weight_decay or 1e-4,  # not used without a penalty
            average=steps.average,
            learning_rate="constant",
            eta0=steps.learning_rate,
            shuffle=steps.sampling == "permutation",
            max_iter=steps.epochs,
            tol=None,
            random_state=0,
        )

        def call() -> tuple[Array, float]:
            with self.config(assume_finite=True, skip_parameter_validation=True):
                model.fit(X, y)
            return model.coef_, float(model.intercept_[0])

        return call

    def use(self, method: str, X: Array, y: Array) -> Call:
        if method == "step":
            raise UnsupportedError("SGDRegressor has no minibatches")
        if method.startswith("fit"):
            one = {"max_iter": 1, "tol": None} if method == "fit one epoch" else {}
            return partial(self.make(**one).fit, X, y)
        data = (X,) if method == "predict" else (X, y)
        return partial(getattr(self.make().fit(X, y), method), *data)
