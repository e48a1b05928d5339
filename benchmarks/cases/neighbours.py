"""Products and batches right after those of other libraries in one process, and beside a busy one.

Threads of a library that wait for more work take the CPUs of the next one.
"""

from typing import Any

from benchmarks.cases.case import BESIDE, Case, Size
from benchmarks.cases.epochs import Epochs
from benchmarks.cases.products import Product

_NEIGHBOURS = ("numpy", "torch", "mkl")


def cases(size: Size, *, quick: bool) -> list[Case]:
    """Return the group neighbours, on all CPUs."""
    found: list[Case] = []
    shared: dict[str, Any]
    for after in ("numpy", BESIDE) if quick else (*_NEIGHBOURS, BESIDE):
        shared = {"threads": size.cpus, "only": ("tilewise", *_NEIGHBOURS), "after": after}
        for n in (256,) if quick else (192, 256, 384, 1024):
            found.append(Product("neighbours", **shared, a=(n, n), b=(n, n)))
        sizes = {"rows": 16_384, "features": 128, "batch_size": 1024, "epochs": 20}
        found.append(Epochs("neighbours", **shared, **sizes))
    return found
