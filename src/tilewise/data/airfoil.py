"""Data to train on: the airfoil measurements, synthetic rows, and minibatches of either."""

from collections.abc import Iterator
from importlib import resources
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from tilewise._checks import (
    check_bool,
    check_deviation,
    check_examples,
    check_finite,
    check_float_array,
    check_float_dtype,
    check_int,
    check_seed,
)
from tilewise._core import Sampler
from tilewise.data.dataset import Rows
from tilewise.data.standardized import StandardizedRows, standardize_rows

__all__ = [
    "AIRFOIL_COLUMNS",
    "Minibatches",
    "load_airfoil",
    "standardize",
    "synthetic",
]

Array = NDArray[Any]

AIRFOIL_PATH = str(resources.files("tilewise") / "airfoil_self_noise.dat")  # as published
# In the file's order: Hz, degrees, m, m/s, m; the last is the target, in dB.
AIRFOIL_COLUMNS = (
    "frequency",
    "attack_angle",
    "chord_length",
    "free_stream_velocity",
    "displacement_thickness",
    "sound_pressure",
)
_AIRFOIL_ROWS = 1503


def load_airfoil(n: int | None = 1500, dtype: DTypeLike = np.float32) -> tuple[Array, Array]:
    """Load NASA's airfoil self-noise measurements, standardized.

    The file is part of the package; `tilewise.d2l.download` returns its path.

    Parameters
    ----------
    n : int, optional
        Rows to return, from the start of the file; 1500 by default, as in d2l.ai, section 12.5.
        None for all 1503.
    dtype : dtype, default float32
        float32 or float64.

    Returns
    -------
    X : ndarray, shape (n, 5)
        The features, named by the first five of ``AIRFOIL_COLUMNS``.
    y : ndarray, shape (n,)
        The scaled sound pressure level. Like each feature it has mean 0 and standard deviation 1
        over all 1503 rows.

    Raises
    ------
    TypeError, ValueError
        `n` is not an integer from 1 to 1503, or `dtype` is another one.

    References
    ----------
    T. Brooks, D. Pope, M. Marcolini (1989), UCI dataset 291, CC BY 4.0, doi:10.24432/C5VW2C.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y = tw.data.load_airfoil()
    >>> X.shape, y.shape
    ((1500, 5), (1500,))
    """
    n = _AIRFOIL_ROWS if n is None else check_int("n", n, maximum=_AIRFOIL_ROWS)
    dtype = check_float_dtype(dtype)
    table = standardize(np.loadtxt(AIRFOIL_PATH, delimiter="\t"))[:n]
    return table[:, :-1].astype(dtype), table[:, -1].astype(dtype)


@overload
def standardize(X: Rows) -> StandardizedRows: ...
@overload
def standardize(X: ArrayLike) -> Array: ...
def standardize(X: ArrayLike | Rows) -> Array | StandardizedRows:
    """Shift and scale each column to mean 0 and population standard deviation 1.

    Each column becomes ``(x - mean(x)) / sqrt(mean((x - mean(x))**2))``, computed in float64.

    Parameters
    ----------
    X : array_like of float32 or float64, shape (n, d) or (n,), or rows of `tilewise.open_rows`
        Without NaN or infinity. Rows are read once, here, and shifted and scaled whenever they
        are read again; their labels stay as they are.

    Returns
    -------
    ndarray or StandardizedRows
        A new array of the shape and dtype of `X`; of rows, rows to `fit`, with the ``mean`` and
        ``scale`` of their columns.

    Raises
    ------
    TypeError, ValueError
        `X` has another dtype or shape, no rows, a value that is not finite, or a constant column.

    Examples
    --------
    >>> import numpy as np
    >>> import tilewise as tw
    >>> tw.data.standardize(np.array([[1.0, 30.0], [3.0, 10.0]]))
    array([[-1.,  1.],
           [ 1., -1.]])
    """
    if isinstance(X, Rows):
        return standardize_rows(X)
    X = check_float_array("X", X)
    if X.ndim not in (1, 2) or X.size == 0:
        raise ValueError(f"X has shape {X.shape}; give (n, d) or (n,) with at least one value")
    check_finite("X", X)
    lowest, highest = X.min(axis=0), X.max(axis=0)
    constant = np.atleast_1d(lowest == highest)
    if constant.any():
        column = int(np.argmax(constant))
        value = np.atleast_1d(lowest)[column]
        raise ValueError(
            f"column {column} of X is constant ({value:.6g}); remove it: its deviation is 0"
        )
    # Scaling by a power of two is exact, and no sum or square leaves the range of float64.
    exponent = np.frexp(np.maximum(-lowest, highest).astype(np.float64))[1]
    scaled = np.ldexp(X.astype(np.float64), -exponent)
    scaled -= scaled.mean(axis=0)
    scaled -= scaled.mean(axis=0)  # what rounding left of a mean far above the deviation
    scaled /= np.sqrt(np.mean(scaled**2, axis=0))
    standardized: Array = scaled.astype(X.dtype)
    return standardized


