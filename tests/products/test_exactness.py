"""Products of integers are exact at every edge; others round as any order of adding may."""

import itertools

import numpy as np
import pytest

import tilewise as tw
from tests.support.matrices import (
    DTYPES,
    LAYOUTS,
    assert_exact,
    assert_rounding_only,
    exact_product,
    integers,
)
from tilewise import _core

ORDERS = "CF"  # contiguous rows, or contiguous columns


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_size_to_two_tiles_and_one(rng, dtype):
    rows, cols = tw.explain(8, 8, 8, dtype).tile
    a, b = (
        integers(rng, (2 * rows + 1, 2 * rows + 1), dtype),
        integers(rng, (2 * rows + 1, 2 * cols + 1), dtype),
    )
    products = np.stack([exact_product(a[:, :k], b[:k]) for k in range(len(b) + 1)])
    a, b = ([x.copy(order) for order in ORDERS] for x in (a, b))
    sizes = itertools.product(*(range(2 * size + 2) for size in (rows, cols, rows)))
    for m, n, k in sizes:
        order = ORDERS[rng.integers(2)]
        for x1, x2 in itertools.product(a, b):
            out = np.full((m, n), np.nan, dtype, order)
            tw.matmul(x1[:m, :k], x2[:k, :n], out=out)
            assert (out == products[k, :m, :n]).all(), (m, n, k, x1.strides, x2.strides, order)


@pytest.mark.parametrize("layouts", itertools.product(LAYOUTS, repeat=2), ids="-".join)
@pytest.mark.parametrize("dtype", DTYPES)
def test_edges_of_tiles_in_every_layout(rng, dtype, layouts):
    rows, cols = tw.explain(8, 8, 8, dtype).tile
    layout_a, layout_b = (LAYOUTS[name] for name in layouts)
    for m in (1, rows - 1, rows, rows + 1, 2 * rows + 1):
        for n in (1, 2, cols - 1, cols, cols + 1, 2 * cols + 1):
            for k in (1, 2, 9, 40):
                a, b = integers(rng, (m, k), dtype), integers(rng, (k, n), dtype)
                assert_exact(layout_a(a), layout_b(b), np.full((m, n), np.nan, dtype))


