"""A matrix times its own transpose: half of the work, and bit for bit the product of a copy."""

import itertools

import numpy as np
import pytest

import tilewise as tw
from tests.support.matrices import DTYPES, LAYOUTS, assert_exact, integers

# Around tiles of 8 or 6 rows, vectors of 2 to 16 elements, panels of three vectors and of two.
SIDES = (2, 3, 8, 9, 15, 16, 17, 20, 33, 47, 48, 49, 65, 66, 97, 144, 145, 193)


def same_layout(x):
    """Return a copy whose strides are those of x, so that it is multiplied in the same way."""
    whole = x if x.base is None else x.base
    copy = whole.copy(order="K")
    offset = x.__array_interface__["data"][0] - whole.__array_interface__["data"][0]
    return np.ndarray(x.shape, x.dtype, copy, offset, x.strides)


def assert_half_is_whole(x, out):
    """X^T X of the same memory has the bits of X^T times a copy, and those of its transpose."""
    tw.matmul(x.T, x, out=out)
    whole = tw.matmul(x.T, same_layout(x))
    assert out.tobytes() == whole.tobytes(), (x.shape, x.strides, out.strides)
    assert out.tobytes() == out.T.copy().tobytes(), (x.shape, x.strides)


@pytest.mark.parametrize(
    ("dtype", "layout"),
    [*itertools.product(DTYPES, LAYOUTS), ("int32", "rows"), ("int64", "columns")],
)
def test_integers_are_exact_at_every_edge(rng, dtype, layout):
    for side in SIDES:
        for depth in (1, 3, 17, 65, 66, 300):
            x = LAYOUTS[layout](integers(rng, (depth, side), dtype))
            for order in "CF":
                out = np.full((side, side), -1, dtype, order)
                assert_exact(x.T, x, out)
                assert (out == out.T).all()
            wide = np.full((side, 2 * side), -1, dtype)
            assert_exact(x.T, x, wide[:, ::2])
            assert (wide[:, 1::2] == -1).all()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_bits_are_those_of_the_whole_product(rng, dtype, layout):
    mc, _, kc = tw.explain(3000, 6000, 3000, dtype).blocking
    shapes = [(depth, side) for depth in (70, kc + 1, 2 * kc + 1) for side in (20, 65, 66, 200)]
    for depth, side in [*shapes, (20, mc + 1), (70, 2 * mc + 1)]:
        x = LAYOUTS[layout](rng.standard_normal((depth, side)).astype(dtype))
        for threads, order in itertools.product((1, 2, 3, 7), "CF"):
            with tw.threads(threads):
                assert_half_is_whole(x, np.full((side, side), np.nan, dtype, order))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_bits_of_large_products_for_every_number_of_threads(rng, dtype):
    nc = tw.explain(3000, 6000, 3000, dtype).blocking[1]
    for depth, side in [(20_000, 33), (5000, 65), (3000, 130), (300, 800), (40, nc + 1)]:
        x = rng.standard_normal((depth, side)).astype(dtype)
        found = []
        for threads in (1, 2, 3, 7):
            with tw.threads(threads):
                found.append(tw.matmul(x.T, x))
        assert {c.tobytes() for c in found} == {tw.matmul(x.T, x.copy()).tobytes()}
        assert (found[0] == found[0].T).all()


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values_come_out_as_of_the_whole_product(rng, dtype, special):
    for depth, side in [(70, 66), (700, 20), (66, 130)]:
        for at in range(side):
            x = rng.standard_normal((depth, side)).astype(dtype)
            x[at % depth, at] = special
            with np.errstate(invalid="ignore"):
                found, whole = tw.matmul(x.T, x), tw.matmul(x.T, x.copy())
            np.testing.assert_array_equal(found, whole)


@pytest.mark.parametrize("dtype", DTYPES)
def test_signs_of_zeros_come_out_as_of_the_whole_product(rng, dtype):
    for depth, side in [(65, 66), (700, 20), (700, 65)]:
        x = rng.choice([0.0, -0.0, 5e-324], (depth, side)).astype(dtype)
        for a, b in ((x.T, x), (x[:side], x[:side].T)):
            found, whole = tw.matmul(a, b), tw.matmul(a, b.copy(order="K"))
            np.testing.assert_array_equal(np.signbit(found), np.signbit(whole))
        assert_half_is_whole(x, np.full((side, side), np.nan, dtype))


def test_only_the_same_memory_is_symmetric(rng):
    x = integers(rng, (80, 70), np.float32)
    out = np.full((70, 70), np.nan, np.float32)
    assert_exact(x[:, ::-1].T, x, out)  # the same memory in another order
    square = integers(rng, (81, 81), np.float32)
    assert_exact(square, square, np.full_like(square, np.nan))
    assert_exact(square[1:, 1:].T, square[:-1, :-1], np.full((80, 80), np.nan, np.float32))


@pytest.mark.parametrize("dtype", DTYPES)
def test_stacks_of_symmetric_products(rng, dtype):
    x = integers(rng, (5, 80, 70), dtype)
    expected = np.stack([y.T.astype(float) @ y.astype(float) for y in x])
    np.testing.assert_array_equal(tw.matmul(x.transpose(0, 2, 1), x), expected)
    one = np.broadcast_to(x[0].T, (5, 70, 80))  # the first product alone is symmetric
    np.testing.assert_array_equal(tw.matmul(one, x), x[0].T.astype(float) @ x.astype(float))
