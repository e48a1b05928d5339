"""A user's file as a table of numbers: CSV, NPY or Parquet, by the end of its name."""

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise._extras import required
from tilewise._files import read_content, read_npy
from tilewise.data.columns import check_names, column_label, columns_of
from tilewise.tables.csv_file import parse_csv
from tilewise.tables.table import NumericTable

__all__ = ["read_table"]


def read_table(path: str | os.PathLike[str], only: Sequence[str] | None = None) -> NumericTable:
    r"""Read a table of numbers.

    Nothing in the file is ever executed: a pickled NPY file is refused.

    Parameters
    ----------
    path : path
        ``.npy`` is NumPy's format, with an array (n, d); ``.parquet`` needs PyArrow; anything else
        is text, see `tilewise.tables.csv_file.parse_csv`.
    only : sequence of str, optional
        Where the file names its columns, those to read; others may hold anything.

    Returns
    -------
    NumericTable

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        It is no table of finite numbers. The message says where.
    ImportError
        PyArrow is not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "table.csv")
    ...     _ = path.write_text("x,y\n1,2\n")
    ...     read_table(path).names
    ('x', 'y')
    """
    parse = {".npy": _parse_npy, ".parquet": _parse_parquet}.get(Path(path).suffix.lower())
    content = read_content(path)
    try:
        return (parse or parse_csv)(content, only)
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from None
    except MemoryError:
        raise ValueError(f"{os.fspath(path)}: it does not fit in memory") from None


def _parse_npy(content: bytes, only: Sequence[str] | None) -> NumericTable:
    array = read_npy(content)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"its array has dtype {array.dtype}; save one of real numbers")
    if array.ndim != 2:
        raise ValueError(f"its array has shape {array.shape}; save one of shape (n, d)")
    return NumericTable.checked(None, array)


def _parse_parquet(content: bytes, only: Sequence[str] | None) -> NumericTable:
    pyarrow = required("pyarrow", "tables", "Parquet files need PyArrow")
    parquet = required("pyarrow.parquet", "tables", "Parquet files need PyArrow")
    try:
        table = parquet.ParquetFile(io.BytesIO(content)).read()
        table.validate(full=True)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"it is not a whole Parquet file: {reason}") from None
    names = tuple(table.column_names)
    check_names(names)
    chosen = columns_of(names, only)
    columns = [_parquet_column(column_label(names, i), table[i]) for i in chosen]
    values = np.column_stack(columns) if columns else np.empty((table.num_rows, 0))
    return NumericTable.checked(tuple(names[i] for i in chosen), values)


def _parquet_column(label: str, column: Any) -> NDArray[np.float64]:
    import pyarrow.types as kinds

    kind = column.type
    is_number = (kinds.is_integer, kinds.is_floating, kinds.is_boolean, kinds.is_decimal)
    if not any(is_it(kind) for is_it in is_number):
        raise ValueError(f"{label} is of type {kind}; make it a number or remove it")
    if column.null_count:
        row = int(np.argmax(column.is_null().to_numpy())) + 1
        raise ValueError(
            f"row {row}, {label} has no value; missing in the column: {column.null_count} of "
            f"{len(column)}; mend or remove such rows"
        )
    if kinds.is_boolean(kind):
        column = column.cast("int8")
    return np.asarray(column.cast("float64", safe=False).to_numpy(), np.float64)
