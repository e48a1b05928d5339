"""The trainer as a scikit-learn estimator."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tilewise._checks import INT64_MAX, Array, check_finite, check_int, check_unmasked
from tilewise.data.dataset import Dataset
from tilewise.data.training_set import is_plain
from tilewise.trainer import Trainer
from tilewise.training.optimizers import Optimizer
from tilewise.training.settings import FitOptions, Rate, Settings, passed, settings_of_data

try:
    from sklearn.base import BaseEstimator, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError:
    # The class can still be looked at. It is __new__ that raises: unpickling calls no __init__.
    class _WithoutScikitLearn:
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            raise ImportError(
                'tilewise.SGDRegressor needs scikit-learn; pip install "tilewise[sklearn]"'
            )

    RegressorMixin, BaseEstimator = _WithoutScikitLearn, object

_SEED_MAX = 2**32 - 1  # of scikit-learn


class SGDRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Linear regression by minibatch SGD: `tilewise.Trainer` as a scikit-learn estimator.

    Features of different scales train slowly; put a ``StandardScaler`` before it. X is used as it
    lies, without a copy, if it is float32 or float64 with contiguous rows. All is computed in its
    dtype; other numbers are converted to float64.

    Parameters
    ----------
    batch_size, optimizer, sampling, weight_decay, clip_norm, average
        Of `tilewise.Trainer`.
    learning_rate : default 'auto'
        Of `tilewise.Trainer` too. 'auto' is stable for features of any scale. The optimizers that
        scale the gradient (adagrad, rmsprop, adadelta, adam) need a number.
    epochs : int, default 100
        Passes of `fit` over the rows: what ``max_iter`` is in scikit-learn, under the name that it
        has everywhere in tilewise.
    validation_fraction, patience, tolerance, verbose
        Of `tilewise.Trainer.fit`: by default no early stopping.
    random_state : int, RandomState instance or None, default None
        Fixes the initial weights and the order of the rows. An int is the trainer's seed.

    Attributes
    ----------
    coef_ : ndarray, shape (n_features,), or (n_targets, n_features) for y of two dimensions
    intercept_ : float, or ndarray of shape (n_targets,)
    n_iter_ : int
        Epochs of `fit` and of the calls of `partial_fit` since, without what Ctrl-C cut short.
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (n_features_in_,)
        Only if all columns of X had names.

    Raises
    ------
    ImportError
        scikit-learn is not installed.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y, _, _ = tw.data.synthetic(1000, 3, noise=0.0, seed=0)
    >>> model = tw.SGDRegressor(batch_size=10, epochs=20, random_state=0).fit(X, y)
    >>> bool(model.score(X, y) > 0.999)
    True
    """

    def __init__(
        self,
        *,
        batch_size: int = 32,
        learning_rate: Rate = "auto",
        optimizer: str | Optimizer = "sgd",
        sampling: str = "permutation",
        epochs: int = 100,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        average: bool = False,
        validation_fraction: float | None = None,
        patience: int | None = None,
        tolerance: float = 0.0,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.optimizer = optimizer
        self.sampling = sampling
        self.epochs = epochs
        self.weight_decay = weight_decay
        self.clip_norm = clip_norm
        self.average = average
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.tolerance = tolerance
        self.random_state = random_state
        self.verbose = verbose

    @property
    def coef_(self) -> Array:
        """A copy of the weights, a row for each target."""
        return self._trainer.weights.T

    @property
    def intercept_(self) -> Any:
        """The bias."""
        return self._trainer.bias

    @property
    def n_iter_(self) -> int:
        """Epochs finished."""
        return self._trainer.epochs

    def fit(
        self,
        X: ArrayLike | Dataset,
        y: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> "SGDRegressor":
        """Train from new weights.

        Parameters
        ----------
        X : array_like, shape (n, n_features)
            Dense; a data frame's column names are kept. Or rows of `tilewise.open_rows`, alone.
        y : array_like, shape (n,) or (n, n_targets)
        sample_weight : array_like, shape (n,), optional
            Weights of the rows in the loss, 0 or more.

        Returns
        -------
        SGDRegressor
            Itself.

        Raises
        ------
        TypeError, ValueError
            A parameter or an argument does not fit, or X or y has NaN or infinity. The estimator
            is what it was before.
        DivergenceError
            The learning rate is too large; likewise.
        KeyboardInterrupt
            After Ctrl-C; the estimator has the weights so far.
        """
        with self._unchanged_after_error():
            options = self._given(FitOptions)
            if isinstance(X, Dataset):
                self.n_features_in_ = X.n_features
                self.__dict__.pop("feature_names_in_", None)
            else:
                X, y = self._checked(X, y, reset=True)
                options["record_every"] = INT64_MAX  # only the end
            self._start(X, y)
            self._trainer.fit(X, y, sample_weight=sample_weight, **options)
        return self

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> "SGDRegressor":
        """Train for one epoch over these rows, from where the last call ended.

        The optimizer's state, the step that a schedule is at and the random numbers go on; the
        estimator's parameters are those of the first call. Arguments and errors are those of
        `fit`; after an error the estimator is what it was before, but after a divergence of a later
        call it has the last good weights.

        Examples
        --------
        >>> import tilewise as tw
        >>> X, y, _, _ = tw.data.synthetic(1000, 3, seed=0)
        >>> model = SGDRegressor()
        >>> for first in range(0, 1000, 100):
        ...     _ = model.partial_fit(X[first : first + 100], y[first : first + 100])
        >>> model.n_iter_
        10
        """
        with self._unchanged_after_error():
            FitOptions(**self._given(FitOptions))  # checked, though it uses none
            first = not self.__sklearn_is_fitted__()
            if first or y is None or not self._takes(X, y):
                X, y = self._checked(X, y, reset=first)
            if first:
                self._start(X, y)
            self._trainer.run_epoch(X, y, sample_weight)
        return self

    def predict(self, X: ArrayLike) -> Array:
        """Return ``X @ coef_.T + intercept_``, shape (n,) or (n, n_targets), in the dtype of `fit`.

        Parameters
        ----------
        X : array_like, shape (n, n_features)
        """
        rows: Any = X
        if not self.__sklearn_is_fitted__() or not self._takes(X):
            check_is_fitted(self)
            check_unmasked("X", X)
            dtype = self._trainer.settings.dtype
            rows = validate_data(self, X, dtype=dtype, ensure_all_finite=False, reset=False)
        return self._trainer.predict(check_finite("X", rows))

    def _takes(self, X: Any, y: Any = None) -> bool:
        """Return whether scikit-learn's checks would let X, and y, pass as they are.

        They take much longer than a few rows do. Where columns had names they warn of an array.
        """
        dtype = self._trainer.settings.dtype
        if not is_plain(X, dtype) or hasattr(self, "feature_names_in_"):
            return False
        if y is not None:
            fits = is_plain(y, dtype) and y.ndim < 3 and y.shape[:1] == X.shape[:1]
            if not fits:
                return False
        return X.ndim == 2 and X.shape[0] > 0 and X.shape[1] == self.n_features_in_

    def _checked(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array]:
        """Return dense numbers. NaN and infinity are left for the trainer to find."""
        check_unmasked("X", X)
        check_unmasked("y", y)
        of_X = {"dtype": "numeric", "ensure_all_finite": False}
        of_y = {"ensure_2d": False, "ensure_all_finite": False}
        X, y = validate_data(self, X, y, reset=reset, validate_separately=(of_X, of_y))
        X = _floats("X", X)
        return X if reset else X.astype(self._trainer.settings.dtype, copy=False), _floats("y", y)

    def _given(self, settings: type) -> dict[str, Any]:
        """Return the parameters of this class, whatever a subclass adds, that are in a list."""
        return passed(settings, {name: getattr(self, name) for name in _parameters()})

    def _start(self, X: ArrayLike | Dataset, y: ArrayLike | None) -> None:
        settings = {**settings_of_data(X, y), **self._given(Settings)}
        self._trainer = Trainer(seed=_seed(self.random_state), **settings)

    @contextmanager
    def _unchanged_after_error(self) -> Iterator[None]:
        """Take back what an error leaves half done, but not what Ctrl-C cuts short."""
        before = vars(self).copy()
        try:
            yield
        except Exception:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def __sklearn_is_fitted__(self) -> bool:
        """Tell whether there is a model."""
        return hasattr(self, "_trainer")

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn what the estimator can do: several targets, dense X."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


@cache
def _parameters() -> list[str]:
    return list(SGDRegressor._get_param_names())


def _floats(name: str, array: Array) -> Array:
    """Return float32 as it is and other numbers as float64; a copy only if needed."""
    if array.dtype.kind not in "biufO":
        raise ValueError(f"{name} has dtype {array.dtype}; give real numbers")
    dtype = np.float32 if array.dtype.type is np.float32 else np.float64
    return array.astype(dtype, copy=False)


def _seed(random_state: Any) -> int:
    """Return an int as it is, so that the trainer of that seed is the same."""
    if random_state is None or isinstance(random_state, np.random.RandomState):
        return int(check_random_state(random_state).randint(_SEED_MAX, dtype=np.uint32))
    return check_int("random_state", random_state, minimum=0, maximum=_SEED_MAX)
