"""Every strategy against exact integers and against a float64 reference with a rounding bound."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import tilewise as tw

DTYPES = [np.float32, np.float64]

# Around the edges of the tiles of every instruction set: rows 6 and 8, columns 8, 16, 24 and 48.
ROWS = [0, 1, 2, 5, 6, 7, 8, 9, 13, 17]
COLS = [0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 47, 48, 49, 65, 97]
DEPTHS = [0, 1, 2, 7, 8, 33]

LAYOUTS = {
    "rows": lambda a: np.ascontiguousarray(a),
    "columns": lambda a: np.asfortranarray(a),
    "every other": lambda a: _spread(a),
    "reversed": lambda a: np.ascontiguousarray(a[::-1, ::-1])[::-1, ::-1],
    "padded": lambda a: _padded(a),
}


def _spread(a):
    big = np.full((2 * a.shape[0], 3 * a.shape[1]), np.nan, a.dtype)
    big[::2, ::3] = a
    return big[::2, ::3]


def _padded(a):
    big = np.full((a.shape[0] + 1, a.shape[1] + 5), np.nan, a.dtype)
    big[: a.shape[0], 2 : 2 + a.shape[1]] = a
    return big[: a.shape[0], 2 : 2 + a.shape[1]]


def integers(rng, shape, dtype):
    """Small integers, whose products and sums are exact."""
    return rng.integers(-4, 5, shape).astype(dtype)


def exact_product(a, b):
    return (a.astype(np.int64) @ b.astype(np.int64)).astype(a.dtype)


def assert_rounding_only(c, a, b):
    """|C - AB| <= 16 eps |A||B|, element by element."""
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    bound = 16 * np.finfo(c.dtype).eps * (np.abs(wide_a) @ np.abs(wide_b))
    if c.dtype == np.float64:
        wide_a, wide_b = a.astype(np.longdouble), b.astype(np.longdouble)
    error = np.abs(c - wide_a @ wide_b)
    assert (error <= bound).all(), f"error / bound = {np.nanmax(error / bound)}"


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.mark.parametrize("strategy", tw.STRATEGIES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_exact_around_every_tile_edge(rng, strategy, dtype):
    for m in ROWS:
        for n in COLS:
            for k in DEPTHS:
                a, b = integers(rng, (m, k), dtype), integers(rng, (k, n), dtype)
                c = tw.matmul(a, b, strategy=strategy)
                assert c.dtype == dtype
                np.testing.assert_array_equal(c, exact_product(a, b), err_msg=f"{m=} {n=} {k=}")


@pytest.mark.parametrize("layout_b", LAYOUTS)
@pytest.mark.parametrize("layout_a", LAYOUTS)
@pytest.mark.parametrize("strategy", tw.STRATEGIES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_exact_for_every_layout(rng, strategy, dtype, layout_a, layout_b):
    for m, n, k in [(1, 1, 1), (9, 50, 17), (1, 65, 40), (40, 1, 65), (65, 3, 2)]:
        a = LAYOUTS[layout_a](integers(rng, (m, k), dtype))
        b = LAYOUTS[layout_b](integers(rng, (k, n), dtype))
        expected = exact_product(a, b)
        np.testing.assert_array_equal(tw.matmul(a, b, strategy=strategy), expected)
        for layout in LAYOUTS.values():
            out = layout(np.full((m, n), np.nan, dtype))
            assert tw.matmul(a, b, out, strategy=strategy) is out
            np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("strategy", tw.STRATEGIES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "shape", [(1, 1, 10000), (3, 5, 4099), (97, 101, 1000), (130, 250, 770), (1, 700, 5000)]
)
def test_rounding_stays_in_bound(rng, strategy, dtype, shape):
    m, n, k = shape
    a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    assert_rounding_only(tw.matmul(a, b, strategy=strategy), a, b)
    positive_a, positive_b = np.abs(a), np.abs(b)  # no cancellation: errors add up
    assert_rounding_only(
        tw.matmul(positive_a, positive_b, strategy=strategy), positive_a, positive_b
    )


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


@pytest.mark.parametrize("strategy", tw.STRATEGIES)
def test_nan_and_infinity_appear_where_the_sums_have_them(strategy):
    a, b = np.ones((9, 20), np.float32), np.ones((20, 50), np.float32)
    a[3, 4], a[5, 6], b[7, 8], b[6, 9] = np.nan, np.inf, -np.inf, 0
    expected = np.full((9, 50), 20.0)
    expected[:, 9] = 19
    expected[5] = np.inf
    expected[:, 8] = -np.inf
    expected[3] = np.nan  # nan in its row of A
    expected[5, 8] = expected[5, 9] = np.nan  # inf - inf, inf * 0
    with pytest.warns(RuntimeWarning, match="invalid value"):
        c = tw.matmul(a, b, strategy=strategy)
    np.testing.assert_array_equal(c, expected)
    with np.errstate(invalid="raise"), pytest.raises(FloatingPointError, match="matmul"):
        tw.matmul(a, b, strategy=strategy)


@pytest.mark.parametrize("strategy", tw.STRATEGIES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_infinity_meets_no_zero_of_padding(strategy, dtype):
    """An unused lane must not make 0 * inf, whose warning would be an error here."""
    for n in range(1, 70, 3):
        a, b = np.full((9, 5), np.inf, dtype), np.ones((5, n), dtype)
        assert (tw.matmul(a, b, strategy=strategy) == np.inf).all()
        assert (tw.matmul(b.T, a.T, strategy=strategy) == np.inf).all()


@pytest.mark.parametrize("strategy", tw.STRATEGIES)
def test_out_is_not_read(rng, strategy):
    a, b = integers(rng, (9, 20), np.float64), integers(rng, (20, 33), np.float64)
    out = np.full((9, 33), np.nan)
    np.testing.assert_array_equal(tw.matmul(a, b, out=out, strategy=strategy), exact_product(a, b))


@pytest.mark.parametrize("strategy", tw.STRATEGIES)
def test_only_out_is_written(rng, strategy):
    a, b = integers(rng, (9, 20), np.float32), integers(rng, (20, 33), np.float32)
    frame = np.full((13, 60), 7, np.float32)
    tw.matmul(a, b, out=frame[2:11, 5:38], strategy=strategy)
    frame[2:11, 5:38] = 7
    assert (frame == 7).all()


@pytest.mark.parametrize("strategy", tw.STRATEGIES)
def test_out_may_overlap_an_input(rng, strategy):
    a, b = integers(rng, (40, 40), np.float64), integers(rng, (40, 40), np.float64)
    expected = exact_product(a, b)
    np.testing.assert_array_equal(tw.matmul(a, b, out=a, strategy=strategy), expected)


def test_read_only_and_broadcast_operands(rng):
    a = np.broadcast_to(integers(rng, (1, 20), np.float32), (9, 20))
    b = np.broadcast_to(integers(rng, (20, 1), np.float32), (20, 30))
    for strategy in tw.STRATEGIES:
        np.testing.assert_array_equal(tw.matmul(a, b, strategy=strategy), exact_product(a, b))


def test_vectors_and_stacks_follow_numpy(rng):
    shapes = [((5,), (5,)), ((5,), (5, 3)), ((3, 5), (5,)), ((2, 1, 3, 5), (4, 5, 2))]
    for shape_1, shape_2 in shapes:
        a, b = integers(rng, shape_1, np.float32), integers(rng, shape_2, np.float32)
        for strategy in tw.STRATEGIES:
            c = tw.matmul(a, b, strategy=strategy)
            expected = np.matmul(a, b)
            assert type(c) is type(expected)
            assert c.dtype == expected.dtype
            np.testing.assert_array_equal(c, expected)


@pytest.mark.parametrize(
    "codes", ["ff", "fd", "ef", "if", "hf", "ii", "bB", "FD", "dD", "??", "gg"]
)
def test_result_types_are_numpys(codes):
    a, b = np.ones((3, 4), codes[0]), np.ones((4, 2), codes[1])
    assert tw.matmul(a, b).dtype == np.matmul(a, b).dtype
    np.testing.assert_array_equal(tw.matmul(a, b), np.matmul(a, b))


def test_lists_and_objects():
    np.testing.assert_array_equal(tw.matmul([[1.0, 2.0]], [[3.0], [4.0]]), [[11.0]])
    a = np.array([[2, 3]], dtype=object)
    assert tw.matmul(a, a.T)[0, 0] == 13


def test_errors_are_numpys():
    a, b = np.ones((2, 3)), np.ones((4, 5))
    with pytest.raises(ValueError, match="mismatch in its core dimension"):
        tw.matmul(a, b)
    with pytest.raises(ValueError, match="does not have enough dimensions"):
        tw.matmul(1.0, b)
    with pytest.raises(ValueError, match="mismatch in its core dimension"):
        tw.matmul(a, b[:3], out=np.empty((3, 3)))
    with pytest.raises(TypeError, match="must be of ArrayType"):
        tw.matmul(a, b[:3], out=[1])
    with pytest.raises(TypeError, match="Cannot cast"):
        tw.matmul(a, b[:3], out=np.empty((2, 5), np.float32), casting="safe")
    with pytest.raises(TypeError):
        tw.matmul(a)
    with pytest.raises(TypeError, match="unexpected keyword"):
        tw.matmul(a, b, colour="red")


def test_strategy_and_block_size_are_checked():
    a = np.ones((2, 2))
    with pytest.raises(ValueError, match="strategy='fast' is unknown; choose one of element"):
        tw.matmul(a, a, strategy="fast")
    with pytest.raises(TypeError, match="strategy=3 is not a string"):
        tw.matmul(a, a, strategy=3)
    with pytest.raises(ValueError, match="block_size=0 is below 1"):
        tw.matmul(a, a, strategy="block", block_size=0)
    with pytest.raises(TypeError, match=r"block_size=2.5 is not an integer"):
        tw.matmul(a, a, strategy="block", block_size=2.5)


def test_a_call_inside_a_call_keeps_its_own_strategy():
    """An __array_ufunc__ may multiply again with another strategy before the outer product runs."""

    class Wrapper:
        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            tw.matmul(np.eye(2), np.eye(2), strategy="element")
            plain = [np.eye(3) if isinstance(x, Wrapper) else x for x in inputs]
            return getattr(ufunc, method)(*plain, **kwargs)

    np.testing.assert_array_equal(tw.matmul(Wrapper(), np.eye(3), strategy="block"), np.eye(3))


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_number_of_threads_gives_the_same_bits(rng, dtype):
    for m, n, k in [(300, 300, 300), (40, 3000, 600), (3000, 40, 1100), (700, 513, 129)]:
        a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
        for x1, x2 in [(a, b), (np.asfortranarray(a), np.asfortranarray(b))]:
            with tw.threads(1):
                alone = tw.matmul(x1, x2)
            for count in (2, 3, 5, 16):
                with tw.threads(count):
                    np.testing.assert_array_equal(tw.matmul(x1, x2), alone)


def test_products_from_many_python_threads_at_once(rng):
    a, b = integers(rng, (300, 300), np.float32), integers(rng, (300, 300), np.float32)
    expected = exact_product(a, b)
    with tw.threads(4), ThreadPoolExecutor(8) as executor:
        for c in executor.map(lambda _: tw.matmul(a, b), range(100)):
            np.testing.assert_array_equal(c, expected)


def test_a_forked_child_starts_its_own_threads(rng):
    a, b = integers(rng, (300, 300), np.float32), integers(rng, (300, 300), np.float32)
    with tw.threads(2):
        expected = tw.matmul(a, b)
        child = os.fork()
        if child == 0:
            os._exit(0 if np.array_equal(tw.matmul(a, b), expected) else 1)
        assert os.waitpid(child, 0)[1] == 0
        np.testing.assert_array_equal(tw.matmul(a, b), expected)
