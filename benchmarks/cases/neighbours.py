"""Products and batches right after those of other libraries in one process, and beside a busy one.

Threads of a library that wait for more work take the CPUs of the next one.
"""

from benchmarks.cases.case import BESIDE, Case
from benchmarks.cases.epochs import Epochs
from benchmarks.cases.products import Product
from benchmarks.steps import Steps

_NEIGHBOURS = ("numpy", "torch", "mkl")


def cases(cpus: int, *, quick: bool) -> list[Case]:
    """Return the group neighbours, on all CPUs."""
    found: list[Case] = []
    for after in ("numpy", BESIDE) if quick else (*_NEIGHBOURS, BESIDE):
        head = "neighbours", "float32", cpus, ("tilewise", *_NEIGHBOURS), after
        for n in (256,) if quick else (192, 256, 384, 1024):
            found.append(Product(*head, a=(n, n), b=(n, n)))
        found.append(Epochs(*head, rows=16_384, features=128, plan=Steps(1024, epochs=20)))
    return found
