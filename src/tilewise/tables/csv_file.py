"""Numbers in a text file, with or without a header, whatever the delimiter."""

import csv
import io
import math
import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

import numpy as np

from tilewise.data.columns import check_names, column_label, columns_of
from tilewise.tables.table import NumericTable

# The first that fits is taken. The comma comes late, since it may be a decimal comma; the space
# last, since it may follow a comma. csv.Sniffer takes letters for delimiters.
_DELIMITERS = "\t;|, "
_SAMPLE_LINES = 20
_COMMA_OF_EITHER_KIND = re.compile(r"\s*[+-]?\d+(,\d{3})+(\.\d*)?\s*")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,\d+(e[+-]?\d+)?\s*", re.IGNORECASE)
_FOR_EXCEL = re.compile(r'"?sep=."?\s*', re.IGNORECASE)
_GROUPING = re.compile(r"[,\s]")  # as in 1,200 or 1 200, which are faults and no names
_SHOWN_CHARACTERS = 30
_PLAIN = b"0123456789.eE+- \n"  # what numbers are made of, and between them


def parse_csv(content: bytes, only: Sequence[str] | None = None) -> NumericTable:
    r"""Return the table of a UTF-8 text, or raise ValueError and name line, column and fault.

    The delimiter is a tab, semicolon, vertical bar, comma or white space, as the first lines have
    it. The first line is a header if none of its fields is a number, even without commas and
    spaces. Blank lines are skipped. Where there is a header, `only` names the columns to read;
    others may hold anything.
    """
    _check_text(content)
    sample = list(islice(filter(str.strip, _text(content)), _SAMPLE_LINES))
    if sample and _FOR_EXCEL.fullmatch(sample[0]):
        raise ValueError("its first line, 'sep=', is for Excel alone; remove that line")
    delimiter = _delimiter(sample)
    return _read_fast(content, delimiter, only) or _read_carefully(content, delimiter, only)


def _read_fast(content: bytes, delimiter: str, only: Sequence[str] | None) -> NumericTable | None:
    """Return what `_read_carefully` does where all below the first line are plain numbers."""
    first, _, rest = content.replace(b"\r\n", b"\n").partition(b"\n")
    if rest.translate(None, _PLAIN + delimiter.encode()) or not rest.strip():
        return None
    longest = csv.field_size_limit()
    long_lines = (line for line in rest.split(b"\n") if len(line) > longest)
    if any(len(field) > longest for line in long_lines for field in line.split(delimiter.encode())):
        return None
    try:
        separator = None if delimiter == " " else delimiter
        values = np.loadtxt(io.BytesIO(rest), delimiter=separator, comments=None, ndmin=2)
        # Read below the first line, the numbers of all columns become those of the columns read.
        numbers = delimiter.join(map(str, range(values.shape[1])))
        head = _read_carefully(first + b"\n" + numbers.encode(), delimiter, only)
    except ValueError:
        return None
    *before, columns = head.values
    values = np.vstack([*before, values[:, columns.astype(int)]])
    return NumericTable(head.names, values) if np.isfinite(values).all() else None


def _read_carefully(content: bytes, delimiter: str, only: Sequence[str] | None) -> NumericTable:
    """Return the table, row by row, or raise; see `parse_csv`."""
    rows = _rows(content, delimiter)
    first = next(rows, None)
    if first is None:
        raise ValueError("it is empty")
    width, names = len(first.fields), None
    columns: Sequence[int] = range(width)
    if any(_is_number(_GROUPING.sub("", field), finite=True) for field in first.fields):
        rows = chain([first], rows)
    else:
        names = _header(first.fields)
        columns = columns_of(names, only)
    values, bad_rows, first_fault = array("d"), 0, ""
    for row in rows:
        fields = [row.fields[i] for i in columns] if len(row.fields) == width else [""]
        try:
            numbers = list(map(float, fields))
        except ValueError:
            numbers = [math.nan]
        if all(map(math.isfinite, numbers)) and "_" not in "".join(fields):
            values.extend(numbers)
            continue
        bad_rows += 1
        first_fault = first_fault or _fault(row, columns, width, names)
        if row is first and first_fault.endswith("not a number"):
            first_fault += " (a header has no number in any field)"
    n = bad_rows + len(values) // len(columns)
    if bad_rows:
        raise ValueError(f"{first_fault}; bad rows: {bad_rows} of {n}; mend or remove them")
    if n == 0:
        raise ValueError("it has a header and no rows")
    chosen = None if names is None else tuple(names[i] for i in columns)
    return NumericTable(chosen, np.frombuffer(values, np.float64).reshape(n, len(columns)))


