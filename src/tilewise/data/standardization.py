"""Columns of mean 0 and deviation 1."""

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from operator import add
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from tilewise._checks import Array, check_finite, check_float_array
from tilewise.data.dataset import Dataset
from tilewise.data.moments import NUMBERS, Moments, blocks


@overload
def standardize(X: Dataset) -> Dataset: ...


@overload
def standardize(X: ArrayLike) -> Array: ...


def standardize(X: ArrayLike | Dataset) -> Array | Dataset:
    """Shift and scale each column to mean 0 and population standard deviation 1.

    Each column becomes ``(x - mean(x)) / sqrt(mean((x - mean(x))**2))``, computed in float64; a
    constant column becomes 0.

    Parameters
    ----------
    X : array_like of float32 or float64, shape (n, d) or (n,), or rows of `tilewise.open_rows`
        Without NaN or infinity. Rows are read once, here, and shifted and scaled whenever they
        are read again; their labels stay as they are.

    Returns
    -------
    ndarray or Dataset
        A new array of the shape and dtype of `X`. Of rows, rows to `fit`: their
        ``standardization`` has the ``mean`` and ``scale`` of the columns, and ``apply`` does the
        same to other rows.

    Raises
    ------
    TypeError, ValueError
        `X` has another dtype or shape, no rows, or a value that is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> import tilewise as tw
    >>> tw.data.standardize(np.array([[1.0, 30.0], [3.0, 10.0]]))
    array([[-1.,  1.],
           [ 1., -1.]])
    """
    if isinstance(X, Dataset):
        if X.standardization is not None:  # it is done
            return X
        return replace(X, standardization=moments_of(X).standardization())
    X = check_float_array("X", X)
    if X.ndim not in (1, 2) or X.size == 0:
        raise ValueError(f"X has shape {X.shape}; give (n, d) or (n,) with at least one value")
    standardized = np.array(check_finite("X", X), order="C")
    columns = standardized.reshape(len(X), -1)
    moments_of(columns).standardization().apply_in_place(columns)
    return standardized


def moments_of(data: Array | Dataset, labels: bool = False) -> Moments:
    """Return the moments of the columns of X, from one reading; with `labels` those of y follow."""
    parts = _checked(data, labels) if isinstance(data, Dataset) else blocks(data)
    return reduce(add, map(Moments.of, parts))


def _checked(dataset: Dataset, labels: bool) -> Iterator[Array]:
    """Yield blocks of X, with y as the last column where the labels are wanted."""
    for batch, start, X, y in dataset.blocks(NUMBERS):
        batch.check_finite(start, *((X, y) if labels else (X,)))
        yield np.column_stack([X, y]) if labels else X
