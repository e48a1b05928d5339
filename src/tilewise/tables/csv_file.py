"""Numbers in a text file, with or without a header, whatever the delimiter."""

import csv
import io
import math
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

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
    try:
        separator = None if delimiter == " " else delimiter
        values = np.loadtxt(io.BytesIO(rest), delimiter=separator, comments=None, ndmin=2)
        numbers = delimiter.join(map(str, range(values.shape[1])))
        head = _read_carefully(first + b"\n" + numbers.encode(), delimiter, only)
    except ValueError:
        return None
    *before, columns = head.values
    values = np.vstack([*before, values[:, columns.astype(int)]])
    return NumericTable(head.names, values) if np.isfinite(values).all() else None


def _read_carefully(
    content: bytes, delimiter: str, only: Sequence[str] | None = None
) -> NumericTable:
    """Return the table, row by row, or raise; see `parse_csv`."""
    lines: Iterator[str] = _text(content)
    if delimiter == " ":
        lines = (" ".join(line.split()) + "\n" for line in lines)
    body = _Body(lines, delimiter, _number if b"_" in content else float)
    try:
        return body.table(only)
    except csv.Error as error:
        raise ValueError(f"line {body.line}: {error}; is a quote missing?") from None


class _Body:
    """The rows of a file, as they are read."""

    def __init__(
        self, lines: Iterator[str], delimiter: str, number: Callable[[str], float]
    ) -> None:
        self._reader = csv.reader(
            self._and_an_empty_one(lines), delimiter=delimiter, skipinitialspace=True
        )
        self._number = number
        self.line = 1  # the first of the row being read: a line break may be within quotes
        self._at_end = False
        self._values = array("d")
        self._bad_rows, self._first_fault = 0, ""
        self._width = 0
        self._columns: Sequence[int] = ()  # those to read
        self._names: list[str] | None = None

    def table(self, only: Sequence[str] | None) -> NumericTable:
        rows = self._rows()
        first = next((row for row in rows if not _is_blank(row)), None)
        if first is None:
            raise ValueError("it is empty")
        self._width = len(first)
        self._columns = range(self._width)
        if any(self._is_number(_GROUPING.sub("", field)) for field in first):
            self._add(first)
            if self._first_fault.endswith("not a number"):
                self._first_fault += " (a header has no number in any field)"
        else:
            self._names = [name.strip() for name in first]
            if not self._names[0]:
                raise ValueError(
                    "column 1 has no name in the header; give it one, or if it is the index of a "
                    "pandas table, write the file with to_csv(index=False)"
                )
            check_names(self._names)
            self._columns = columns_of(self._names, only)
        for row in rows:
            self._add(row)
        if self._bad_rows:
            n = self._bad_rows + len(self._values) // len(self._columns)
            raise ValueError(
                f"{self._first_fault}; bad rows: {self._bad_rows} of {n}; mend or remove them"
            )
        if not self._values:
            raise ValueError("it has a header and no rows")
        values = np.frombuffer(self._values, np.float64).reshape(-1, len(self._columns))
        names = None if self._names is None else tuple(self._names[i] for i in self._columns)
        return NumericTable(names, values)

    def _and_an_empty_one(self, lines: Iterator[str]) -> Iterator[str]:
        """Give the lines, and an empty one that only a quote never closed takes into a row."""
        yield from lines
        self._at_end = True
        yield ""

    def _rows(self) -> Iterator[list[str]]:
        for row in self._reader:
            if row and self._at_end:
                raise ValueError(f"line {self.line}: a quote is not closed; close or remove it")
            yield row
            self.line = self._reader.line_num + 1

    def _add(self, row: list[str]) -> None:
        if len(row) == self._width:
            try:
                numbers = [self._number(row[i]) for i in self._columns]
                # The sum shows whether any is not finite, but may overflow by itself.
                if math.isfinite(sum(numbers)) or all(map(math.isfinite, numbers)):
                    self._values.extend(numbers)
                    return
            except ValueError:
                pass
        if not _is_blank(row):
            self._bad_rows += 1
            if not self._first_fault:
                self._first_fault = self._fault(row)
                if self._reader.line_num > self.line:
                    last = self._reader.line_num
                    self._first_fault += f" (the row ends in line {last}; is a quote missing?)"

    def _fault(self, row: list[str]) -> str:
        """Say what is wrong with a row."""
        line = f"line {self.line}"
        if len(row) != self._width:
            return f"{line} has another number of fields: {len(row)}, not {self._width}"
        column = next(i for i in self._columns if not self._is_finite(row[i]))
        name = None if self._names is None else self._names[column]
        where, field = f"{line}, {column_label(column, name)}", row[column]
        if not field.strip():
            return f"{where} has no value"
        shown = repr(field[:_SHOWN_CHARACTERS]) + ("..." if len(field) > _SHOWN_CHARACTERS else "")
        if _COMMA_OF_EITHER_KIND.fullmatch(field):
            return (
                f"{where}: {shown} has a comma inside the number; remove it if it groups "
                "thousands, or write a point if it is a decimal comma"
            )
        if _DECIMAL_COMMA.fullmatch(field):
            return f"{where}: {shown} has a decimal comma where a point is needed"
        return f"{where}: {shown} is not a {'finite ' * self._is_number(field)}number"

    def _is_number(self, field: str) -> bool:
        try:
            self._number(field)
        except ValueError:
            return False
        return True

    def _is_finite(self, field: str) -> bool:
        return self._is_number(field) and math.isfinite(self._number(field))


def _number(field: str) -> float:
    """Return the number; unlike float, take no underscores."""
    if "_" in field:
        raise ValueError(field)
    return float(field)


def _is_blank(row: list[str]) -> bool:
    return len(row) == 0 or (len(row) == 1 and not row[0].strip())


def _text(content: bytes) -> io.TextIOWrapper:
    """Return the lines, ended by LF, CR LF or CR, without a byte order mark."""
    return io.TextIOWrapper(io.BytesIO(content), "utf-8-sig")


def _check_text(content: bytes) -> None:
    try:
        content.decode()
    except UnicodeDecodeError as error:
        at, what = error.start, f"byte 0x{content[error.start]:02x} is not UTF-8"
    else:
        at, what = content.find(b"\0"), "a zero byte is not text"
    if at >= 0:
        line = content.count(b"\n", 0, at) + 1
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
