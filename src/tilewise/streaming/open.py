"""Opening data as rows to stream."""

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from tilewise._validation import check_examples, check_float_array, check_int, check_shape
from tilewise.streaming.epoch import DEFAULT_BUFFER_BYTES
from tilewise.streaming.npy_part import LABELS_SUFFIX, open_npy
from tilewise.streaming.source import ArrayPart, Chunks, Parts, Rows

__all__ = ["open_rows"]


def open_rows(
    source: Any,
    y: Any = None,
    *,
    target: int | None = None,
    buffer_bytes: int = DEFAULT_BUFFER_BYTES,
) -> Rows:
    """Open data larger than memory for `fit`, `Trainer` and `SGDRegressor`.

    Parameters
    ----------
    source : path, array, iterable or callable
        An NPY file of shape (n, d + 1); a folder of such files, read in the order of their names;
        an array or memory map (n, d), with `y`; or an iterable of chunks (X, y), or a callable
        that returns one. An iterator can be read for one epoch only. A chunk of an iterable is
        memory of the caller's and not in `buffer_bytes`.
    y : array, shape (n,), optional
        The labels of an array.
    target : int, optional
        The column of the labels in a file, from 0. By default they are in NAME.y.npy beside
        NAME.npy if that is there, and in the last column if not.
    buffer_bytes : int, default 1 GiB
        What an epoch may allocate: the rows that train, those that are read meanwhile, and what
        reading and shuffling them takes.

    Returns
    -------
    Rows
        Give it to `fit`, `Trainer.fit`, `Trainer.run_epoch` or `SGDRegressor.fit` in place of X
        and y.

    Raises
    ------
    OSError, TypeError, ValueError
        A file is missing or damaged, or files differ in width or dtype. The message names it.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> import tilewise as tw
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(Path(folder, "rows.npy"), np.ones((100, 4), np.float32))
    ...     rows = tw.open_rows(folder)
    ...     history = tw.fit(rows, epochs=2, seed=0)
    >>> rows.n_features, int(history.examples[-1])
    (3, 200)
    """
    buffer_bytes = check_int("buffer_bytes", buffer_bytes)
    if isinstance(source, str | os.PathLike):
        if y is not None:
            raise ValueError("y is given with a path; name the column of the labels in target")
        return _open_path(Path(source), target, buffer_bytes)
    if target is not None:
        raise ValueError(f"target={target} needs a path; give y with an array")
    if y is not None:
        return _open_array(source, y, buffer_bytes)
    return _open_chunks(source, buffer_bytes)


def _open_path(path: Path, target: int | None, buffer_bytes: int) -> Parts:
    paths = [path]
    if path.is_dir():
        shards = sorted(path.glob("*.npy"))
        paths = [shard for shard in shards if not shard.name.endswith(LABELS_SUFFIX)]
        if not paths:
            raise FileNotFoundError(f"{path} has no NPY files; put shards NAME.npy in it")
    parts = [open_npy(shard, target) for shard in paths]
    first = parts[0]
    for part in parts[1:]:
        if (part.n_features, part.dtype) != (first.n_features, first.dtype):
            raise ValueError(
                f"{part.name} has {part.n_features} features of {part.dtype}, but {first.name} "
                f"{first.n_features} of {first.dtype}; make them alike"
            )
    return Parts(first.n_features, first.dtype, buffer_bytes, parts)


def _open_array(X: Any, y: Any, buffer_bytes: int) -> Parts:
    X = check_shape("X", check_float_array("X", X), ndim=2)
    y = check_shape("y", check_float_array("y", y), ndim=1)
    if len(y) != len(X):
        raise ValueError(f"y has length {len(y)}; give one of length {len(X)}")
    return Parts(X.shape[1], X.dtype, buffer_bytes, [ArrayPart("X", X, y)])


def _open_chunks(source: Any, buffer_bytes: int) -> Chunks:
    iterate: Callable[[], Iterable[Any]] = source if callable(source) else lambda: source
    if not isinstance(source, Iterable) and not callable(source):
        raise TypeError(f"source is a {type(source).__name__}; give a path, chunks or an array")
    if isinstance(source, Iterator):
        iterate = _Once(source)
        first = iterate.first
    else:
        first = next(iter(iterate()), None)
    if first is None:
        raise ValueError("source has no chunks; give at least one (X, y)")
    X, _ = check_examples(*first)
    return Chunks(X.shape[1], X.dtype, buffer_bytes, iterate)


class _Once:
    """An iterator whose first chunk has been looked at; it can be read once."""

    def __init__(self, chunks: Iterator[Any]) -> None:
        self.first = next(chunks, None)
        self._chunks = chunks
        self._used = False

    def __call__(self) -> Iterator[Any]:
        if self._used:
            raise ValueError(
                "source is an iterator, which gives one epoch only; give a list or a callable that "
                "returns a new iterator"
            )
        self._used = True
        return chain([self.first], self._chunks)
