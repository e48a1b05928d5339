"""Files from outside, read whole; arrays of NumPy's formats, which are never unpickled."""

import io
import os
import stat
import warnings
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_content", "read_npy", "read_npz"]


def read_content(path: str | os.PathLike[str]) -> bytes:
    """Return the bytes of a file or pipe; devices may have no end."""
    try:
        kind = os.stat(path).st_mode
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(f"{os.fspath(path)} is a folder; give a file")
        if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind)):
            raise OSError(f"{os.fspath(path)} is a device; give a file")
        return Path(path).read_bytes()
    except ValueError as error:  # a null character in the name
        raise ValueError(f"{os.fspath(path)!r} is no file name: {error}") from None
    except OSError as error:
        if error.strerror is None:
            raise
        raise type(error)(f"{os.fspath(path)} cannot be read: {error.strerror}") from None


def read_npy(content: bytes) -> NDArray[Any]:
    """Return the array of an NPY file, or raise ValueError; never unpickle."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of files from Python 2
            return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    except MemoryError:
        raise ValueError("its header announces more data than fits in memory") from None
    except Exception as error:  # NumPy names no set of errors for damaged files
        if "allow_pickle" in str(error):
            raise ValueError(
                "it holds pickled objects, which can run code and are not read; "
                "save an array of numbers"
            ) from None
        raise ValueError(f"it is not a whole NPY file: {error}") from None


def read_npz(content: bytes, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays of these names of an NPZ file, or raise ValueError; never unpickle."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {name: archive.read(f"{name}.npy") for name in names}
    except Exception as error:  # zipfile names no set of errors for damaged files
        raise ValueError(f"it is not a whole NPZ file with such arrays: {error}") from None
    return {name: read_npy(member) for name, member in members.items()}