@pytest.mark.parametrize("which", ["m", "n", "k"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_around_the_edges_of_the_blocks(rng, dtype, which):
    mc, nc, kc = tw.explain(3000, 6000, 3000, dtype).blocking
    edge = {"m": mc, "n": nc, "k": kc}[which]
    for size in (edge - 1, edge, edge + 1, 2 * edge, 2 * edge + 1):
        m, n, k = (size if name == which else 67 for name in "mnk")
        a, b = integers(rng, (m, k), dtype), integers(rng, (k, n), dtype)
        for of_a, of_b in itertools.product(ORDERS, repeat=2):
            assert_exact(a.copy(of_a), b.copy(of_b), np.full((m, n), np.nan, dtype, of_b))


@pytest.mark.parametrize("dtype", DTYPES)
def test_around_the_edges_of_several_blocks_at_once(rng, dtype):
    mc, nc, kc = tw.explain(3000, 6000, 3000, dtype).blocking
    for m, n, k in itertools.product(*((edge - 1, edge, edge + 1) for edge in (mc, nc, kc))):
        of_a, of_b, of_out = (ORDERS[i] for i in rng.integers(2, size=3))
        a, b = integers(rng, (m, k), dtype), integers(rng, (k, n), dtype)
        assert_exact(a.copy(of_a), b.copy(of_b), np.full((m, n), np.nan, dtype, of_out))


@pytest.mark.parametrize("junk", [np.nan, np.inf])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_an_earlier_call_left_in_a_buffer_is_not_used(dtype, junk):
    with np.errstate(all="ignore"):
        tw.matmul(np.ones((9, 8192), dtype), np.full((8192, 2), junk, dtype))
    with np.errstate(all="raise"):
        found = tw.matmul(np.ones((9, 8189), dtype), np.ones((8189, 2), dtype))
    assert (found == 8189).all()


ALL_DTYPES = ["float32", "float64", "int32", "int64"]


@pytest.mark.parametrize("where", ["cache", "memory"])
@pytest.mark.parametrize("dtype", ALL_DTYPES)
def test_few_columns_or_rows_of_any_number(rng, dtype, where):
    k = 2 * 4096 + 5  # two long sums, and a part of a vector
    row_bytes = k * np.dtype(dtype).itemsize
    m = 45 if where == "cache" else min(_core.caches()["l3"], 2**27) // row_bytes + 257
    a = integers(rng, (m, k), dtype)
    for n in range(2, 9):
        b = integers(rng, (k, n), dtype)
        for x1, x2 in ((a, b.copy("F")), (a, b)) if where == "cache" else ((a, b),):
            assert_exact(x1, x2, np.full((m, n), -1, dtype))
            assert_exact(x2.T, x1.T, np.full((n, m), -1, dtype))
    assert tw.explain(300, 4, k).path == "small_n"


@pytest.mark.parametrize("dtype", ALL_DTYPES)
def test_few_columns_at_every_edge_of_dot_tiles(rng, dtype):
    for n, k in itertools.product(range(2, 9), (9, 16, 31, 64, 65)):
        for m in (1, 2, 3, 4, 5, 7, 8, 9, 17, 40, 41, 66, 83):
            a, b = integers(rng, (m, k), dtype), integers(rng, (k, n), dtype)
            for of_b in ORDERS:
                assert_exact(a, b.copy(of_b), np.full((m, n), -1, dtype))
            assert_exact(a, b, np.full((m, 2 * n), -1, dtype)[:, ::2])
            assert_exact(b.T, a.T, np.full((n, m), -1, dtype))
    assert tw.explain(83, 4, 31).path == "small_n"


@pytest.mark.parametrize("layouts", itertools.product(LAYOUTS, repeat=2), ids="-".join)
@pytest.mark.parametrize("dtype", DTYPES)
def test_few_rows_and_columns_with_long_k_at_every_edge(rng, dtype, layouts):
    layout_a, layout_b = (LAYOUTS[name] for name in layouts)
    for m, n in itertools.product((1, 2, 3, 4, 5, 7, 33), range(1, 18)):
        for k in (64, 65, 1023, 1024, 1061, 2048 + 33):
            a, b = integers(rng, (m, k), dtype), integers(rng, (k, n), dtype)
            assert_exact(layout_a(a), layout_b(b), np.full((m, n), np.nan, dtype))
    assert tw.explain(2, 2, 64).path == "tiny"
    assert tw.explain(2, 2, 65).path == "long_k"


@pytest.mark.parametrize("dtype", DTYPES)
def test_few_columns_with_short_k_at_every_edge(rng, dtype):
    rows = integers(rng, (302, 40), dtype)
    for n, k in itertools.product(range(1, 9), range(1, 20)):
        b = integers(rng, (k, n), dtype)
        for m in (32, 33, 34, 35, 67, 131, 300):
            for a in (rows[:m, :k].copy(), rows[1 : m + 1, 1 : k + 1], rows.T.copy().T[:m, :k]):
                out = np.full((m + 2, n), -1, dtype)
                assert_exact(a, b, out[1:-1])
                assert (out[[0, -1]] == -1).all(), "written beside C"
                assert_exact(b.T, a.T, np.full((m, n), -1, dtype).T)
            assert_exact(rows[:m, :k], b[::-1].copy("F"), np.full((m, n + 1), -1, dtype)[:, :n])
    assert tw.explain(100, 2, 3).path == "short_k"


@pytest.mark.parametrize(
    ("m", "n", "k"), [(2, 3, 70), (7, 5, 3001), (70, 8, 2048), (99, 1, 2), (300, 3, 4), (99, 4, 64)]
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_infinities_raise_no_false_exception(rng, dtype, m, n, k):
    a, b = rng.uniform(1, 2, (m, k)).astype(dtype), rng.uniform(1, 2, (k, n)).astype(dtype)
    with np.errstate(all="raise"):
        for i, p in ((0, 0), (m - 1, k - 1), (m // 2, k // 2)):
            x = a.copy()
            x[i, p] = np.inf
            assert (np.isinf(tw.matmul(x, b)).sum(1) == n * (np.arange(m) == i)).all()
        for p, j in ((0, 0), (k - 1, n - 1), (k // 2, n // 2)):
            x = b.copy()
            x[p, j] = np.inf
            assert (np.isinf(tw.matmul(a, x)).sum(0) == m * (np.arange(n) == j)).all()


@pytest.mark.parametrize(
    ("m", "n", "k"),
    [(1, 7, 600000), (3, 4, 300000), (100, 6, 30000), (300000, 2, 3), (50000, 3, 50)],
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_few_columns_have_the_same_bits_for_any_number_of_threads(rng, dtype, m, n, k):
    a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    for x1, x2 in ((a, b), (b.T, a.T)):
        with tw.threads(1):
            expected = tw.matmul(x1, x2)
        for threads in (2, 3, 7):
            with tw.threads(threads):
                assert (tw.matmul(x1, x2) == expected).all()
        assert_rounding_only(expected, x1, x2)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_tall_a_by_columns_and_few_columns_of_b(rng, dtype):
    sides = (9, 15, 16, 17, 31, 33, 48, 49, 64, 65, 128, 200)
    for m, n in itertools.product(sides, (2, 3, 7, 8, 9, 16, 17)):
        for k in (64, 65, 300, 1025):
            a, b = integers(rng, (k, m), dtype).T, integers(rng, (k, n), dtype)
            expected = exact_product(a, b)
            for out in (np.full((m, n), -1, dtype), np.full((m, 2 * n), -1, dtype)[:, ::2]):
                with tw.threads(1 + (m + n) % 3):
                    tw.matmul(a, b, out=out)
                np.testing.assert_array_equal(out, expected)
                with tw.threads(1 + (m + k) % 3):
                    tw.matmul(b.T, a.T, out=out.T)
                np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_tall_a_by_columns_has_the_same_bits_for_every_number_of_threads(rng, dtype):
    for m, k, n in [(64, 20_000, 8), (300, 5000, 7), (17, 30_000, 16), (200, 9000, 2)]:
        a, b = (
            rng.standard_normal((k, m)).astype(dtype).T,
            rng.standard_normal((k, n)).astype(dtype),
        )
        found = set()
        for threads in (1, 2, 3, 7):
            with tw.threads(threads):
                found.add(tw.matmul(a, b).tobytes())
        assert len(found) == 1
        assert_rounding_only(tw.matmul(a, b), a, b)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_few_columns_of_a_at_every_edge(rng, dtype):
    for k in (1, 2, 3, 15, 16, 17):
        for m, n in itertools.product((2, 3, 4, 5, 67), (65, 79, 80, 81, 130, 1025, 1100)):
            a, b = integers(rng, (m, k), dtype), integers(rng, (k, n), dtype)
            for of_a, of_b, of_out in itertools.product(ORDERS, repeat=3):
                assert_exact(a.copy(of_a), b.copy(of_b), np.full((m, n), -1, dtype, of_out))
            assert_exact(a, b[:, ::-1], np.full((m, 2 * n), -1, dtype)[:, ::2])
    assert tw.explain(67, 1100, 16).path == "rank_k"
    assert tw.explain(67, 1100, 17).path == "blocked"


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
@pytest.mark.parametrize("k", [1, 3])
def test_few_columns_of_a_where_c_is_too_large_for_the_caches(rng, dtype, k):
    itemsize = np.dtype(dtype).itemsize
    m = min(_core.caches()["l3"], 2**27) // (1999 * itemsize) + 1
    a, b = integers(rng, (m, k), dtype), integers(rng, (k, 1999), dtype)
    rows = np.full((m + 1, 2003), -1, dtype)  # which begin at every place of a vector
    for out in (rows[1:, 3:2002], rows.reshape(-1)[1 : 1 + m * 1999].reshape(m, 1999)):
        assert_exact(a, b, out)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape",
    [(1, 90, 300), (9, 1, 700), (33, 50, 9), (70, 100, 600), (4, 5, 9000), (70, 2, 5), (70, 3, 90)],
)
def test_badly_scaled_data_round_within_the_bound(rng, matmul, dtype, shape):
    m, n, k = shape
    decades = 15 if dtype == np.float32 else 140  # products neither overflow nor underflow
    powers_a, powers_b = rng.uniform(-decades, decades, (2, k))
    cases = [
        (powers_a, -powers_a),  # terms of one size
        (powers_a, powers_b),  # few terms count
        (np.linspace(-decades, decades, k), 0),  # the largest comes last
    ]
    for power_a, power_b in cases:
        a = rng.standard_normal((m, k)) * 10.0**power_a
        b = rng.standard_normal((k, n)) * np.reshape(10.0**power_b, (-1, 1))
        a, b = a.astype(dtype), b.astype(dtype)
        assert_rounding_only(matmul(a, b), a, b)
        rows = (10.0 ** rng.uniform(-decades, decades, (m, 1))).astype(dtype)
        scaled = (rng.standard_normal((m, k)).astype(dtype)) * rows
        even = rng.standard_normal((k, n)).astype(dtype)
        assert_rounding_only(matmul(scaled, even), scaled, even)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
def test_one_special_value_reaches_its_row_and_column_only(matmul, dtype, special):
    m, n, k = 17, 53, 70
    sums = np.full((m, n), k, dtype)
    for at in range(0, k, 3):
        row, col = at % m, at % n
        a, b = np.ones((m, k), dtype), np.ones((k, n), dtype)
        a[row, at] = special
        expected = sums.copy()
        expected[row] = special
        np.testing.assert_array_equal(matmul(a, b), expected)
        a[row, at], b[at, col] = 1, special
        expected = sums.copy()
        expected[:, col] = special
        np.testing.assert_array_equal(matmul(a, b), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_subnormal_numbers_are_kept(matmul, dtype):
    least = np.finfo(dtype).smallest_subnormal
    for m, n, k in [(1, 1, 9), (9, 1, 70), (1, 50, 70), (17, 53, 9), (100, 100, 100)]:
        a, b = np.full((m, k), least, dtype), np.ones((k, n), dtype)
        with tw.threads(2):
            c = matmul(a, b)
        np.testing.assert_array_equal(c, np.full((m, n), least * dtype(k)))
    assert least / dtype(1) > 0, "the import leaves the process's arithmetic as it was"
    assert np.float32(1e-38) / np.float32(4) > 0
