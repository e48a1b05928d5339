"""Files: read whole, and written so that they are complete or not there."""

import io
import os
import shutil
import stat
import tempfile
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_UNFINISHED = ".unfinished-"
_NOT_WRITTEN = "cannot be written: {}; choose another folder"


@contextmanager
def named(path: str | os.PathLike[str]) -> Iterator[None]:
    """Put the name of a file before what a ValueError says."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from None


def readable(path: str | os.PathLike[str]) -> AbstractContextManager[None]:
    """Name the file in what the system says when it cannot be read."""
    return _told(path, "cannot be read: {}")


def check_file(path: str | os.PathLike[str]) -> None:
    """Raise unless it is a file or a pipe; devices may have no end."""
    with readable(path):
        kind = os.stat(path).st_mode
    if stat.S_ISDIR(kind):
        raise IsADirectoryError(f"{os.fspath(path)} is a folder; give a file")
    if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind)):
        raise OSError(f"{os.fspath(path)} is a device; give a file")


def read_content(path: str | os.PathLike[str]) -> bytes:
    """Return the bytes of a file or pipe."""
    try:
        check_file(path)
        with readable(path):
            return Path(path).read_bytes()
    except ValueError as error:  # a null character in the name
        raise ValueError(f"{os.fspath(path)!r} is no file name: {error}") from None


def read_npz(content: bytes, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays of these names of an NPZ file, or raise ValueError; never unpickle."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise ValueError("it is no NPZ file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of files from Python 2
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                return {name: archive[name] for name in names}
    except Exception as error:  # NumPy names no set of errors for damaged files
        raise ValueError(f"it is not a whole NPZ file with such arrays: {error}") from None


def check_outputs(folder: Path, names: Sequence[str], force: bool) -> None:
    """Refuse before the work what would fail after it or lose a file; the folder may be missing."""
    for parent in (folder, *folder.parents):
        if os.path.lexists(parent) and not os.path.isdir(parent):
            raise NotADirectoryError(f"{parent} is not a folder; choose another")
    for path in (folder / name for name in names):
        if os.path.lexists(path) and not force:
            raise FileExistsError(f"{path} exists; choose another, or --force to replace it")
        if os.path.isdir(path):
            raise IsADirectoryError(f"{path} is a folder, not a file to replace; choose another")


@contextmanager
def outputs(folder: Path, names: Sequence[str], force: bool) -> Iterator[Path]:
    """Give a folder to write the files into; at the end they are renamed into `folder`.

    After an error, `folder` is as it was. A file that is not written is removed there: with
    `force`, no file of an earlier run stays beside those of this one.
    """
    with (
        _told(folder, _NOT_WRITTEN),
        _made(folder),
        tempfile.TemporaryDirectory(dir=folder, prefix=_UNFINISHED) as unfinished,
    ):
        yield Path(unfinished)
        check_outputs(folder, names, force)
        for name in names:
            if os.path.exists(Path(unfinished, name)):
                _put(Path(unfinished, name), folder / name)
            else:
                (folder / name).unlink(missing_ok=True)


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder and those it is in; after an error, remove what is new and empty."""
    new = [path for path in (folder, *folder.parents) if not os.path.lexists(path)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for path in new:
            with suppress(OSError):  # not made yet, or in use by another program
                path.rmdir()
        raise


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Give a file to write beside `path`, which at the end becomes `path`.

    Its name is always the same: for one writer, who may be killed and start again.
    """
    unfinished = path.with_name(f"{_UNFINISHED}{path.name}")
    try:
        with _told(path, _NOT_WRITTEN):
            yield unfinished
            _put(unfinished, path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise


def remove_unfinished(folder: Path) -> None:
    """Remove what killed writers left in a folder where nobody else writes."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        with suppress(OSError):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def _told(path: str | os.PathLike[str], message: str) -> Iterator[None]:
    """Put a path and a message around the reason that the system gives for an OSError."""
    try:
        yield
    except OSError as error:
        if error.strerror is None:
            raise
        raise type(error)(f"{os.fspath(path)} {message.format(error.strerror)}") from error


def _put(unfinished: Path, path: Path) -> None:
    """Rename a file whose content is on the disk, so that no crash leaves the name without it."""
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(unfinished, path)
