"""The products that are measured: their operands, their work, and the check of an answer."""

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]

DTYPES = ("float32", "float64")
_SQUARE = (2, 4, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1000, 1024, 1536, 2048, 4096)
_SQUARE_QUICK = (2, 8, 16, 32, 64, 128, 256, 512, 1024)
_TINY = 32
_WORTH_THREADS = 192  # below, no library starts threads for a square product

# A product that does fewer operations for a byte than this, on operands larger than a core's own
# caches, waits for memory on any CPU of today: its GB/s say more than its GFLOP/s.
_FLOPS_PER_BYTE = 10
_OWN_CACHE = 2**20


@dataclass(frozen=True)
class Case:
    """One product ``a @ b``.

    Parameters
    ----------
    group : str
        "tiny", "square", "skinny", "layouts" or "stacks".
    a, b : tuple of int
        The shapes, as `numpy.matmul` takes them.
    dtype : str
        "float32" or "float64".
    threads : int, default 1
        For every contestant.
    orders : str, default "CC"
        The layouts of `a` and `b`: C for rows, F for columns, such as a transposed array has.

    Examples
    --------
    >>> case = Case("skinny", (4096, 4096), (4096,), "float32")
    >>> case.name, case.flops, case.memory_bound
    ('4096x4096 @ 4096', 33554432, True)
    """

    group: str
    a: Shape
    b: Shape
    dtype: str
    threads: int = 1
    orders: str = "CC"

    @property
    def name(self) -> str:
        """Return the shapes, with a mark on an operand that lies by columns."""
        marks = ["'" if order == "F" else "" for order in self.orders]
        sides = ["x".join(map(str, shape)) for shape in (self.a, self.b)]
        return f"{sides[0]}{marks[0]} @ {sides[1]}{marks[1]}"

    @property
    def key(self) -> str:
        """Return what tells the case from all others."""
        return f"{self.group} {self.name} {self.dtype} {self.threads}t"

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
    def memory_bound(self) -> bool:
        """Return whether the product waits for memory rather than for its multiplications."""
        return self.bytes > _OWN_CACHE and self.flops < _FLOPS_PER_BYTE * self.bytes

    @property
    def out(self) -> Shape:
        """Return the shape of the result."""
        return self.a[:-1] if len(self.b) == 1 else self.a[:-1] + self.b[-1:]


def operands(case: Case) -> tuple[Array, Array, Array]:
    """Return `a`, `b` and an `out` full of NaN.

    They hold integers from -4 to 4: every sum of products is below 2**24, hence exact in either
    dtype and in any order.
    """
    rng = np.random.default_rng(0)

    def integers(shape: Shape, order: Any) -> Array:
        return rng.integers(-4, 5, shape, np.int8).astype(case.dtype, order=order)

    a, b = integers(case.a, case.orders[0]), integers(case.b, case.orders[1])
    return a, b, np.full(case.out, np.nan, case.dtype)


def check(a: Array, b: Array, out: Array) -> None:
    """Raise ArithmeticError unless `out` is exactly ``a @ b``.

    Freivalds' check: ``out @ x == a @ (b @ x)`` for a vector x, in float64, where all is exact. Its
    cost is that of reading the operands, so that it can stand before every measurement. No entry
    of x is zero: a single wrong element is always found.
    """
    shapes = f"{a.shape} @ {b.shape}"
    a, b, out = (array.astype(np.float64) for array in (a, b, out))
    if b.ndim > 1:
        x = np.random.default_rng(1).integers(1, 1000, b.shape[-1]).astype(np.float64)
        b, out = b @ x, out @ x
        b = b[..., np.newaxis]
        out = out[..., np.newaxis]
    if not np.array_equal(out, a @ b):
        raise ArithmeticError(f"wrong answer for {shapes}")


def product_cases(*, quick: bool, threads: int) -> list[Case]:
    """Return the cases for one thread and, where `threads` is more, for that many."""
    counts = (1,) if threads == 1 else (1, threads)
    return [
        Case(group, a, b, dtype, count, orders)
        for count, dtype in product(counts, DTYPES)
        for group, a, b, orders in (_quick() if quick else _full())
        if count == 1 or _worth_threads(group, a)
    ]


def _worth_threads(group: str, a: Shape) -> bool:
    return group in ("skinny", "stacks") or (group == "square" and a[0] >= _WORTH_THREADS)


def _square(sizes: tuple[int, ...]) -> list[tuple[str, Shape, Shape, str]]:
    return [("tiny" if n <= _TINY else "square", (n, n), (n, n), "CC") for n in sizes]


def _quick() -> list[tuple[str, Shape, Shape, str]]:
    return [
        *_square(_SQUARE_QUICK),
        ("skinny", (2048, 16), (16, 2048), "CC"),
        ("skinny", (100_000, 64), (64, 5), "CC"),
        ("skinny", (4096, 4096), (4096,), "CC"),
        ("skinny", (4096,), (4096, 4096), "CC"),
        ("layouts", (512, 512), (512, 512), "FC"),
        ("layouts", (512, 512), (512, 512), "CF"),
        ("stacks", (10_000, 8, 8), (10_000, 8, 8), "CC"),
    ]


def _full() -> list[tuple[str, Shape, Shape, str]]:
    long = 4096
    return [
        *_square(_SQUARE),
        *[("skinny", (2048, k), (k, 2048), "CC") for k in (1, 4, 16, 32)],
        *[("skinny", (long, long), (long, n), "CC") for n in (1, 5, 8, 32)],
        *[("skinny", (m, long), (long, long), "CC") for m in (1, 5, 8, 32)],
        *[("skinny", (long, long), (long,), orders) for orders in ("CC", "FC")],
        *[("skinny", (long,), (long, long), orders) for orders in ("CC", "CF")],
        ("skinny", (100_000, 64), (64, 5), "CC"),
        ("skinny", (100_000, 5), (5,), "CC"),
        ("skinny", (1_000_000,), (1_000_000,), "CC"),
        *[
            ("layouts", (n, n), (n, n), orders)
            for n in (512, 1024)
            for orders in ("FC", "CF", "FF")
        ],
        *[("stacks", (10_000, n, n), (10_000, n, n), "CC") for n in (8, 16)],
    ]
