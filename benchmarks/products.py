"""The products that are measured: their operands, their work, and the check of an answer."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.rival import Rival, UnsupportedError

Array = NDArray[Any]
Shape = tuple[int, ...]

DTYPES = ("float32", "float64")
"""Those that have a peak."""
STRATEGIES = ("element", "row", "column", "block", "full")

_OTHER_DTYPES = ("float16", "int8", "int16", "int32", "int64")
_SQUARE = (48, 64, 96, 128, 192, 256, 384, 512, 768, 1000, 1024, 1536, 2048, 4096)
_SQUARE_QUICK = (64, 256, 1024)
_TINY = (2, 4, 8, 16, 32)
_TINY_QUICK = (2, 8, 16, 32)
_WORTH_THREADS = 192  # below, no library starts threads for a square product


@dataclass(frozen=True)
class Product:
    """One product ``a @ b``.

    Parameters
    ----------
    group : str
        Such as "tiny".
    a, b : tuple of int
        The shapes, as `numpy.matmul` takes them.
    dtype : str, default "float32"
    threads : int, default 1
        For every contestant.
    orders : str, default "CC"
        The layouts of `a` and `b`: C for rows, F for columns, such as a transposed array has.
    sets : int, default 1
        Operands that take turns, call by call. Many make sure that no cache has the next ones.
    strategy : str, default "full"
        Of `tilewise.matmul`.
    new : bool, default False
        Whether a call makes a new array for the result.

    Examples
    --------
    >>> case = Product("skinny", (4096, 4096), (4096,))
    >>> case.key, case.flops
    ('skinny 4096x4096 @ 4096 float32 1t', 33554432)
    """

    group: str
    a: Shape
    b: Shape
    dtype: str = "float32"
    threads: int = 1
    orders: str = "CC"
    sets: int = 1
    strategy: str = "full"
    new: bool = False

    @property
    def name(self) -> str:
        """Return the shapes, marked where an operand lies by columns, and what else is special."""
        marks = ["'" if order == "F" else "" for order in self.orders]
        sides = ["x".join(map(str, shape)) for shape in (self.a, self.b)]
        strategy = f", {self.strategy}" if self.group == "strategies" else ""
        special = strategy + ", cold" * (self.sets > 1) + ", new result" * self.new
        return f"{sides[0]}{marks[0]} @ {sides[1]}{marks[1]}{special}"

    @property
    def key(self) -> str:
        """Return what tells the case from all others."""
        return f"{self.group} {self.name} {self.dtype} {self.threads}t"

    @property
    def units(self) -> int:
        """Return how many of what the times are of, a product, a call does."""
        return 1

    @property
    def flops(self) -> int:
        """Return the operations: a multiplication and an addition for each term of a sum."""
        return 2 * prod(self.a) * (1 if len(self.b) == 1 else self.b[-1])

    @property
    def bytes(self) -> int:
        """Return the least traffic: each operand read once, the result written once."""
        items = prod(self.a) + prod(self.b) + prod(self.out)
        return items * np.dtype(self.dtype).itemsize

    @property
    def working_set(self) -> int:
        """Return the bytes that are met again and again."""
        return self.sets * self.bytes

    @property
    def out(self) -> Shape:
        """Return the shape of the result."""
        return self.a[:-1] if len(self.b) == 1 else self.a[:-1] + self.b[-1:]

    def reference(self) -> None:
        """Return nothing: an answer is checked against its operands."""

    def start(self, rival: Rival, reference: None = None) -> list[Callable[[], object]]:
        """Return what is timed, in turns, after a first call each of which the answer was right.

        Raises
        ------
        UnsupportedError
            The contestant has no such product.
        ArithmeticError
            It is wrong.
        """
        calls = []
        numbers = operands(self)
        answer = None
        for _ in range(self.sets):
            a, b, out = (array.copy(order="K") if self.sets > 1 else array for array in numbers)
            call = self._call(rival, a, b, out)
            found = rival.result(call(), None if self.new else out)
            if answer is None:
                check(a, b, found)
                answer = found
            elif not np.array_equal(found, answer):
                raise ArithmeticError(f"not always the same answer for {self.name}")
            calls.append(call)
        return calls

    def _call(self, rival: Rival, a: Array, b: Array, out: Array) -> Callable[[], object]:
        if self.dtype not in rival.dtypes:
            raise UnsupportedError(f"multiplies no {self.dtype}")
        if self.strategy != "full":
            return rival.strategy(self.strategy, a, b, out)
        return rival.product(a, b, None if self.new else out)


def operands(case: Product) -> tuple[Array, Array, Array]:
    """Return `a`, `b` and an `out` full of NaN, or of the type's largest integer.

    They hold integers from -4 to 4: every sum of products is below 2**24, hence exact in float32
    in any order. Smaller types get those from -1 to 1, and few enough of them.
    """
    rng = np.random.default_rng(0)
    most = 4 if case.dtype in DTYPES else 1

    def integers(shape: Shape, order: Any) -> Array:
        return rng.integers(-most, most + 1, shape, np.int8).astype(case.dtype, order=order)

    a, b = integers(case.a, case.orders[0]), integers(case.b, case.orders[1])
    unset = np.nan if a.dtype.kind == "f" else np.iinfo(a.dtype).max
    return a, b, np.full(case.out, unset, case.dtype)


def check(a: Array, b: Array, out: Array) -> None:
    """Raise ArithmeticError unless `out` is exactly ``a @ b``.

    Freivalds' check: ``out @ x == a @ (b @ x)`` for a vector x, in float64, where all is exact. Its
    cost is that of reading the operands, so that it can stand before every measurement. No entry
    of x is zero: a single wrong element is always found.
    """
    shapes = f"{a.shape} @ {b.shape}"
    if b.ndim == 1:
        right, left = _times(a, b), np.asarray(out, np.float64)
    else:
        x = np.random.default_rng(1).integers(1, 1000, b.shape[-1]).astype(np.float64)
        right = _times(a, _times(b, x)[..., np.newaxis])[..., 0]
        left = _times(out, x)
    if not np.array_equal(left, right):
        raise ArithmeticError(f"wrong answer for {shapes}")


def _times(a: Array, x: Array) -> Array:
    return np.asarray(a.astype(np.float64) @ x.astype(np.float64))


def product_cases(*, quick: bool, threads: int, last_cache: int) -> list[Product]:
    """Return the cases for so many threads.

    Parameters
    ----------
    quick : bool
        Fewer of them.
    threads : int
        On several, small products are left out.
    last_cache : int
        Bytes; operands of several times that are cold when their turn comes again.
    """
    cases = [
        Product(group, a, b, dtype, threads, orders)
        for dtype, (group, a, b, orders) in product(DTYPES, _quick() if quick else _full())
        if not quick or dtype == DTYPES[0] or (group == "square" and threads == 1)
    ]
    if threads > 1:
        return [case for case in cases if _worth_threads(case)]
    return [*cases, *_cold(quick, last_cache), *_strategies(quick), *_dtypes(quick), *_calls()]


def _worth_threads(case: Product) -> bool:
    square_enough = case.group == "square" and case.a[0] >= _WORTH_THREADS
    return square_enough or case.group in ("skinny", "stacks")


def _square(group: str, sizes: tuple[int, ...]) -> list[tuple[str, Shape, Shape, str]]:
    return [(group, (n, n), (n, n), "CC") for n in sizes]


def _transposed(sizes: tuple[int, ...]) -> list[tuple[str, Shape, Shape, str]]:
    return [("square", (n, n), (n, n), orders) for n in sizes for orders in ("FC", "CF", "FF")]


def _quick() -> list[tuple[str, Shape, Shape, str]]:
    return [
        *_square("tiny", _TINY_QUICK),
        *_square("square", _SQUARE_QUICK),
        ("skinny", (2048, 16), (16, 2048), "CC"),
        ("skinny", (100_000, 64), (64, 5), "CC"),
        ("skinny", (4096, 4096), (4096,), "CC"),
        ("stacks", (10_000, 8, 8), (10_000, 8, 8), "CC"),
    ]


def _full() -> list[tuple[str, Shape, Shape, str]]:
    long = 4096
    return [
        *_square("tiny", _TINY),
        *_square("square", _SQUARE),
        *_transposed((512, 1024)),
        *[("skinny", (2048, k), (k, 2048), "CC") for k in (1, 4, 16, 32)],
        *[("skinny", (long, long), (long, n), "CC") for n in (1, 5, 8, 32)],
        *[("skinny", (m, long), (long, long), "CC") for m in (1, 5, 8, 32)],
        *[("skinny", (long, long), (long,), orders) for orders in ("CC", "FC")],
        *[("skinny", (long,), (long, long), orders) for orders in ("CC", "CF")],
        ("skinny", (100_000, 64), (64, 5), "CC"),
        ("skinny", (100_000, 5), (5,), "CC"),
        ("skinny", (1_000_000,), (1_000_000,), "CC"),
        *[("stacks", (10_000, n, n), (10_000, n, n), "CC") for n in (8, 16)],
    ]


def _cold(quick: bool, last_cache: int) -> list[Product]:
    """Return products of operands that come from memory each time."""
    warm = [Product("skinny", (256, 256), (256,)), Product("skinny", (512, 16), (16, 512))]
    if not quick:  # tens of thousands of sets
        warm.append(Product("tiny", (32, 32), (32, 32)))
    return [replace(case, sets=ceil(2 * last_cache / case.bytes)) for case in warm]


def _strategies(quick: bool) -> list[Product]:
    n = 256
    dtypes = DTYPES[:1] if quick else DTYPES
    return [
        Product("strategies", (n, n), (n, n), dtype, strategy=strategy)
        for dtype, strategy in product(dtypes, STRATEGIES)
    ]


def _dtypes(quick: bool) -> list[Product]:
    n = 96  # so many terms of 1 are below 127, the largest int8
    return [
        Product("dtypes", (n, n), (n, n), dtype)
        for dtype in (("float16", "int32") if quick else _OTHER_DTYPES)
    ]


def _calls() -> list[Product]:
    """Return products of nothing but the call."""
    return [Product("call-overhead", (2, 2), (2, 2), "float64", new=new) for new in (False, True)]
