"""Stacks of small products: exact in every shape and layout, with the same bits on any threads."""

import itertools

import numpy as np
import pytest

import tilewise as tw
from tests.support.matrices import DTYPES

ELEMENTS = ["float32", "float64", "int32", "int64"]


def _transposed(x):
    return np.ascontiguousarray(x.transpose(0, 2, 1)).transpose(0, 2, 1)


def _padded(x):
    wide = np.full((x.shape[0], x.shape[1], x.shape[2] + 3), 9, x.dtype)
    wide[:, :, :-3] = x
    return wide[:, :, :-3]


def _spread(x):
    wide = np.full((x.shape[0], 2 * x.shape[1], 3 * x.shape[2]), 9, x.dtype)
    wide[:, ::2, ::3] = x
    return wide[:, ::2, ::3]


def _reversed(x):
    return np.ascontiguousarray(x[::-1, ::-1, ::-1])[::-1, ::-1, ::-1]


LAYOUTS = [np.ascontiguousarray, _transposed, _padded, _spread, _reversed]


def assert_exact(rng, dtype, count, m, n, k, layouts):
    of_a, of_b, of_out = layouts
    a = rng.integers(-4, 5, (count, m, k)).astype(dtype)
    b = rng.integers(-4, 5, (count, k, n)).astype(dtype)
    expected = np.matmul(a.astype(float), b.astype(float))
    out = of_out(np.full((count, m, n), 77, dtype))
    tw.matmul(of_a(a), of_b(b), out=out)
    note = f"{count} x {m}x{k} @ {k}x{n} {[f.__name__ for f in layouts]}"
    np.testing.assert_array_equal(out, expected, err_msg=note)
    if out.base is not None and out.base.shape != out.shape and of_out in (_padded, _spread):
        assert (out.base == 9).sum() >= out.base.size - out.size, note


@pytest.mark.parametrize("dtype", ELEMENTS)
def test_every_small_shape_in_some_layout(rng, dtype):
    every = list(itertools.product(LAYOUTS, repeat=3))
    for m, n, k in itertools.product(
        (*range(1, 10), 16, 17), (*range(1, 10), 16, 17), (1, 2, 3, 4, 5, 9)
    ):
        assert_exact(rng, dtype, 7, m, n, k, every[rng.integers(len(every))])


@pytest.mark.parametrize("layouts", itertools.product(LAYOUTS, repeat=2))
@pytest.mark.parametrize("dtype", ELEMENTS)
def test_some_shapes_in_every_layout(rng, dtype, layouts):
    shapes = [(3, 3, 3), (1, 8, 64), (1, 129, 64), (64, 1, 64), (1, 1, 70), (5, 1, 5), (2, 33, 64)]
    for (m, n, k), of_out in itertools.product(shapes, LAYOUTS):
        assert_exact(rng, dtype, 3, m, n, k, (*layouts, of_out))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_bits_do_not_depend_on_threads_or_neighbours(rng, dtype):
    for m, n, k in [(1, 1, 3), (3, 3, 3), (4, 1, 4), (1, 8, 64), (64, 1, 64), (6, 7, 5)]:
        a = rng.standard_normal((20_001, m, k)).astype(dtype)
        b = rng.standard_normal((20_001, k, n)).astype(dtype)
        for x, y in ((a, b), (_transposed(a), b), (a, _transposed(b))):
            found = []
            for threads in (1, 2, 3, 7):
                with tw.threads(threads):
                    found.append(tw.matmul(x, y))
            assert len({c.tobytes() for c in found}) == 1, (m, n, k)
            np.testing.assert_array_equal(found[0][5:7], tw.matmul(x[5:7], y[5:7]))


@pytest.mark.parametrize("dtype", DTYPES)
def test_operands_that_repeat(rng, dtype):
    a, b = rng.integers(-4, 5, (2, 50, 3, 3)).astype(dtype)
    for x, y in ((a[:1], b), (a, b[:1]), (_transposed(a[:1]), b), (a, _transposed(b[:1]))):
        expected = np.matmul(x.astype(float), y.astype(float))
        np.testing.assert_array_equal(tw.matmul(x, y), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values_stay_in_their_product_and_raise_nothing(dtype):
    for m, n, k in [(3, 3, 3), (1, 5, 9), (4, 1, 4), (20, 1, 20)]:
        a, b = np.ones((9, m, k), dtype), np.ones((9, k, n), dtype)
        a[4, 0, 0] = np.inf
        with np.errstate(all="raise"):
            found = tw.matmul(a, b)
        expected = np.full((9, m, n), k, dtype)
        expected[4, 0] = np.inf
        np.testing.assert_array_equal(found, expected)
