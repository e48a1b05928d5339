"""Dtypes of products: those computed here, those left to NumPy, and the result types."""

import numpy as np
import pytest

import tilewise as tw


@pytest.mark.parametrize(
    "codes", ["ff", "fd", "ef", "if", "hf", "ii", "bB", "FD", "dD", "??", "gg"]
)
def test_result_types_are_numpys(codes):
    a, b = np.ones((3, 4), codes[0]), np.ones((4, 2), codes[1])
    assert tw.matmul(a, b).dtype == np.matmul(a, b).dtype
    np.testing.assert_array_equal(tw.matmul(a, b), np.matmul(a, b))


@pytest.mark.parametrize("code", "bBhHiIlLqQ")
def test_integers_wrap_around_as_numpys_do(rng, code):
    info = np.iinfo(code)
    for strategy in tw.STRATEGIES:
        for m, n, k in [(9, 50, 17), (70, 3, 90), (1, 20, 300)]:
            a = rng.integers(info.min, info.max, (m, k), code, endpoint=True)
            b = rng.integers(info.min, info.max, (k, n), code, endpoint=True)
            np.testing.assert_array_equal(tw.matmul(a, b, strategy=strategy), np.matmul(a, b))
            stack = np.stack([a, a[::-1]])
            np.testing.assert_array_equal(tw.matmul(stack, b), np.matmul(stack, b))


def test_float16_is_computed_in_float32(rng):
    a, b = rng.standard_normal((30, 400), np.float32), rng.standard_normal((400, 50), np.float32)
    a, b = a.astype(np.float16), b.astype(np.float16)
    expected = tw.matmul(a.astype(np.float32), b.astype(np.float32)).astype(np.float16)
    np.testing.assert_array_equal(tw.matmul(a, b), expected)


def test_every_float16_survives_the_conversions():
    every = np.arange(65536, dtype=np.uint16).view(np.float16)
    with np.errstate(invalid="ignore"):
        result = tw.matmul(every[:, None], np.ones((1, 1), np.float16))[:, 0]
    same = result.view(np.uint16) == every.view(np.uint16)
    assert (same | np.isnan(every) | (every == 0)).all()  # 0 + -0 is 0
    assert np.isnan(result[np.isnan(every)]).all()


def test_float16_rounds_like_numpy(rng):
    exact = rng.uniform(-1, 1, 100_000).astype(np.float16)[:, None]
    for scale in (1, 2.0**-14, 2.0**-20, 3.14, 40000):
        factor = np.full((1, 1), scale, np.float16)
        with np.errstate(all="ignore"):
            expected = (exact.astype(np.float32) * factor.astype(np.float32)).astype(np.float16)
            np.testing.assert_array_equal(tw.matmul(exact, factor), expected)
    with pytest.warns(RuntimeWarning, match="overflow"):
        tw.matmul(np.full((1, 1), 300, np.float16), np.full((1, 1), 300, np.float16))


def test_bfloat16_is_computed_in_float32(rng):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    a = rng.standard_normal((30, 40)).astype(ml_dtypes.bfloat16)
    b = rng.standard_normal((40, 50)).astype(ml_dtypes.bfloat16)
    product = tw.matmul(a, b)
    assert product.dtype == np.matmul(a, b).dtype == np.float32
    wide = (a.astype(np.float32), b.astype(np.float32))
    np.testing.assert_array_equal(product, tw.matmul(*wide))
    out = np.zeros((30, 50), ml_dtypes.bfloat16)
    assert tw.matmul(a, b, out=out) is out
    np.testing.assert_array_equal(out, product.astype(ml_dtypes.bfloat16))


@pytest.mark.parametrize("other", "?bhilefdgFD")
def test_bfloat16_with_another_dtype_is_numpys(other):
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    a, b = np.ones((3, 4), bfloat16), np.ones((4, 2), other)
    for x1, x2 in [(a, b), (b.T, a.T)]:
        assert tw.matmul(x1, x2).dtype == np.matmul(x1, x2).dtype
        np.testing.assert_array_equal(tw.matmul(x1, x2), 4)
