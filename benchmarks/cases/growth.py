"""How the cost of tilewise grows with n, rows, features and threads, up to what a machine holds."""

from collections.abc import Callable

from benchmarks.cases.case import Case, Size
from benchmarks.cases.epochs import Epochs
from benchmarks.cases.products import Product

_MOST_FLOPS = 2e12  # of a product on one thread: some ten seconds
_BATCH = 128


def cases(size: Size, *, quick: bool) -> list[Case]:
    """Return the groups, which are of tilewise alone.

    X, or the three matrices, may take a quarter of the memory: the check needs copies.
    """
    limit = min(size.memory // 4, 2**24 if quick else size.memory)
    threads = sorted({1, size.cpus, *(2**i for i in range(1, 20) if 2**i < size.cpus)})
    return [
        *_until(limit, lambda i: _square("growth-n", 256 << i)),
        *_until(limit, lambda i: _epoch("growth-rows", 1000 * 4**i, 16, _BATCH)),
        *_until(limit, lambda i: _epoch("growth-features", 4096, 4**i, _BATCH)),
        *[_square("growth-threads", 2048, n) for n in threads],
        *[_epoch("growth-threads", 2**16, 256, 1024, n) for n in threads],
    ]


def _square(group: str, n: int, threads: int = 1) -> Product:
    return Product(group, threads=threads, only=("tilewise",), a=(n, n), b=(n, n))


def _epoch(group: str, rows: int, features: int, batch: int, threads: int = 1) -> Epochs:
    sizes = {"rows": rows, "features": features, "batch_size": batch}
    return Epochs(group, threads=threads, only=("tilewise",), **sizes)


def _until(limit: int, case: Callable[[int], Case]) -> list[Case]:
    """Return ``case(0), case(1), ..`` until one needs more bytes than allowed, or too long."""
    found: list[Case] = []
    while (following := case(len(found))).bytes <= limit and following.flops <= _MOST_FLOPS:
        found.append(following)
    return found