class _Row(NamedTuple):
    fields: list[str]
    line: int  # the first: a line break may be within quotes
    last_line: int


def _rows(content: bytes, delimiter: str) -> Iterator[_Row]:
    """Yield the rows that are not blank."""
    lines: Iterator[str] = _text(content)
    if delimiter == " ":
        lines = (" ".join(line.split()) + "\n" for line in lines)
    line, ended = 1, False

    def with_an_empty_line() -> Iterator[str]:  # which only a quote not closed takes into a row
        nonlocal ended
        yield from lines
        ended = True
        yield ""

    reader = csv.reader(with_an_empty_line(), delimiter=delimiter, skipinitialspace=True)
    try:
        for fields in reader:
            if fields and ended:
                raise ValueError(f"line {line}: a quote is not closed; close or remove it")
            if len(fields) > 1 or any(map(str.strip, fields)):
                yield _Row(fields, line, reader.line_num)
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"line {line}: {error}; is a quote missing?") from None


def _header(fields: list[str]) -> list[str]:
    names = [name.strip() for name in fields]
    if not names[0]:
        raise ValueError(
            "column 1 has no name in the header; give it one, or if it is the index of a pandas "
            "table, write the file with to_csv(index=False)"
        )
    check_names(names)
    return names


def _fault(row: _Row, columns: Sequence[int], width: int, names: list[str] | None) -> str:
    """Say what is wrong with a row."""
    quote = ""
    if row.last_line > row.line:
        quote = f" (the row ends in line {row.last_line}; is a quote missing?)"
    line, n = f"line {row.line}", len(row.fields)
    if n != width:
        return f"{line} has another number of fields: {n}, not {width}{quote}"
    i = next(i for i in columns if not _is_number(row.fields[i], finite=True))
    where = f"{line}, {column_label(i, None if names is None else names[i])}"
    return where + _fault_of(row.fields[i]) + quote


def _fault_of(field: str) -> str:
    """Say what is wrong with a field."""
    if not field.strip():
        return " has no value"
    shown = repr(field[:_SHOWN_CHARACTERS]) + ("..." if len(field) > _SHOWN_CHARACTERS else "")
    if _COMMA_OF_EITHER_KIND.fullmatch(field):
        return (
            f": {shown} has a comma inside the number; remove it if it groups thousands, or write "
            "a point if it is a decimal comma"
        )
    if _DECIMAL_COMMA.fullmatch(field):
        return f": {shown} has a decimal comma where a point is needed"
    kind = "finite number" if _is_number(field) else "number"
    return f": {shown} is not a {kind}"


def _is_number(field: str, finite: bool = False) -> bool:
    """Return whether Python reads the field as a number, which may have underscores there."""
    try:
        return "_" not in field and (math.isfinite(float(field)) or not finite)
    except ValueError:
        return False


def _text(content: bytes) -> io.TextIOWrapper:
    """Return the lines, ended by LF, CR LF or CR, without a byte order mark."""
    return io.TextIOWrapper(io.BytesIO(content), "utf-8-sig")


def _check_text(content: bytes) -> None:
    at, what = content.find(b"\0"), "a zero byte is not text"
    try:
        content.decode()
    except UnicodeDecodeError as error:
        at, what = error.start, f"byte 0x{content[error.start]:02x} is not UTF-8"
    if at >= 0:
        line = len(re.split(rb"\r\n|\r|\n", content[:at]))
        raise ValueError(f"line {line}, offset {at}: {what}; save the file as UTF-8 text")


def _delimiter(sample: list[str]) -> str:
    """Return the first delimiter that gives most lines the same number of fields, above one.

    One that leaves as many lines whole is not taken: it may be part of a column's name.
    """

    def lines_alike(delimiter: str) -> int:
        # str.split takes None for any white space.
        separator = None if delimiter == " " else delimiter
        widths = Counter(len(_quotes_emptied(line).split(separator)) for line in sample)
        whole = widths.pop(1, 0)
        alike = max(widths.values(), default=0)
        return alike if alike > whole else 0

    best = max(_DELIMITERS, key=lines_alike)
    return best if lines_alike(best) else ","


def _quotes_emptied(line: str) -> str:
    return re.sub(r'"[^"]*"', '""', line)
