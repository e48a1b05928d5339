"""Products of types that are stored in fewer bits than they are computed in."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

import tilewise as tw
from tests.support.matrices import LAYOUTS
from tests.support.threads import process_threads

INTEGERS = [np.int8, np.uint8, np.int16, np.uint16]
# Vectors, longer ones than are converted or summed in one go, several blocks of C and of k.
LARGE = [
    (1, 1, 70_001),
    (3, 1, 9000),
    (1, 5, 8193),
    (1101, 1, 4097),
    (1, 1101, 4097),
    (40, 1, 513),
    (300, 9, 600),
    (9, 700, 600),
    (530, 523, 70),
    (1030, 75, 1040),
    (75, 1061, 530),
]
ORDERS = [*itertools.product("CF", repeat=3), ("strided",) * 3]


def laid_out(a, order):
    """Return a copy of a matrix that lies in another order."""
    if order == "strided":
        return np.repeat(np.repeat(a, 3, axis=1), 2, axis=0)[::2, ::3]
    return np.array(a, order=order)


def transposed(stack):
    """Return a copy whose matrices lie by columns."""
    return np.ascontiguousarray(stack.swapaxes(1, 2)).swapaxes(1, 2)


def any_integers(rng, shape, dtype):
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, shape, dtype, endpoint=True)


def wrapped_product(a, b):
    """Return the low bits of the exact product, by float64: exact below 2**53."""
    return (a.astype(float) @ b.astype(float)).astype(np.int64).astype(a.dtype)


def assert_rounded_once(c, a, b):
    """float32 rounds 16 times at most as if at once, and float16 once more."""
    wide_a, wide_b = a.astype(float), b.astype(float)
    exact = wide_a @ wide_b
    bound = 16 * np.finfo(np.float32).eps * (np.abs(wide_a) @ np.abs(wide_b))
    if c.dtype == np.float16:
        bound = bound * (1 + 2**-10) + 2**-11 * np.abs(exact) + 2**-25
    assert (np.abs(c.astype(float) - exact) <= bound).all()


@pytest.mark.parametrize("layouts", itertools.product(LAYOUTS, repeat=2), ids="-".join)
@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.float16])
def test_edges_in_every_layout(rng, dtype, layouts):
    of_a, of_b = (LAYOUTS[name] for name in layouts)
    sizes = itertools.product((1, 2, 8, 17, 33), (1, 2, 16, 47, 49), (1, 2, 15, 17, 65))
    for m, n, k in sizes:
        a, b = rng.integers(-4, 5, (m, k)), rng.integers(-4, 5, (k, n))
        expected = (a @ b).astype(dtype)
        out = np.full((m, n), 99).astype(dtype)
        tw.matmul(of_a(a.astype(dtype)), of_b(b.astype(dtype)), out=out)
        np.testing.assert_array_equal(out, expected, err_msg=f"{m} {n} {k}")


@pytest.mark.parametrize("shape", LARGE, ids=str)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_wrap_around_in_every_block(rng, dtype, shape):
    m, n, k = shape
    a, b = any_integers(rng, (m, k), dtype), any_integers(rng, (k, n), dtype)
    expected = wrapped_product(a, b)
    for of_a, of_b, of_c in ORDERS:
        out = laid_out(np.ones((m, n), dtype), of_c)
        assert tw.matmul(laid_out(a, of_a), laid_out(b, of_b), out=out) is out
        np.testing.assert_array_equal(out, expected, err_msg=f"{of_a} {of_b} {of_c}")


@pytest.mark.parametrize("shape", LARGE, ids=str)
@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_floats_are_rounded_to_the_result_once(rng, name, shape):
    m, n, k = shape
    dtype = np.dtype(name) if name == "float16" else pytest.importorskip("ml_dtypes").bfloat16
    a, b = (rng.standard_normal(s).astype(dtype) for s in ((m, k), (k, n)))
    for of_a, of_b, _ in ORDERS:
        c = tw.matmul(laid_out(a, of_a), laid_out(b, of_b))
        assert c.dtype == (np.float16 if name == "float16" else np.float32)
        assert_rounded_once(c, a, b)


@pytest.mark.parametrize("shape", LARGE, ids=str)
@pytest.mark.parametrize("dtype", [np.float16, np.int8])
def test_the_same_bits_for_any_number_of_threads(rng, dtype, shape):
    m, n, k = shape
    a = (4 * rng.standard_normal((3, m, k))).astype(dtype)
    b = (4 * rng.standard_normal((k, n))).astype(dtype)
    products = []
    for threads in (1, 2, 3, 7):
        with process_threads(threads):
            products.append([tw.matmul(a[0], b), tw.matmul(np.asfortranarray(a[0]), b)])
            products[-1] += list(tw.matmul(a, b))
    for product in products[1:]:
        for first, later in zip(products[0], product, strict=True):
            np.testing.assert_array_equal(first, later)


@pytest.mark.parametrize("dtype", [np.float16, np.int16])
def test_stacks(rng, dtype):
    for m, n, k in [(3, 3, 3), (64, 1, 64), (1, 8, 64), (150, 140, 130), (0, 2, 3), (2, 3, 0)]:
        a, b = rng.integers(-4, 5, (300, m, k)), rng.integers(-4, 5, (300, k, n))
        a, b = a[: 300 if m < 99 else 5], b[: 300 if m < 99 else 5]
        expected = (a @ b).astype(dtype)
        a, b = a.astype(dtype), b.astype(dtype)
        out = np.ones((len(a), 2 * m, 3 * n), dtype)[:, ::2, ::3]
        for of_a, of_b in itertools.product((a, transposed(a), a[::-1][::-1]), (b, transposed(b))):
            np.testing.assert_array_equal(tw.matmul(of_a, of_b), expected)
            np.testing.assert_array_equal(tw.matmul(of_a, of_b, out=out), expected)
        np.testing.assert_array_equal(tw.matmul(a, b[0]), a @ b[0])
        np.testing.assert_array_equal(tw.matmul(a[0], b), a[0] @ b)


def test_infinities_and_nan_of_float16_reach_their_elements_only(rng):
    with np.errstate(all="raise"):
        for k in (3, 40, 700):
            a = np.ones((20, k), np.float16)
            a[7, 2] = np.inf
            product = tw.matmul(a, np.ones((k, 5), np.float16))
            assert np.isinf(product[7]).all()
            assert (np.delete(product, 7, axis=0) == k).all()
            assert np.isinf(tw.matmul(a, a[0])[7])


MEMORY = """
import numpy as np
import tilewise as tw

def peak():
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) * 1024

tw.set_num_threads(2)
element = np.ones((), {dtype!r})
square = np.broadcast_to(element, ({side}, {side}))
narrow = np.broadcast_to(element, ({side}, 700))
before = peak()
tw.matmul(square, narrow[:, 0])
tw.matmul(narrow[:, 0], square)
tw.matmul(narrow[:1000].T, narrow[:1000])
print(peak() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("dtype", ["int8", "float16"])
def test_operands_are_never_copied_whole(dtype):
    script = MEMORY.format(dtype=dtype, side=12_000)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 24 * 2**20, "an operand alone would be 576 MB in 32 bits"


@pytest.mark.parametrize("dtype", ["float16", "int8", "int16"])
@pytest.mark.parametrize("k", [1, 2, 5, 9])
def test_a_tall_matrix_of_few_columns_times_a_vector(rng, dtype, k):
    """Of float32 it has a path of its own."""
    a, x = (rng.integers(-3, 4, shape).astype(dtype) for shape in ((20_000, k), (k,)))
    expected = (a.astype(int) @ x.astype(int)).astype(dtype)
    np.testing.assert_array_equal(tw.matmul(a, x), expected)
    np.testing.assert_array_equal(tw.matmul(x, a.T), expected)
