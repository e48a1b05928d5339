"""A user's file as a table of numbers: CSV, NPY, Parquet or Arrow IPC, by the end of its name."""

import os
from collections.abc import Sequence
from pathlib import Path

from tilewise._files import named, read_content
from tilewise.data.dataset import FragmentDataset
from tilewise.data.open import SUFFIXES, open_file, open_path
from tilewise.tables.csv_file import parse_csv
from tilewise.tables.table import NumericTable


def read_table(path: str | os.PathLike[str], only: Sequence[str] | None = None) -> NumericTable:
    """Return the table of numbers in a file, or raise and say where it is none.

    Where the file names its columns, `only` are those to read; others may hold anything. Nothing
    in the file is ever executed: a pickled NPY file is refused.
    """
    if _is_text(path):
        content = read_content(path)
        with named(path):
            return parse_csv(content, only)
    names, values = open_file(Path(path)).whole(only)
    with named(path):
        return NumericTable.checked(names, values)


def read_rows(path: str | os.PathLike[str], target: str | None) -> FragmentDataset:
    """Return the rows of a table, with a target: of a text in memory, else of the file."""
    if _is_text(path):
        return read_table(path).dataset(target)
    return open_path(Path(path), target)


def _is_text(path: str | os.PathLike[str]) -> bool:
    """Return whether it is none of the files that `open_rows` reads."""
    return Path(path).suffix.lower() not in SUFFIXES
