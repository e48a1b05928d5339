"""Minibatches of rows in memory."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tilewise._checks import Array, check_bool, check_examples, check_int, check_seed
from tilewise._core import Sampler


class Minibatches:
    """Minibatches of rows, an epoch each time it is iterated.

    With the same seed these are the minibatches of `tilewise.fit`.

    Parameters
    ----------
    X : array_like of float32 or float64, shape (n, d)
        Without NaN or infinity.
    y : array_like of float32 or float64, shape (n,)
        Converted to the dtype of `X`.
    batch_size : int
        Rows in a minibatch; the last of an epoch may be smaller.
    shuffle : bool, default True
        Visit the rows in a new, exactly uniform permutation each epoch. Otherwise in order, and
        the minibatches are views of `X` and `y`.
    replacement : bool, default False
        Instead draw n rows an epoch, independently: some come twice, some not at all.
    drop_last : bool, default False
        Leave out a last minibatch of fewer rows.
    seed : int, optional
        Gives the same minibatches again. By default a fresh one.

    Attributes
    ----------
    X, y : ndarray
        All the rows.
    seed : int
        The seed in use.

    Raises
    ------
    TypeError, ValueError
        An argument has the wrong type, shape or value, or no minibatch would be left.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y, _, _ = tw.data.synthetic(10, 3, seed=0)
    >>> batches = tw.data.Minibatches(X, y, batch_size=4, seed=0)
    >>> len(batches), [X_b.shape for X_b, y_b in batches]
    (3, [(4, 3), (4, 3), (2, 3)])
    """

    def __init__(
        self,
        X: ArrayLike,
        y: ArrayLike,
        batch_size: int,
        shuffle: bool = True,
        replacement: bool = False,
        drop_last: bool = False,
        seed: int | None = None,
    ) -> None:
        self.X, self.y = check_examples(X, y)
        self._batch_size = check_int("batch_size", batch_size)
        for name, value in (("replacement", replacement), ("drop_last", drop_last)):
            check_bool(name, value)
        if not check_bool("shuffle", shuffle) and replacement:
            raise ValueError("replacement=True draws at random; give shuffle=True with it")
        n = len(self.X)
        if drop_last and batch_size > n:
            raise ValueError(
                f"batch_size={batch_size} is above the {n} rows, and drop_last=True leaves no "
                "minibatch; give a smaller batch_size"
            )
        self.seed = check_seed(seed)
        self._used = n - n % self._batch_size if drop_last else n  # rows of an epoch
        sampling = "replacement" if replacement else "permutation"
        self._sampler = Sampler(n, sampling, self.seed) if shuffle else None

    def __len__(self) -> int:
        """Return the number of minibatches in an epoch."""
        return -(-self._used // self._batch_size)

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        """Begin the next epoch; epochs may be iterated side by side."""
        # Drawn here and not in the generator: the order of epochs is that of the iter() calls.
        rows = self._sampler.next_epoch() if self._sampler else None
        return self._batches(rows)

    def _batches(self, rows: NDArray[np.int64] | None) -> Iterator[tuple[Array, Array]]:
        for start in range(0, self._used, self._batch_size):
            batch = slice(start, min(start + self._batch_size, self._used))
            chosen = batch if rows is None else rows[batch]
            yield self.X[chosen], self.y[chosen]
