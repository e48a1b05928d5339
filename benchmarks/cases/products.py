"""Products: tiny, square, skinny, stacked, of each dtype, and of a matrix with itself."""

from dataclasses import dataclass
from functools import cache
from itertools import product
from math import prod
from typing import Any

import numpy as np

from benchmarks.cases.case import DTYPES, Case
from benchmarks.steps import Array

Shape = tuple[int, ...]

_WORTH_THREADS = 192  # below, no library starts threads for a square product
_SQUARE = (48, 64, 96, 128, 192, 256, 384, 512, 768, 1000, 1024, 1536, 2048, 4096)
_LONG = 4096

# Groups, shapes of both operands, and their layouts: C for rows, F for columns.
_SHAPES: list[tuple[str, Shape, Shape, str]] = [
    *[("tiny", (n, n), (n, n), "CC") for n in (2, 4, 8, 16, 32)],
    *[("square", (n, n), (n, n), "CC") for n in _SQUARE],
    *[("square", (n, n), (n, n), orders) for n in (512, 1024) for orders in ("FC", "CF", "FF")],
    *[("skinny", (2048, k), (k, 2048), "CC") for k in (1, 4, 16, 32)],
    *[("skinny", (_LONG, _LONG), (_LONG, n), "CC") for n in (1, 5, 8, 32)],
    *[("skinny", (m, _LONG), (_LONG, _LONG), "CC") for m in (1, 5, 8, 32)],
    *[("skinny", (_LONG, _LONG), (_LONG,), orders) for orders in ("CC", "FC")],
    *[("skinny", (_LONG,), (_LONG, _LONG), orders) for orders in ("CC", "CF")],
    ("skinny", (100_000, 64), (64, 5), "CC"),
    ("skinny", (100_000, 5), (5,), "CC"),
    ("skinny", (1_000_000,), (1_000_000,), "CC"),
    *[("stacks", (10_000, n, n), (10_000, n, n), "CC") for n in (8, 16)],
]


@dataclass(frozen=True)
class Product(Case):
    """One product ``a @ b`` of operands of these shapes, as `numpy.matmul` takes them."""

    a: Shape = ()
    b: Shape = ()
    orders: str = "CC"  # the layouts: C for rows, F for columns, such as a transposed array has
    gram: bool = False  # whether `a` is the transpose of `b`: half of the work is enough

    asks = "product"

    @property
    def name(self) -> str:
        """Return the shapes, marked where an operand lies by columns."""
        if self.gram:
            return f"X.T @ X, {self.b[0]}x{self.b[1]}"
        marks = ["'" if order == "F" else "" for order in self.orders]
        sides = ["x".join(map(str, shape)) for shape in (self.a, self.b)]
        return f"{sides[0]}{marks[0]} @ {sides[1]}{marks[1]}"

    @property
    def flops(self) -> int:
        return 2 * prod(self.a) * (1 if len(self.b) == 1 else self.b[-1])

    @property
    def bytes(self) -> int:
        return (prod(self.a) + prod(self.b) + prod(self.out)) * np.dtype(self.dtype).itemsize

    @property
    def out(self) -> Shape:
        """Return the shape of the result."""
        return self.a[:-1] if len(self.b) == 1 else self.a[:-1] + self.b[-1:]

    def data(self) -> dict[str, Any]:
        """Return `a`, `b` and an `out` full of NaN, or of the type's largest integer.

        They hold integers from -4 to 4: every sum of products is below 2**24, hence exact in
        float32 in any order. Smaller types get those from -1 to 1, and few enough of them.
        """
        rng = np.random.default_rng(0)
        most = 4 if self.dtype in DTYPES else 1

        def integers(shape: Shape, order: Any) -> Array:
            return rng.integers(-most, most + 1, shape, np.int8).astype(self.dtype, order=order)

        b = integers(self.b, self.orders[1])
        a = b.T if self.gram else integers(self.a, self.orders[0])
        unset = np.nan if a.dtype.kind == "f" else np.iinfo(a.dtype).max
        return {"a": a, "b": b, "out": np.full(self.out, unset, self.dtype)}

    def check(self, data: dict[str, Any], found: Any, answer: Any) -> None:
        """Raise ArithmeticError unless `found` is exactly ``a @ b``.

        Freivalds' check: ``found @ x == a @ (b @ x)`` for a vector x, in float64, where all is
        exact. Its cost is that of reading the operands, so that it can stand before every
        measurement. The entries of x are odd: a single wrong element is always found, in small
        integers too, which wrap around.
        """
        a, b = data["a"], data["b"]
        if b.ndim == 1:
            right, left = _times(a, b), np.asarray(found, np.float64)
        else:
            x = _vector(b.shape[-1])
            right = _times(a, _times(b, x)[..., np.newaxis])[..., 0]
            left = _times(found, x)
        apart = left - right
        if np.dtype(self.dtype).kind == "i":
            apart %= 256.0 ** np.dtype(self.dtype).itemsize
        if not (apart == 0).all():
            raise ArithmeticError(f"wrong answer for {self.name} {self.dtype}")


def _times(a: Array, x: Array) -> Array:
    return np.asarray(np.asarray(a, np.float64) @ np.asarray(x, np.float64))


@cache
def _vector(n: int) -> Array:
    return np.random.default_rng(1).integers(0, 500, n) * 2.0 + 1


def cases(cpus: int) -> list[Product]:
    """Return the groups tiny, square, skinny, stacks, dtypes and gram."""
    small, vectors = (96, 96), product(("int8", "float16"), (500, 3000))
    tall = ((2000, 500), (1000, 1000), (10_000, 100), (100_000, 20))
    dtypes = ("float16", "int8", "int16", "int32", "int64")
    return [
        *[
            Product(group, dtype, threads, a=a, b=b, orders=orders)
            for threads, dtype, (group, a, b, orders) in product(sorted({1, cpus}), DTYPES, _SHAPES)
            if threads == 1 or _is_worth_threads(group, a)
        ],
        *[Product("dtypes", t, a=small, b=small) for t in dtypes],
        *[Product("dtypes", t, a=(k, k), b=(k,)) for t, k in vectors],
        *[
            Product("gram", t, threads, a=(k, m), b=(m, k), orders="FC", gram=True)
            for threads, t, (m, k) in product(sorted({1, cpus}), DTYPES, tall)
        ],
    ]


def _is_worth_threads(group: str, a: Shape) -> bool:
    return group in ("skinny", "stacks") or (group == "square" and a[0] >= _WORTH_THREADS)
