"""Matrices for the tests of products, and the references they are held against."""

from functools import partial

import numpy as np

import tilewise as tw

DTYPES = [np.float32, np.float64]
# Ways to multiply. Without a strategy, a product of two plain matrices does not go through NumPy.
CALLS = {"plain": tw.matmul} | {name: partial(tw.matmul, strategy=name) for name in tw.STRATEGIES}


def _nothing(a):
    """What no product may read: not a number, or a large integer."""
    return np.nan if np.issubdtype(a.dtype, np.floating) else np.iinfo(a.dtype).max


def _spread(a):
    big = np.full((2 * a.shape[0], 3 * a.shape[1]), _nothing(a), a.dtype)
    big[::2, ::3] = a
    return big[::2, ::3]


def _padded(a):
    big = np.full((a.shape[0] + 1, a.shape[1] + 5), _nothing(a), a.dtype)
    big[: a.shape[0], 2 : 2 + a.shape[1]] = a
    return big[: a.shape[0], 2 : 2 + a.shape[1]]


def integers(rng, shape, dtype):
    """Small integers, whose products and sums are exact."""
    return rng.integers(-4, 5, shape).astype(dtype)


def exact_product(a, b):
    """Return the product of small integers, which float64 holds exactly in any order of adding."""
    return (a.astype(np.float64) @ b.astype(np.float64)).astype(a.dtype)


def assert_exact(a, b, out):
    """Compare `out`, full of nan before, with the exact product."""
    tw.matmul(a, b, out=out)
    np.testing.assert_array_equal(out, exact_product(a, b), err_msg=f"{a.shape} {b.shape}")


def assert_rounding_only(c, a, b):
    """|C - AB| <= 16 eps |A||B|, element by element."""
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    bound = 16 * np.finfo(c.dtype).eps * (np.abs(wide_a) @ np.abs(wide_b))
    if c.dtype == np.float64:
        wide_a, wide_b = a.astype(np.longdouble), b.astype(np.longdouble)
    error = np.abs(c - wide_a @ wide_b)
    assert (error <= bound).all(), f"error / bound = {np.nanmax(error / bound)}"


LAYOUTS = {
    "rows": lambda a: np.ascontiguousarray(a),
    "columns": lambda a: np.asfortranarray(a),
    "every other": lambda a: _spread(a),
    "reversed": lambda a: np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1],
    "padded": lambda a: _padded(a),
}
