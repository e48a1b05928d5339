"""Chunks of rows that an iterable gives."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from tilewise.data.array import array_fragment
from tilewise.data.dataset import Batch, Dataset, Fragment


@dataclass(frozen=True)
class IterableDataset(Dataset):
    """Chunks (X, y) of an iterable or of a callable that returns one, in its own order."""

    iterate: Callable[[], Iterable[Any]]

    def batches(self, random: np.random.Generator | None) -> Iterator[Batch]:
        """Yield the chunks; see `Dataset.batches`."""
        for number, pair in enumerate(self.iterate()):
            chunk = _chunk(number, pair)
            if (chunk.n_features, chunk.dtype) != (self.n_features, self.dtype):
                raise ValueError(
                    f"{chunk.name} has {chunk.n_features} columns of {chunk.dtype}, but the first "
                    f"{self.n_features} of {self.dtype}; make them alike"
                )
            yield Batch(chunk, 0, chunk.n_rows)


def open_iterable(source: Any, buffer_bytes: int) -> IterableDataset:
    """Return the chunks of an iterator, an iterable or a callable that returns one."""
    if isinstance(source, Iterator):
        first = next(source, None)
        iterate = _once(chain([first], source))
    elif callable(source) or isinstance(source, Iterable):
        iterate = source if callable(source) else lambda: source
        first = next(iter(iterate()), None)
    else:
        raise TypeError(
            f"source={source!r} is neither a path nor chunks; give one, or y with an array"
        )
    if first is None:
        raise ValueError("source has no chunks; give at least one (X, y)")
    chunk = _chunk(0, first)
    return IterableDataset(chunk.n_features, chunk.dtype, buffer_bytes, iterate)


def _chunk(number: int, chunk: Any) -> Fragment:
    """Return a pair (X, y) that an iterable gave, or raise and give its number."""
    name = f"chunk {number}"
    try:
        if not isinstance(chunk, tuple | list) or len(chunk) != 2:
            raise TypeError(f"it is a {type(chunk).__name__}; give pairs (X, y)")
        X, y = chunk
        return array_fragment(X, y, name)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None


def _once(chunks: Iterator[Any]) -> Callable[[], Iterator[Any]]:
    left = [chunks]

    def iterate() -> Iterator[Any]:
        if not left:
            raise ValueError(
                "source is an iterator, which gives one epoch only; give a list or a callable that "
                "returns a new iterator"
            )
        return left.pop()

    return iterate
