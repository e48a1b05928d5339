"""Opening data as rows to stream."""

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from tilewise._checks import check_int
from tilewise.data.array import ArrayPart
from tilewise.data.arrow import open_arrow, open_parquet
from tilewise.data.dataset import Chunks, Part, Parts, Rows, checked_chunk
from tilewise.data.npy import LABELS_SUFFIX, open_npy

__all__ = ["open_rows"]

_OPENERS: dict[str, Callable[[Path, int | str | None], Part]] = {
    ".npy": open_npy,
    ".parquet": open_parquet,
    ".arrow": open_arrow,
    ".feather": open_arrow,
}


def open_rows(
    source: Any,
    y: Any = None,
    *,
    target: int | str | None = None,
    buffer_bytes: int = 2**30,
) -> Rows:
    """Open data larger than memory for `fit`, `Trainer` and `SGDRegressor`.

    Parameters
    ----------
    source : path, array, iterable or callable
        An NPY file of shape (n, d + 1), a Parquet file or an Arrow IPC file (``.arrow``,
        ``.feather``); a folder of such files, read in the order of their names; an array or memory
        map (n, d), with `y`; or an iterable of chunks (X, y), or a callable that returns one. An
        iterator can be read for one epoch only. A chunk of an iterable is memory of the caller's
        and not in `buffer_bytes`, and so is a memory map of mode 'c'.
    y : array, shape (n,), optional
        The labels of an array.
    target : int or str, optional
        The column of the labels in a file: its number from 0, or from the end if negative; or its
        name, or its number from 1 as a str, like on the command line. By default they are in
        NAME.y.npy beside the file NAME if that is there, and in the last column if not.
    buffer_bytes : int, default 1 GiB
        What an epoch may allocate: the rows that train, those that are read meanwhile, and what
        reading and shuffling them takes. Half of it, or a little less, is one buffer.

    Returns
    -------
    Rows
        Give it to `fit`, `Trainer.fit`, `Trainer.run_epoch` or `SGDRegressor.fit` in place of X
        and y. Of the options of `Trainer.fit` only `epochs` and `progress` go with it.

    Raises
    ------
    OSError, TypeError, ValueError
        A file is missing or damaged, or files differ in width or dtype. The message names it.

    Notes
    -----
    A buffer is filled while the one before trains. Runs of rows, a thirty-second of `buffer_bytes`
    each, come in random order, and ``sampling`` applies inside a buffer: 'permutation' shuffles it.
    With 'sequential' all rows come in order, and the weights are bitwise those of a fit in memory.
    Chunks of an iterable come as it gives them.

    The history has a record for each buffer: the loss over its rows after training on them. The
    wait for rows counts as training time. NaN, infinity, or a file that cannot be read, found in
    the middle of an epoch, takes that epoch back; Ctrl-C keeps the weights so far.
    ``learning_rate='auto'`` looks at the first buffer only.

    Of Parquet and Arrow IPC files, which need PyArrow, a row group or record batch is a run. It is
    read whole and takes up to three times its bytes: write groups of a sixteenth of `buffer_bytes`
    or less. Numbers become float32 if all are floats of at most 32 bits, else float64.

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
        part = ArrayPart.checked(source, y)
        return Parts(part.n_features, part.dtype, buffer_bytes, [part])
    return _open_chunks(source, buffer_bytes)


def _open_path(path: Path, target: int | str | None, buffer_bytes: int) -> Parts:
    paths = _shards(path) if path.is_dir() else [path]
    parts = [_opener(shard)(shard, target) for shard in paths]
    for part in parts[1:]:
        if _kind(part) != _kind(parts[0]):
            raise ValueError(
                f"{part.name} has {_kind(part)}, but {parts[0].name} {_kind(parts[0])}; "
                "make them alike"
            )
        if part.names != parts[0].names:
            raise ValueError(
                f"{part.name} has {_columns(part)}, but {parts[0].name} {_columns(parts[0])}; "
                "give all the same columns in one order"
            )
    return Parts(parts[0].n_features, parts[0].dtype, buffer_bytes, parts)


def _shards(folder: Path) -> list[Path]:
    """Return the files of a folder that hold rows, in the order of their names."""
    found = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix in _OPENERS and not path.name.endswith(LABELS_SUFFIX)
    ]
    if not found:
        raise FileNotFoundError(
            f"{folder} has no file that ends in {', '.join(_OPENERS)}; put shards in it"
        )
    return found


def _opener(path: Path) -> Callable[[Path, int | str | None], Part]:
    try:
        return _OPENERS[path.suffix]
    except KeyError:
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist; give a file or a folder") from None
        raise ValueError(f"{path} does not end in {', '.join(_OPENERS)}; convert it") from None


def _kind(part: Part) -> str:
    beside = part.names is None and part.width == part.n_features
    return f"{part.n_features} features of {part.dtype}{', labels beside them' if beside else ''}"


def _columns(part: Part) -> str:
    return "no names of columns" if part.names is None else f"columns {', '.join(part.names)}"


def _open_chunks(source: Any, buffer_bytes: int) -> Chunks:
    if isinstance(source, Iterator):
        once = _Once(source)
        iterate, first = once.__call__, once.first
    elif callable(source) or isinstance(source, Iterable):
        iterate = source if callable(source) else lambda: source
        first = next(iter(iterate()), None)
    else:
        raise TypeError(
            f"source={source!r} is neither a path nor chunks; give one, or y with an array"
        )
    if first is None:
        raise ValueError("source has no chunks; give at least one (X, y)")
    X, _ = checked_chunk(0, first)
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
        first, self.first = self.first, None
        return chain([first], self._chunks)
