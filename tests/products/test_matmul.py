"""Every strategy against exact integers and against a float64 reference with a rounding bound."""

import numpy as np
import pytest

import tilewise as tw
from tests.support.matrices import DTYPES, LAYOUTS, assert_rounding_only, exact_product, integers

# Around the edges of the tiles of every instruction set: rows 6 and 8, columns 8, 16, 24 and 48.
ROWS = [0, 1, 2, 5, 6, 7, 8, 9, 13, 17]
COLS = [0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 47, 48, 49, 65, 97]
DEPTHS = [0, 1, 2, 7, 8, 33]


@pytest.mark.parametrize("dtype", DTYPES)
def test_exact_around_every_tile_edge(rng, matmul, dtype):
    for m in ROWS:
        for n in COLS:
            for k in DEPTHS:
                a, b = integers(rng, (m, k), dtype), integers(rng, (k, n), dtype)
                c = matmul(a, b)
                assert c.dtype == dtype
                np.testing.assert_array_equal(c, exact_product(a, b), err_msg=f"{m=} {n=} {k=}")


@pytest.mark.parametrize("layout_b", LAYOUTS)
@pytest.mark.parametrize("layout_a", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_exact_for_every_layout(rng, matmul, dtype, layout_a, layout_b):
    for m, n, k in [(1, 1, 1), (9, 50, 17), (1, 65, 40), (40, 1, 65), (65, 3, 2)]:
        a = LAYOUTS[layout_a](integers(rng, (m, k), dtype))
        b = LAYOUTS[layout_b](integers(rng, (k, n), dtype))
        expected = exact_product(a, b)
        np.testing.assert_array_equal(matmul(a, b), expected)
        for layout in LAYOUTS.values():
            out = layout(np.full((m, n), np.nan, dtype))
            assert matmul(a, b, out) is out
            np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape", [(1, 1, 10000), (3, 5, 4099), (97, 101, 1000), (130, 250, 770), (1, 700, 5000)]
)
def test_rounding_stays_in_bound(rng, matmul, dtype, shape):
    m, n, k = shape
    a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    assert_rounding_only(matmul(a, b), a, b)
    positive_a, positive_b = np.abs(a), np.abs(b)  # no cancellation: errors add up
    assert_rounding_only(matmul(positive_a, positive_b), positive_a, positive_b)


@pytest.mark.parametrize("shape", [(5, 5, 300_000), (2, 40, 200_000), (40, 3, 100_000)])
def test_rounding_stays_in_bound_for_long_sums(rng, matmul, shape):
    m, n, k = shape
    a, b = rng.random((m, k), np.float32), rng.random((k, n), np.float32)
    assert_rounding_only(matmul(a, b), a, b)


@pytest.mark.parametrize("dtype", DTYPES)
def test_full_is_exact_across_cache_blocks(rng, dtype):
    for m, n, k in [(700, 130, 1030), (8, 5000, 520), (1500, 50, 300)]:
        a, b = integers(rng, (m, k), dtype), integers(rng, (k, n), dtype)
        np.testing.assert_array_equal(tw.matmul(a, b), exact_product(a, b))


@pytest.mark.parametrize("block_size", [1, 7, 16, 48, 49, 1000, 2**62])
def test_block_size_does_not_change_the_result(rng, block_size):
    a, b = integers(rng, (20, 30), np.float32), integers(rng, (30, 100), np.float32)
    c = tw.matmul(a, b, strategy="block", block_size=block_size)
    np.testing.assert_array_equal(c, exact_product(a, b))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout_b", ["rows", "columns", "every other"])
@pytest.mark.parametrize("layout_a", ["rows", "columns", "every other"])
def test_full_is_exact_around_the_edges_of_its_blocks(rng, dtype, layout_a, layout_b):
    mc, _, kc = tw.explain(3000, 3000, 3000, dtype).blocking
    for m in (65, 72, 73, mc - 1, mc + 1):
        for n in (65, 95, 96, 97, 145):
            for k in (65, kc - 1, kc, kc + 1):
                a = LAYOUTS[layout_a](integers(rng, (m, k), dtype))
                b = LAYOUTS[layout_b](integers(rng, (k, n), dtype))
                np.testing.assert_array_equal(
                    tw.matmul(a, b), exact_product(a, b), err_msg=f"{m=} {n=} {k=}"
                )


def test_nan_and_infinity_appear_where_the_sums_have_them(matmul):
    a, b = np.ones((9, 20), np.float32), np.ones((20, 50), np.float32)
    a[3, 4], a[5, 6], b[7, 8], b[6, 9] = np.nan, np.inf, -np.inf, 0
    expected = np.full((9, 50), 20.0)
    expected[:, 9] = 19
    expected[5] = np.inf
    expected[:, 8] = -np.inf
    expected[3] = np.nan  # nan in its row of A
    expected[5, 8] = expected[5, 9] = np.nan  # inf - inf, inf * 0
    with pytest.warns(RuntimeWarning, match="invalid value"):
        c = matmul(a, b)
    np.testing.assert_array_equal(c, expected)
    with np.errstate(invalid="raise"), pytest.raises(FloatingPointError, match="matmul"):
        matmul(a, b)


