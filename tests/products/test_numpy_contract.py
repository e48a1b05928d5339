"""The contract of numpy.matmul: NumPy's own tests of it, and what those leave out."""

import numpy as np
import pytest
from numpy._core.tests import test_multiarray as numpys_tests

import tilewise as tw
from tests.support.matrices import DTYPES, exact_product, integers


class TestMatmul(numpys_tests.TestMatmul):
    """NumPy's own tests; where they call np.matmul, they get ours."""

    matmul = staticmethod(tw.matmul)

    @pytest.fixture(autouse=True)
    def _ours(self, monkeypatch):
        monkeypatch.setattr(np, "matmul", tw.matmul)


def test_numpys_tests_call_this_matmul(monkeypatch):
    def planted(*args, **kwargs):
        raise NotImplementedError

    monkeypatch.setattr(TestMatmul, "matmul", staticmethod(planted))
    with pytest.raises(NotImplementedError):
        TestMatmul().test_shapes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_out_may_be_any_part_of_the_memory_of_an_input(rng, matmul, dtype):
    whole = integers(rng, (25, 13), dtype)
    views = [  # each 12 x 12, and each shares memory with all others
        lambda x: x[:12, :12],
        lambda x: x[1:13, 1:],
        lambda x: x[:12, :12].T,
        lambda x: x[12:0:-1, :12],
        lambda x: x[:24:2, 12:0:-1],
        lambda x: x[1::2, 1:],
    ]
    other = integers(rng, (12, 12), dtype)
    for read in views:
        for write in views:
            for multiply in (
                lambda x, out: matmul(x, other, out=out),
                lambda x, out: matmul(other, x, out=out),
                lambda x, out: matmul(x, x, out=out),
            ):
                expected = multiply(read(whole).copy(), None)
                memory = whole.copy()
                out = write(memory)
                assert multiply(read(memory), out) is out
                np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("shape", [(1, 1, 5), (7, 1, 30), (1, 30, 7), (30, 30, 30)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_zero_and_negative_strides(rng, matmul, dtype, shape):
    m, n, k = shape
    a = np.broadcast_to(integers(rng, (1, k), dtype), (m, k))
    b = np.broadcast_to(integers(rng, (k, 1), dtype), (k, n))
    for x1 in (a, a[:, ::-1], np.broadcast_to(dtype(3), (m, k))):
        for x2 in (b, b[::-1, ::-1], np.broadcast_to(dtype(-2), (k, n))):
            out = np.full((m, n), np.nan, dtype)[::-1, ::-1]
            matmul(x1, x2, out=out)
            np.testing.assert_array_equal(out, exact_product(x1, x2))


def off_by_a_byte(a):
    memory = np.zeros(a.nbytes + 1, np.uint8)
    unaligned = memory[1:].view(a.dtype).reshape(a.shape)
    unaligned[...] = a
    return unaligned


ODD_ARRAYS = {
    "unaligned": off_by_a_byte,
    "byte-swapped": lambda a: a.astype(a.dtype.newbyteorder()),
    "in records": lambda a: np.rec.fromarrays([np.zeros(a.shape, "b"), a])["f1"],
}


@pytest.mark.parametrize("odd", ODD_ARRAYS.values(), ids=ODD_ARRAYS)
@pytest.mark.parametrize("code", ["e", "f", "d", "i", "q"])
def test_memory_that_no_kernel_reads(rng, matmul, odd, code):
    a, b = integers(rng, (9, 17), code), integers(rng, (17, 20), code)
    expected = exact_product(a, b)
    for x1, x2, out in [
        (odd(a), b, None),
        (a, odd(b), None),
        (odd(a), odd(b), odd(np.zeros((9, 20), code))),
    ]:
        result = matmul(x1, x2, out=out)
        np.testing.assert_array_equal(result, expected)
        assert result.dtype == (code if out is None else out.dtype)


def test_read_only_inputs_are_read_and_a_read_only_out_refused(rng, matmul):
    a, b = integers(rng, (9, 17), np.float32), integers(rng, (17, 20), np.float32)
    out = np.zeros((9, 20), np.float32)
    for array in (a, b, out):
        array.setflags(write=False)
    np.testing.assert_array_equal(matmul(a, b), exact_product(a, b))
    with pytest.raises(ValueError, match="read-only"):
        matmul(a, b, out=out)
    assert (out == 0).all()


class Labelled(np.ndarray):
    label = "none"

    def __array_finalize__(self, other):
        self.label = getattr(other, "label", "none")


def test_subclasses_are_kept(rng):
    a = integers(rng, (9, 17), np.float32).view(Labelled)
    a.label = "rows"
    result = tw.matmul(a, integers(rng, (17, 20), np.float32))
    assert type(result) is Labelled
    out = np.zeros((9, 9), np.float32)
    assert tw.matmul(a, a.T, out=out) is out
    memory = np.memmap  # a subclass whose products are plain arrays
    assert type(np.asarray(tw.matmul(np.ones((2, 2)).view(memory), np.eye(2)))) is np.ndarray


class Foreign:
    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        return ufunc, method, len(inputs), sorted(keywords)


class Refusing:
    __array_ufunc__ = None


def test_other_kinds_of_arrays_are_asked_first():
    assert tw.matmul(Foreign(), np.eye(2)) == (np.matmul, "__call__", 2, [])
    for out in (Foreign(), (Foreign(),)):
        assert tw.matmul(np.eye(2), np.eye(2), out=out) == (np.matmul, "__call__", 2, ["out"])
    assert tw.matmul(np.eye(2), Foreign(), strategy="full", casting="no")[3] == ["casting"]
    with pytest.raises(TypeError, match="strategy is for NumPy arrays, and Foreign"):
        tw.matmul(Foreign(), np.eye(2), strategy="block")
    for multiply in (np.matmul, tw.matmul):
        with pytest.raises(TypeError, match="does not support ufuncs"):
            multiply(np.eye(2), Refusing())


def outcome(function, *args, **keywords):
    """Return the value, or the type and message of the exception."""
    try:
        return function(*args, **keywords)
    except Exception as error:
        return type(error), str(error)


def test_frames_as_numpy():
    pandas = pytest.importorskip("pandas")
    left = pandas.DataFrame([[1.0, 2.0], [3.0, 4.0]], index=["a", "b"], columns=["c", "d"])
    right = pandas.DataFrame(np.ones((2, 3)), index=["c", "d"])
    for args in [(left, right), (left, np.eye(2)), (np.eye(2), left), (left, right[0])]:
        ours, numpys = tw.matmul(*args), np.matmul(*args)
        assert type(ours) is type(numpys)
        np.testing.assert_array_equal(ours, numpys)
    assert outcome(tw.matmul, left, left) == outcome(np.matmul, left, left)  # not aligned


def test_masked_arrays_as_numpy():
    masked = np.ma.masked_less(np.arange(4.0).reshape(2, 2), 2)
    for args in [(masked, np.eye(2)), (np.eye(2), masked), (masked, masked)]:
        ours, numpys = outcome(tw.matmul, *args), outcome(np.matmul, *args)
        assert type(ours) is type(numpys)
        np.testing.assert_array_equal(np.ma.getmaskarray(ours), np.ma.getmaskarray(numpys))
        np.testing.assert_array_equal(np.ma.getdata(ours), np.ma.getdata(numpys))


def test_every_pair_of_dtypes_as_numpy(rng):
    codes = "?bBhHiIlLqQefdgFDGO"
    for first in codes:
        for second in codes:
            a, b = integers(rng, (3, 4), "i1") % 4, integers(rng, (4, 2), "i1") % 4
            a, b = a.astype(first), b.astype(second)
            ours, numpys = tw.matmul(a, b), np.matmul(a, b)
            assert ours.dtype == numpys.dtype, first + second
            np.testing.assert_array_equal(ours, numpys)
    assert tw.matmul(np.ones((2, 2), "f"), np.ones((2, 2), "h")).dtype == np.float32
    assert tw.matmul(np.ones((2, 2), "f"), np.ones((2, 2), "i")).dtype == np.float64


@pytest.mark.parametrize("code", "?bhiqefdgFDO")
def test_sums_of_nothing_are_zero(matmul, code):
    for m, n in [(0, 0), (0, 3), (3, 0), (1, 1), (40, 50)]:
        out = np.full((m, n), 7).astype(code)
        result = matmul(np.ones((m, 0), code), np.ones((0, n), code))
        assert result.shape == (m, n)
        assert (result == 0).all()
        matmul(np.ones((m, 0), code), np.ones((0, n), code), out=out)
        assert (out == 0).all()
    assert matmul(np.ones(0, code), np.ones(0, code)) == 0
    assert matmul(np.ones((0, 3, 4), code), np.ones((4, 2), code)).shape == (0, 3, 2)


@pytest.mark.parametrize("n", [1, 5, 40, 200])
@pytest.mark.parametrize("dtype", DTYPES)
def test_floating_point_errors_as_errstate_says(matmul, dtype, n):
    big = np.full((n, n), np.finfo(dtype).max, dtype)
    tiny = np.full((n, n), np.finfo(dtype).tiny, dtype)
    infinite = np.full((n, n), np.inf, dtype)
    calls = {"over": (big, big), "under": (tiny, tiny / 2), "invalid": (infinite, 0 * tiny)}
    for kind, args in calls.items():
        with np.errstate(all="ignore"):
            expected = matmul(*args)
        with (
            np.errstate(**{"all": "ignore", kind: "raise"}),
            pytest.raises(FloatingPointError, match="matmul"),
        ):
            matmul(*args)
        heard = []
        with np.errstate(
            **{"all": "ignore", kind: "call"}, call=lambda *_, heard=heard: heard.append(1)
        ):
            np.testing.assert_array_equal(matmul(*args), expected)
        assert len(heard) == 1


@pytest.mark.parametrize("row", [0, -1])
def test_a_floating_point_error_on_any_thread_is_heard(matmul, row):
    a = np.ones((300, 300), np.float32)
    a[row] = 3e38
    with (
        tw.threads(2),
        np.errstate(over="raise"),
        pytest.raises(FloatingPointError, match="overflow"),
    ):
        matmul(a, np.ones_like(a))


OUT_FAULTS = [
    lambda: np.empty((2, 6)),
    lambda: np.empty((3, 5)),
    lambda: np.empty(5),
    lambda: np.empty((2, 5), np.int32),
    lambda: [[0.0] * 5] * 2,
    lambda: "out",
    lambda: (np.empty((2, 5)), np.empty((2, 5))),
]


@pytest.mark.parametrize("make_out", OUT_FAULTS)
def test_a_wrong_out_is_numpys_error(make_out):
    args = np.ones((2, 3)), np.ones((3, 5))
    ours = outcome(tw.matmul, *args, out=make_out())
    assert ours == outcome(np.matmul, *args, out=make_out())
    assert isinstance(ours, tuple), "an error"


@pytest.mark.parametrize(
    "keywords",
    [
        {"dtype": np.float32},
        {"dtype": np.float64},
        {"dtype": "int8"},
        {"dtype": complex, "casting": "safe"},
        {"dtype": np.float32, "casting": "no"},
        {"dtype": int, "casting": "unsafe"},
        {"casting": "any"},
        {"order": "C"},
        {"order": "F"},
        {"order": "A"},
        {"order": "K"},
        {"order": "Q"},
        {"subok": False},
        {"signature": "ff->f"},
        {"axes": [(0, 1), (1, 0), (0, 1)]},
        {"axes": [(0, 1)]},
        {"axis": 0},
        {"where": True},
        {"keepdims": True},
    ],
    ids=str,
)
def test_keywords_as_numpy(rng, keywords):
    a, b = integers(rng, (7, 7), np.float64), integers(rng, (7, 7), np.float64)
    for x1, x2 in [(a, b), (np.asfortranarray(a), b.T)]:
        ours, numpys = (
            outcome(tw.matmul, x1, x2, **keywords),
            outcome(np.matmul, x1, x2, **keywords),
        )
        assert type(ours) is type(numpys)
        if isinstance(numpys, tuple):
            assert ours == numpys
        else:
            assert (ours.dtype, ours.strides) == (numpys.dtype, numpys.strides)
            np.testing.assert_array_equal(ours, numpys)
