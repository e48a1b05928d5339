"""Rows of a known linear model."""

import numpy as np
from numpy.typing import DTypeLike

from tilewise._checks import Array, check_float_dtype, check_int, check_positive, check_seed

_NOISE_MAX = 1e30  # leaves room for multiples of it in float32


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
    noise = check_positive("noise", noise, or_zero=True)
    if noise > _NOISE_MAX:
        raise ValueError(f"noise={noise} is above {_NOISE_MAX:g}; give less")
    dtype = check_float_dtype(dtype)
    random = np.random.default_rng(check_seed(seed))
    X = random.standard_normal(shape, dtype.type)
    weights = random.standard_normal(shape[1], dtype.type)
    bias = random.standard_normal(dtype=dtype.type)
    y = X @ weights + bias + dtype.type(noise) * random.standard_normal(shape[0], dtype.type)
    return X, y, weights, float(bias)
