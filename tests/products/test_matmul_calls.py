"""How a product is called: operands, stacks, errors, threads, and the plan."""

import ctypes
import os
import platform
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import tilewise as tw
from tests.support.matrices import DTYPES, exact_product, integers
from tests.support.threads import process_threads


def test_read_only_and_broadcast_operands(rng, matmul):
    a = np.broadcast_to(integers(rng, (1, 20), np.float32), (9, 20))
    b = np.broadcast_to(integers(rng, (20, 1), np.float32), (20, 30))
    np.testing.assert_array_equal(matmul(a, b), exact_product(a, b))


def test_vectors_and_stacks_follow_numpy(rng, matmul):
    shapes = [((5,), (5,)), ((5,), (5, 3)), ((3, 5), (5,)), ((2, 1, 3, 5), (4, 5, 2))]
    for shape_1, shape_2 in shapes:
        a, b = integers(rng, shape_1, np.float32), integers(rng, shape_2, np.float32)
        c = matmul(a, b)
        with np.errstate(invalid="ignore"):  # of lanes that its BLAS does not use
            expected = np.matmul(a, b)
        assert type(c) is type(expected)
        assert c.dtype == expected.dtype
        np.testing.assert_array_equal(c, expected)


def test_a_stack_is_the_same_as_its_products(rng):
    for shape_1, shape_2 in [
        ((500, 8, 8), (500, 8, 8)),
        ((500, 8, 8), (8, 8)),
        ((8, 8), (500, 8, 8)),
        ((20, 1, 9, 70), (30, 70, 5)),
        ((3, 100, 100), (3, 100, 100)),
    ]:
        a, b = integers(rng, shape_1, np.float32), integers(rng, shape_2, np.float32)
        expected = np.matmul(a, b)
        np.testing.assert_array_equal(tw.matmul(a, b), expected)
        *stack, m, n = expected.shape
        frame = np.full((*stack, m + 2, n + 1), 7, np.float32)  # gaps between the rows and matrices
        tw.matmul(a, b, out=frame[..., :m, :n])
        np.testing.assert_array_equal(frame[..., :m, :n], expected)
        frame[..., :m, :n] = 7
        assert (frame == 7).all()
        turned = np.swapaxes(a, -1, -2)
        np.testing.assert_array_equal(
            tw.matmul(turned, np.swapaxes(turned, -1, -2)), turned @ np.swapaxes(turned, -1, -2)
        )


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
    """The conversion of an operand may multiply with another strategy before the outer product."""

    class Lazy:
        def __array__(self, dtype=None, copy=None):
            tw.matmul(np.eye(2), np.eye(2), strategy="element")
            return np.eye(3)

    np.testing.assert_array_equal(tw.matmul(Lazy(), np.eye(3), strategy="block"), np.eye(3))


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


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the constant is that of x86-64")
def test_threads_compute_in_the_rounding_mode_of_the_caller(rng):
    a, b = (rng.standard_normal((300, 300), np.float32) for _ in range(2))
    with tw.threads(2):
        nearest = tw.matmul(a, b)  # the threads have started, in this mode
        libm = ctypes.CDLL("libm.so.6")
        upward = 0x800
        assert libm.fesetround(upward) == 0
        try:
            together = tw.matmul(a, b)
            with tw.threads(1):
                alone = tw.matmul(a, b)
        finally:
            libm.fesetround(0)
    np.testing.assert_array_equal(together, alone)
    assert (together >= nearest).mean() > 0.9


def test_products_from_many_python_threads_at_once(rng):
    a, b = integers(rng, (300, 300), np.float32), integers(rng, (300, 300), np.float32)
    expected = exact_product(a, b)
    with process_threads(4), ThreadPoolExecutor(8) as executor:
        for c in executor.map(lambda _: tw.matmul(a, b), range(100)):
            np.testing.assert_array_equal(c, expected)


@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")  # of JAX, if a test imported it
def test_a_forked_child_starts_its_own_threads(rng):
    a, b = integers(rng, (300, 300), np.float32), integers(rng, (300, 300), np.float32)
    with tw.threads(2):
        expected = tw.matmul(a, b)
        child = os.fork()
        if child == 0:
            os._exit(0 if np.array_equal(tw.matmul(a, b), expected) else 1)
        assert os.waitpid(child, 0)[1] == 0
        np.testing.assert_array_equal(tw.matmul(a, b), expected)