def synthetic(
    n: int, d: int, noise: float = 0.1, seed: int | None = None, dtype: DTypeLike = np.float32
) -> tuple[Array, Array, Array, float]:
    """Draw rows of a known linear model: ``y = X @ weights + bias + noise * e``.

    `X`, `weights`, `bias` and ``e`` are independent standard normal.

    Parameters
    ----------
    n, d : int
        Rows and features.
    noise : float, default 0.1
        Standard deviation of what the model does not explain.
    seed : int, optional
        Gives the same data again, with the same version of NumPy. By default a fresh one.
    dtype : dtype, default float32
        float32 or float64.

    Returns
    -------
    X : ndarray, shape (n, d)
    y : ndarray, shape (n,)
    weights : ndarray, shape (d,)
    bias : float

    Raises
    ------
    TypeError, ValueError
        An argument has the wrong type or value.

    Examples
    --------
    >>> import numpy as np
    >>> import tilewise as tw
    >>> X, y, weights, bias = tw.data.synthetic(1000, 3, noise=0.0, seed=0)
    >>> bool(np.allclose(X @ weights + bias, y, atol=1e-5))
    True
    """
    shape = check_int("n", n), check_int("d", d)
    noise = check_deviation("noise", noise)
    dtype = check_float_dtype(dtype)
    random = np.random.default_rng(check_seed(seed))
    X = random.standard_normal(shape, dtype.type)
    weights = random.standard_normal(shape[1], dtype.type)
    bias = random.standard_normal(dtype=dtype.type)
    y = X @ weights + bias + dtype.type(noise) * random.standard_normal(shape[0], dtype.type)
    return X, y, weights, float(bias)


class Minibatches:
    """Minibatches of rows, an epoch each time it is iterated.

    With the same seed these are the minibatches of `tilewise.fit`.

    Parameters
    ----------
    X : array_like of float32 or float64, shape (n, d)
        Without NaN or infinity.
    y : array_like of float32 or float64, shape (n,)
        Converted to the dtype of `X`.
    batch_size : int
        Rows in a minibatch; the last of an epoch may be smaller.
    shuffle : bool, default True
        Visit the rows in a new, exactly uniform permutation each epoch. Otherwise in order, and
        the minibatches are views of `X` and `y`.
    replacement : bool, default False
        Instead draw n rows an epoch, independently: some come twice, some not at all.
    drop_last : bool, default False
        Leave out a last minibatch of fewer rows.
    seed : int, optional
        Gives the same minibatches again. By default a fresh one.

    Attributes
    ----------
    X, y : ndarray
        All the rows.
    seed : int
        The seed in use.

    Raises
    ------
    TypeError, ValueError
        An argument has the wrong type, shape or value, or no minibatch would be left.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y, _, _ = tw.data.synthetic(10, 3, seed=0)
    >>> batches = tw.data.Minibatches(X, y, batch_size=4, seed=0)
    >>> len(batches), [X_b.shape for X_b, y_b in batches]
    (3, [(4, 3), (4, 3), (2, 3)])
    """

    def __init__(
        self,
        X: ArrayLike,
        y: ArrayLike,
        batch_size: int,
        shuffle: bool = True,
        replacement: bool = False,
        drop_last: bool = False,
        seed: int | None = None,
    ) -> None:
        self.X, self.y = check_examples(X, y)
        self._batch_size = check_int("batch_size", batch_size)
        for name, value in (("replacement", replacement), ("drop_last", drop_last)):
            check_bool(name, value)
        if not check_bool("shuffle", shuffle) and replacement:
            raise ValueError("replacement=True draws at random; give shuffle=True with it")
        n = len(self.X)
        if drop_last and batch_size > n:
            raise ValueError(
                f"batch_size={batch_size} is above the {n} rows, and drop_last=True leaves no "
                "minibatch; give a smaller batch_size"
            )
        self.seed = check_seed(seed)
        self._used = n - n % self._batch_size if drop_last else n  # rows of an epoch
        sampling = "replacement" if replacement else "permutation"
        self._sampler = Sampler(n, sampling, self.seed) if shuffle else None

    def __len__(self) -> int:
        """Return the number of minibatches in an epoch."""
        return -(-self._used // self._batch_size)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        """Begin the next epoch; epochs may be iterated side by side."""
        # Drawn here and not in the generator: the order of epochs is that of the iter() calls.
        rows = self._sampler.next_epoch() if self._sampler else None
        return self._batches(rows)

    def _batches(self, rows: NDArray[np.int64] | None) -> Iterator[tuple[Array, Array]]:
        for start in range(0, self._used, self._batch_size):
            batch = slice(start, min(start + self._batch_size, self._used))
            chosen = batch if rows is None else rows[batch]
            yield self.X[chosen], self.y[chosen]
