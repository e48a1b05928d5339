"""Opening data as rows to stream."""

import os
from pathlib import Path
from typing import Any

from tilewise._checks import check_int
from tilewise._files import check_file
from tilewise.data.array import array_fragment
from tilewise.data.arrow import COLUMN_FILES, ColumnFile
from tilewise.data.dataset import Dataset, Fragment, FragmentDataset
from tilewise.data.iterable import open_iterable
from tilewise.data.npy import LABELS_SUFFIX, NpyFile

SUFFIXES = (".npy", *COLUMN_FILES)


def open_rows(
    source: Any, y: Any = None, *, target: int | str | None = None, buffer_bytes: int = 2**30
) -> Dataset:
    """Open data larger than memory for `fit`, `Trainer` and `SGDRegressor`.

    Parameters
    ----------
    source : path, array, iterable or callable
        An NPY file of shape (n, d + 1), or (n, d) with labels beside it, a Parquet file or an
        Arrow IPC file (``.arrow``, ``.feather``); a folder of such files, read in the order of
        their names; an array or memory map (n, d), with `y`; or an iterable of chunks (X, y), or a
        callable that returns one. An iterator can be read for one epoch only. A chunk of an
        iterable is memory of the caller's and not in `buffer_bytes`, and so is a memory map of
        mode 'c'.
    y : array, shape (n,), optional
        The labels of an array.
    target : int or str, optional
        The column of the labels in a file: its index, from the end if negative; or its name; or
        its number from 1 as a str, like on the command line. By default they are in
        NAME.y.npy beside the file NAME if that is there, and in the last column if not.
    buffer_bytes : int, default 1 GiB
        What an epoch may allocate: the rows that train, those that are read meanwhile, and what
        reading and shuffling them takes. Half of it, or a little less, is one buffer.

    Returns
    -------
    Dataset
        Give it to `fit`, `Trainer.fit`, `Trainer.run_epoch` or `SGDRegressor.fit` in place of X
        and y. Of the options of `Trainer.fit`, `record_every`, `validation_fraction`, `patience`,
        `callbacks` and `verbose` do not go with it.

    Raises
    ------
    OSError, TypeError, ValueError
        A file is missing or damaged, or files differ in width or dtype. The message names it.

    Notes
    -----
    A buffer is filled while the one before trains. Batches of rows that are read together, a
    thirty-second of `buffer_bytes` each, come in random order, and ``sampling`` applies inside a
    buffer: 'permutation' shuffles it. With 'sequential' all rows come in order, and the weights are
    bitwise those of a fit in memory. Chunks of an iterable come as it gives them.

    The history has a record for each buffer: the loss over its rows after training on them. The
    wait for rows counts as training time. NaN, infinity, or a file that cannot be read, found in
    the middle of an epoch, takes that epoch back; Ctrl-C keeps the weights so far.
    ``learning_rate='auto'`` looks at the first buffer only.

    Of Parquet and Arrow IPC files, which need PyArrow, a row group or record batch is read whole
    and takes up to three times its bytes: write groups of a sixteenth of `buffer_bytes` or less.
    Numbers of any file become float32 if all are floats of at most 32 bits, else float64.

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
        return open_path(Path(source), target, buffer_bytes)
    if target is not None:
        raise ValueError(f"target={target} needs a path; give y with an array")
    if y is not None:
        return FragmentDataset.of([array_fragment(source, y)], buffer_bytes)
    return open_iterable(source, buffer_bytes)


def open_file(path: Path) -> NpyFile | ColumnFile:
    """Return a file of rows, by the end of its name."""
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return NpyFile.open(path, ndim=2)
    if suffix in COLUMN_FILES:
        check_file(path)
        return COLUMN_FILES[suffix](path)
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; give a file or a folder")
    raise ValueError(f"{path} does not end in {', '.join(SUFFIXES)}; convert it")


def open_path(path: Path, target: int | str | None, buffer_bytes: int = 2**30) -> FragmentDataset:
    """Return the rows of a file or folder; see `open_rows`."""
    paths = _shards(path) if path.is_dir() else [path]
    first, *others = fragments = [open_file(shard).fragment(target) for shard in paths]
    for other in others:
        if _layout(other) != _layout(first):
            raise ValueError(
                f"{other.name} has {_layout(other)}, but {first.name} {_layout(first)}; make them "
                "alike"
            )
    return FragmentDataset.of(fragments, buffer_bytes)


def _shards(folder: Path) -> list[Path]:
    """Return the files of a folder that hold rows, in the order of their names."""
    found = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in SUFFIXES
        and not path.name.startswith(".")
        and not path.name.lower().endswith(LABELS_SUFFIX)
    ]
    if not found:
        raise FileNotFoundError(
            f"{folder} has no file that ends in {', '.join(SUFFIXES)}; put shards in it"
        )
    return found


def _layout(fragment: Fragment) -> str:
    """Return what fragments of a dataset have in common, in words."""
    labels = "" if fragment.labels is None else ", labels beside them"
    columns, named = fragment.columns, ""
    if columns is not None and columns.features is not None:
        named = f", columns {', '.join(columns.features)}, target {columns.target}"
    return f"{fragment.n_features} features of {fragment.dtype}{named}{labels}"