def test_explain_tells_the_plan():
    assert tw.explain(0, 5, 5).path == "empty"
    assert tw.explain(64, 64, 64).path == "tiny"
    assert tw.explain(1, 5000, 300).path == tw.explain(5000, 1, 300).path == "vector"
    with tw.threads(1):
        large = tw.explain(3000, 3000, 3000, np.float64)
    assert (large.path, large.threads, large.packed) == ("blocked", 1, (False, True))
    assert large.isa == tw.isa()
    mc, nc, kc = large.blocking
    assert mc % large.tile[0] == nc % large.tile[1] == 0
    assert 192 <= kc <= 512
    with tw.threads(16):
        assert tw.explain(3000, 3000, 3000).threads == 16
        assert tw.explain(70, 70, 70).threads == 1, "too little work to share"
        assert tw.explain(1, 1, 10**6).threads == 8, "its pieces are shared"
        assert tw.explain(4096, 1, 4096).threads == 16
        assert tw.explain(4096, 4, 4096).threads == 16
        assert tw.explain(3, 3, 10**6).threads == 16, "pieces of k are shared"
    with pytest.raises(ValueError, match="m=-1"):
        tw.explain(-1, 2, 3)
    with pytest.raises(ValueError, match="strategy='fast'"):
        tw.explain(1, 2, 3, strategy="fast")
    with pytest.raises(ValueError, match="block_size=0"):
        tw.explain(1, 2, 3, block_size=0)
    with pytest.raises(TypeError, match="dtype"):
        tw.explain(1, 2, 3, "int32")


def test_explain_tells_what_a_strategy_shares():
    with tw.threads(4):
        rows, cols = (tw.explain(300, 200, 400, strategy=name) for name in ("element", "column"))
        assert (rows.path, cols.path) == ("element", "column")
        assert rows.threads == cols.threads == 4
        assert rows.grid == (4, 1)
        assert cols.grid == (1, 4)
        two_panels = tw.explain(300, 200, 400, strategy="block", block_size=100)
        assert two_panels.grid == (1, 2)
    assert tw.explain(0, 5, 5, strategy="row").path == "empty"


@pytest.mark.parametrize("strategy", tw.STRATEGIES)
@pytest.mark.parametrize("order", "CF")
def test_a_strategy_gives_the_same_bits_on_any_number_of_threads(rng, strategy, order):
    a, b = rng.normal(size=(150, 300)), np.asarray(rng.normal(size=(300, 170)), order=order)
    out = np.empty((150, 340))[:, ::2]
    with tw.threads(1):
        expected = tw.matmul(a, b, strategy=strategy)
    for threads in (2, 3, 7):
        with tw.threads(threads):
            tw.matmul(a, b, out, strategy=strategy)
        np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_parts_of_unequal_size_pack_within_their_buffers(rng, count):
    """One row or column more than whole blocks: one part then has more blocks than the others."""
    mc, nc, kc = tw.explain(3000, 3000, 3000).blocking
    with tw.threads(count):
        for m, n, k in [(count * mc + 1, 600, kc), (mc + 5, count * nc + 1, 70)]:
            a, b = integers(rng, (k, m), np.float32).T, integers(rng, (k, n), np.float32)
            a = np.asfortranarray(np.tile(a, (1, 40)) if n == 600 else a)
            b = np.tile(b, (40, 1)) if n == 600 else b
            np.testing.assert_array_equal(tw.matmul(a, b), exact_product(a, b))


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("tiles", [2, 3, 8, 9, 32, 33])
def test_edges_of_the_plan_for_few_rows(rng, tiles, order):
    rows, cols = tw.explain(1000, 1000, 1000).tile
    m = tiles * rows + (tiles == 2)  # one row too many for a single pass over B
    k = tw.explain(m, 6000, 3000).blocking[2] + 1
    nc = tw.explain(m, 6000, k).blocking[1]
    for n in {nc - 1, nc, nc + 1, 2 * nc + cols + 1}:
        a = integers(rng, (m, k), np.float32)
        b = np.asarray(integers(rng, (k, n), np.float32), order=order)
        product = exact_product(a, b)
        for threads in (1, 3):
            with tw.threads(threads):
                np.testing.assert_array_equal(tw.matmul(a, b), product)


def test_b_is_packed_where_it_is_used_often():
    rows, _ = tw.explain(1000, 1000, 1000).tile
    packed = [tw.explain(tiles * rows, 64, 100).packed[1] for tiles in (2, 32, 33)]
    assert packed == [False, False, True]  # a small B
    packed = [tw.explain(m, 6000, 6000).packed[1] for m in (12 * rows, 12 * rows + 1)]
    assert packed == [False, True]
    depths = [tw.explain(m, 6000, 6000).blocking[2] for m in (2 * rows, 2 * rows + 1)]
    assert depths[0] < depths[1], "B is read once, in long runs"


def test_more_parts_than_threads_are_cut_from_the_columns():
    """Each row of parts packs B anew: there are no more than for one part a thread."""
    with process_threads(2):
        for n in (1024, 3000, 4096):
            plan = tw.explain(n, n, n)
            assert plan.threads == 2
            assert plan.grid[0] <= 2
            assert plan.grid[1] >= 4
    with process_threads(16):
        for n in (1024, 1500, 3000, 4096):
            plan = tw.explain(n, n, n)
            assert plan.threads == 16
            assert plan.grid[0] <= 4
