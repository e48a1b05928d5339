"""Matrix products."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from tilewise import _core
from tilewise._checks import check_float_dtype, check_int
from tilewise._core import STRATEGIES, matmul

__all__ = ["STRATEGIES", "Explanation", "explain", "matmul"]


@dataclass(frozen=True)
class Explanation:
    """How a product is computed, in the vocabulary of BLIS.

    Attributes
    ----------
    path : str
        'empty', zeros only; 'tiny', straight to the micro-kernel; 'vector', a matrix with a vector;
        'rank_k', few columns of A; 'few_rows', two to four rows of A; 'short_k', few columns and a
        short k; 'long_k', few rows and columns and a long k; 'small_n', tiles of inner products for
        other few rows or columns; 'blocked', the five loops; or the name of another strategy.
    isa : str
        The instruction set in use.
    tile : tuple of int, or None
        Rows mr and columns nr of C that the kernel keeps in registers; of 'tiny', 'blocked' and
        'small_n'.
    blocking : tuple of int, or None
        Rows mc of a block of A, columns nc of a block of B, depth kc of both. None unless blocked.
    packed : tuple of bool, or None
        Whether the blocks of A and of B are copied before they are used.
    grid : tuple of int, or None
        Rows and columns of the parts of C, which the threads take one after the other.
    threads : int
        Threads that compute the product together.
    """

    path: str
    isa: str
    tile: tuple[int, int] | None = None
    blocking: tuple[int, int, int] | None = None
    packed: tuple[bool, bool] | None = None
    grid: tuple[int, int] | None = None
    threads: int = 1


def explain(
    m: int,
    n: int,
    k: int,
    dtype: DTypeLike = np.float32,
    *,
    strategy: str = "full",
    block_size: int = 64,
) -> Explanation:
    """Return how `matmul` computes C-ordered ``(m, k) @ (k, n)`` with the threads of this moment.

    Parameters
    ----------
    m, n, k : int
        0 to 2**31.
    dtype : dtype, default float32
        float32 or float64.
    strategy, block_size
        As in `matmul`.

    Returns
    -------
    Explanation

    Raises
    ------
    TypeError, ValueError
        An argument has the wrong type or value.

    References
    ----------
    F. Van Zee, R. van de Geijn (2015), BLIS, doi:10.1145/2764454.

    Examples
    --------
    >>> import tilewise as tw
    >>> tw.explain(8, 8, 8).path, tw.explain(1000, 1, 1000).path
    ('tiny', 'vector')
    >>> with tw.threads(1):
    ...     tw.explain(1000, 1000, 1000).threads
    1
    """
    m, n, k = (
        check_int(name, size, minimum=0, maximum=2**31)
        for name, size in (("m", m), ("n", n), ("k", k))
    )
    facts = _core.explain(check_float_dtype(dtype), m, n, k, strategy, block_size)
    return Explanation(isa=_core.isa(), **facts)
