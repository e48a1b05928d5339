"""Minibatches and parameters as the code of *Dive into Deep Learning* uses them; see `d2l`."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tilewise._checks import check_bool, check_int


class Parameter(np.ndarray[Any, Any]):
    """An array with what an optimizer of the section uses of a tensor.

    Attributes
    ----------
    grad : Parameter
        Its gradient.

    Examples
    --------
    >>> p = np.ones(2).view(Parameter)
    >>> p.data.sub_(0.5).tolist()
    [0.5, 0.5]
    """

    grad: Any = None

    @property
    def data(self) -> Any:
        """Itself: the values, where NumPy has their buffer."""
        return self

    def sub_(self, other: Any) -> "Parameter":
        """Subtract in place."""
        self -= other
        return self

    def zero_(self) -> "Parameter":
        """Set to 0 in place."""
        self.fill(0)
        return self


class Batches:
    """Minibatches of arrays or tensors, an epoch each time it is iterated; see `load_array`."""

    def __init__(self, arrays: Sequence[Any], batch_size: int, is_train: bool) -> None:
        self.arrays = tuple(arrays)
        lengths = [len(array) for array in self.arrays]
        if not lengths or min(lengths) != max(lengths) or lengths[0] == 0:
            raise ValueError(f"data_arrays have {lengths} rows; give arrays of as many, at least 1")
        self.batch_size = check_int("batch_size", batch_size)
        self.is_train = check_bool("is_train", is_train)

    def __len__(self) -> int:
        """Return the number of minibatches in an epoch."""
        return -(-len(self.arrays[0]) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Begin the next epoch."""
        n = len(self.arrays[0])
        order = np.random.permutation(n) if self.is_train else np.arange(n)
        for first in range(0, n, self.batch_size):
            rows = order[first : first + self.batch_size]
            yield tuple(array[rows] for array in self.arrays)


def load_array(data_arrays: Sequence[Any], batch_size: int, is_train: bool = True) -> Batches:
    """Return an iterable of minibatches, an epoch each time it is iterated.

    Parameters
    ----------
    data_arrays : sequence of arrays or tensors
        Arrays of n rows each.
    batch_size : int
        The last minibatch of an epoch may be smaller.
    is_train : bool, default True
        A new permutation each epoch, from NumPy's global random state; otherwise in order.

    Returns
    -------
    Batches
        An iterable of tuples, a part of each array, with a length in minibatches.

    Raises
    ------
    TypeError, ValueError
        The arrays have different numbers of rows, or an argument is out of range.

    Examples
    --------
    >>> batches = load_array((np.eye(5), np.arange(5)), batch_size=2, is_train=False)
    >>> len(batches), [y.tolist() for X, y in batches]
    (3, [[0, 1], [2, 3], [4]])
    """
    return Batches(data_arrays, batch_size, is_train)
