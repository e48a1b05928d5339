"""Products and batches right after those of other libraries in one process, and beside a busy one.

Threads of a library that wait for more work take the CPUs of the next one.
"""

from benchmarks.cases.case import BESIDE, Case
from benchmarks.cases.epochs import Epochs
from benchmarks.cases.products import Product
from benchmarks.steps import Steps

_NEIGHBOURS = ("numpy", "torch", "mkl")


def cases(cpus: int) -> list[Case]:
    """Return the group neighbours, on all CPUs."""
    heads = [
        ("neighbours", "float32", cpus, ("tilewise", *_NEIGHBOURS), after)
        for after in (*_NEIGHBOURS, BESIDE)
    ]
    plan = Steps(1024, epochs=20)
    return [
        *[Product(*head, a=(n, n), b=(n, n)) for n in (192, 256, 384, 1024) for head in heads],
        *[Epochs(*head, rows=16_384, features=128, plan=plan) for head in heads],
    ]
