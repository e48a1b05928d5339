"""Which rows of a batch are whose, where ranks hold parts of unequal size."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def rows_among(first: Integers, rank: int, sizes: Sequence[int]) -> Integers:
    """Return how many of the first rows of an epoch are a rank's.

    `first` are numbers from 0 to ``sum(sizes)``, and `sizes` the rows of each rank, at least 1.

    The rows of each rank lie evenly over the epoch: row c of a rank with n rows at the time (c +
    1/2) / n, and where times are equal, the lower rank comes first (the apportionment of Webster).
    So every batch is cut in proportion to the parts, to about a row, and is whole: what any number
    of ranks does in a step is known without asking.
    """
    own, total, ranks = sizes[rank], sum(sizes), len(sizes)
    # Rounding moves the time of a row by half a row of each rank at most.
    off = ranks * own // (2 * total) + 2
    exact = np.int64 if 4 * own * max(sizes) < 2**63 else object
    about = np.asarray([int(e) * own // total for e in first], exact)
    low, high = np.maximum(about - off, 0), np.minimum(about + off, own)
    while (low < high).any():
        middle = (low + high) // 2
        before = _position(middle, rank, sizes) < first
        low, high = np.where(before, middle + 1, low), np.where(before, high, middle)
    return np.asarray(low, np.int64)


def _position(row: Integers, rank: int, sizes: Sequence[int]) -> Integers:
    """Return how many rows of the epoch come before a rank's rows."""
    own = sizes[rank]
    twice = 2 * row + 1
    position = 0 * row
    for other, n in enumerate(sizes):
        # Rows c with (2c + 1) own < twice n, or equal to it where the other rank is lower.
        numerator = twice * n - own
        position += numerator // (2 * own) + 1 if other < rank else -(-numerator // (2 * own))
    return position
