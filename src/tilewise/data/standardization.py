"""Columns of mean 0 and deviation 1."""

from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from tilewise._checks import Array, check_finite, check_float_array
from tilewise.data.dataset import Rows
from tilewise.data.standardized import StandardizedRows, standardize_rows

__all__ = ["standardize"]


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