@pytest.mark.parametrize("dtype", DTYPES)
def test_infinity_meets_no_zero_of_padding(matmul, dtype):
    """An unused lane must not make 0 * inf, whose warning would be an error here."""
    for n in range(1, 70, 3):
        a, b = np.full((9, 5), np.inf, dtype), np.ones((5, n), dtype)
        assert (matmul(a, b) == np.inf).all()
        assert (matmul(b.T, a.T) == np.inf).all()


def test_out_is_not_read(rng, matmul):
    a, b = integers(rng, (9, 20), np.float64), integers(rng, (20, 33), np.float64)
    out = np.full((9, 33), np.nan)
    np.testing.assert_array_equal(matmul(a, b, out=out), exact_product(a, b))


def test_only_out_is_written(rng, matmul):
    a, b = integers(rng, (9, 20), np.float32), integers(rng, (20, 33), np.float32)
    frame = np.full((13, 60), 7, np.float32)
    matmul(a, b, out=frame[2:11, 5:38])
    frame[2:11, 5:38] = 7
    assert (frame == 7).all()


def test_out_may_overlap_an_input(rng, matmul):
    a, b = integers(rng, (40, 40), np.float64), integers(rng, (40, 40), np.float64)
    expected = exact_product(a, b)
    np.testing.assert_array_equal(matmul(a, b, out=a), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_column_times_a_row(rng, dtype):
    for m, n in [(1, 1), (2, 70), (70, 2), (65, 97), (100, 1000)]:
        column, row = integers(rng, (m, 1), dtype), integers(rng, (1, n), dtype)
        expected = exact_product(column, row)
        np.testing.assert_array_equal(tw.matmul(column, row), expected)
        wide = integers(rng, (m, 5), dtype)[:, 2:3]
        out = np.zeros((n, m), dtype).T
        tw.matmul(wide[::-1], row[:, ::-1], out=out)
        np.testing.assert_array_equal(out, exact_product(wide[::-1], row[:, ::-1]))
    assert tw.explain(2000, 2000, 1).path == "rank_k"


def test_a_long_dot_does_not_depend_on_the_threads(rng):
    for n in (4096 * 100 - 1, 4096 * 100 + 1, 1_000_003):
        x, y = rng.normal(size=(2, n)).astype(np.float32)
        results = set()
        for threads in (1, 2, 5, 16):
            with tw.threads(threads):
                results.add(float(tw.matmul(x, y)))
        assert len(results) == 1
        assert abs(results.pop() - x.astype(float) @ y) < 1e-3 * np.sqrt(n)


def test_matrix_times_vector_at_every_width(rng):
    # Four rows at once, whole vectors at once, and the rests of both; also where A is large enough
    # to be prefetched from memory.
    for dtype in (np.float32, np.float64):
        for rows, cols in [(1, 300), (3, 129), (16, 128), (17, 131), (35, 160), (66, 257)]:
            a, x = integers(rng, (rows, cols), dtype), integers(rng, (cols,), dtype)
            np.testing.assert_array_equal(tw.matmul(a, x), exact_product(a, x[:, None])[:, 0])
            y = integers(rng, (rows,), dtype)
            np.testing.assert_array_equal(tw.matmul(y, a), exact_product(y[None], a)[0])
    large = integers(rng, (3, 20_000_001), np.float32)
    ones = np.ones(large.shape[1], np.float32)
    np.testing.assert_array_equal(tw.matmul(large, ones), large.sum(axis=1, dtype=np.int64))
    tall = np.ascontiguousarray(large.T)
    weights = np.float32([1, 2, 3])
    np.testing.assert_array_equal(tw.matmul(tall, weights), weights @ large)


@pytest.mark.parametrize("dtype", DTYPES)
def test_outer_products_too_large_for_the_caches(rng, dtype):
    rows = 1 + min(tw._core.caches()["l3"], 2**27) // 3000 // np.dtype(dtype).itemsize
    a, b = integers(rng, (rows, 1), dtype), integers(rng, (1, 3001), dtype)
    out = np.full((rows, 3010), np.nan, dtype)
    for offset in (0, 1, 7):  # whole vectors go past the caches, and have to be aligned
        c = out[:, offset : offset + 3001]
        np.testing.assert_array_equal(tw.matmul(a, b, c), a * b)
        assert np.isnan(out[:, offset + 3001]).all()
