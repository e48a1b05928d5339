"""A user's file as a table of numbers: CSV, NPY, Parquet or Arrow IPC, by the end of its name."""

import os
from collections.abc import Sequence
from pathlib import Path

from tilewise._files import named, read_content
from tilewise.data.arrow import COLUMN_FILES
from tilewise.data.npy import NpyFile
from tilewise.tables.csv_file import parse_csv
from tilewise.tables.table import NumericTable


def read_table(path: str | os.PathLike[str], only: Sequence[str] | None = None) -> NumericTable:
    """Return the table of numbers in a file, or raise and say where it is none.

    Where the file names its columns, `only` are those to read; others may hold anything. Nothing
    in the file is ever executed: a pickled NPY file is refused.
    """
    file = Path(path)
    suffix = file.suffix.lower()
    if suffix not in (".npy", *COLUMN_FILES):
        content = read_content(path)
        with named(path):
            return parse_csv(content, only)
    if suffix == ".npy":
        names, values = None, NpyFile.open(file, ndim=2).whole()
    else:
        names, values = COLUMN_FILES[suffix](file).whole(only)
    with named(path):
        return NumericTable.checked(names, values)
