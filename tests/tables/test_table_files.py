"""Tables from outside: what is read, what is refused and where it says the fault is."""

import csv
import io
import os
import pickle
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.damage import DAMAGE, damaged
from tilewise.data.columns import position_of
from tilewise.tables import csv_file
from tilewise.tables.csv_file import parse_csv
from tilewise.tables.read import read_table

pytestmark = pytest.mark.once

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def parquet(**columns):
    pyarrow = pytest.importorskip("pyarrow.parquet")
    file = io.BytesIO()
    pyarrow.write_table(sys.modules["pyarrow"].table(columns), file)
    return file.getvalue()


def read(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    return read_table(path)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("1,2\n3,4\n", None),
        ("a,b\n1,2\n3,4\n", ("a", "b")),
        ("a,b\r\n1,2\r\n3,4", ("a", "b")),
        ("a,b\r1,2\r3,4\r", ("a", "b")),
        ("\ufeffa;b\n1;2\n3;4\n", ("a", "b")),
        ("a\tb\n1\t2\n3\t4\n", ("a", "b")),
        ("a|b\n1|2\n3|4\n", ("a", "b")),
        ("  1   2\n 3\t4  \n", None),
        ("1, 2\n3, 4\n", None),
        ('"a", "b"\n"1", "2"\n 3,  "4" \n', ("a", "b")),
        ('"a;x","b\n2"\n"1","2"\n3,4\n', ("a;x", "b\n2")),
        ('"living area" rooms\n1 2\n3 4\n', ("living area", "rooms")),
        ("living area,number of rooms\n1,2\n3,4\n", ("living area", "number of rooms")),
        ("\n\na,b\n\n1,2\n   \n3,4\n\n", ("a", "b")),
        ("Größe_1,b\n1,2\n3,4e0\n", ("Größe_1", "b")),
        ("a,nan\n1,2\n3,4\n", ("a", "nan")),
    ],
)
def test_csv_as_people_write_it(text, names):
    table = parse_csv(text.encode())
    assert table.names == names
    assert table.values.tolist() == [[1, 2], [3, 4]]
    assert table.values.dtype == np.float64


def test_only_some_columns():
    content = b"id,a,b\nx,1,2\ny,3,4\n"
    table = parse_csv(content, only=("b", "a"))
    assert table.names == ("b", "a")
    assert table.values.tolist() == [[2, 1], [4, 3]]
    assert parse_csv(b"1,2\n", only=("b",)).values.tolist() == [[1, 2]]
    with pytest.raises(ValueError, match=r"column 'c' \(and 1 more\) is missing; add it"):
        parse_csv(content, only=("a", "c", "d"))
    with pytest.raises(ValueError, match=r"line 2, column 1 \('id'\): 'x' is not a number"):
        parse_csv(content, only=("b", "id"))


def test_a_quote_that_is_not_closed_takes_no_rows_along():
    whole = b'a,note\n1,"x\ny"\n2,z\n3,\n'
    assert parse_csv(whole, only=("a",)).values.tolist() == [[1], [2], [3]]
    with pytest.raises(ValueError, match="line 4: a quote is not closed"):
        parse_csv(whole.replace(b"z", b'"z'), only=("a",))
    with pytest.raises(ValueError, match="line 1: a quote is not closed"):
        parse_csv(b'"a,note\n1,x\n', only=("a",))


@pytest.mark.parametrize(
    "name", ["x", "living area", "width|height", "x;y", '"living area"', '"area, total"']
)
@pytest.mark.parametrize("rows", [1, 2, 100])
def test_one_column(name, rows):
    table = parse_csv("\n".join([name, "", *["7"] * rows]).encode())
    assert table.names == (name.strip('"'),)
    assert table.values.tolist() == [[7]] * rows
    assert parse_csv(b"1\n\n2\n").values.tolist() == [[1], [2]]


@given(
    st.integers(1, 4).flatmap(lambda d: st.lists(st.lists(FINITE, min_size=d, max_size=d))),
    st.sampled_from(["\t", ";", "|", ",", " ", ", "]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
def test_csv_gives_back_every_number_exactly(rows, delimiter, end, header):
    rows = rows or [[0.5, -0.0]]
    lines = [delimiter.join(map(repr, row)) for row in rows]
    if header:
        lines.insert(0, delimiter.join(f"x_{i}" for i in range(len(rows[0]))))
    table = parse_csv(end.join(lines).encode())
    assert (table.names is not None) == header
    assert table.values.tobytes() == np.array(rows).tobytes()


def outcome(read, *arguments):
    try:
        table = read(*arguments)
    except ValueError as error:
        return str(error)
    return table.names, table.values.shape, table.values.tobytes()


NUMBERS = (
    st.floats().map(repr)
    | st.integers().map(str)
    | st.from_regex(r"[+-]?[0-9]*[.]?[0-9]*([eE][+-]?[0-9]{1,3})?", fullmatch=True)
    | st.sampled_from(["", " 1", "2 ", "1 2", "inf", "NA", "1_0", "#1", '"3"', "0x1p3", "x"])
)


@settings(max_examples=500)
@given(
    st.lists(st.lists(NUMBERS, min_size=1, max_size=3), min_size=1, max_size=5),
    st.sampled_from(["\t", ";", "|", ",", " ", ", "]),
    st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\n \n", "\n#"]),
    st.sampled_from(["", "a\n", "a,b\n", "a b c\n", "\ufeff", "\n"]),
)
def test_the_fast_reader_reads_what_the_careful_one_does(rows, delimiter, end, start):
    content = (start + end.join(delimiter.join(row) for row in rows)).encode()
    found = outcome(parse_csv, content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_file, "_read_fast", lambda *_: None)
        assert outcome(parse_csv, content) == found


def test_the_fast_reader_takes_plain_numbers_alone():
    for start, names in ((b"a,b\n", ("a", "b")), (b'"a","b"\r\n', ("a", "b")), (b"0,0\n", None)):
        table = csv_file._read_fast(start + b"1,2\r\n\n+3e0, .4\n", ",", None)
        assert table.names == names
        assert table.values[-2:].tolist() == [[1, 2], [3, 0.4]]
        for rest in (b"1,x\n", b'1,"2"\n', b"1\n", b"1,\n", b"1,1e999\n", b"1,nan\n", b""):
            assert csv_file._read_fast(start + rest, ",", None) is None
    assert csv_file._read_fast(b"a b\n1  2\n", " ", ["b"]).values.tolist() == [[2]]
    long = b"a,b\n1,1." + b"0" * csv.field_size_limit() + b"\n"
    assert csv_file._read_fast(long, ",", None) is None
    wide = b",".join([b"1"] * csv.field_size_limit())
    assert csv_file._read_fast(wide + b"\n" + wide, ",", None).values.sum() == 2 * 131_072


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"\xef\xbb\xbf\r\n\r\n", "it is empty"),
        (b"a,b\n", "it has a header and no rows"),
        (b"a,a\n1,2", "2 columns have the name 'a'; give each its own"),
        (b"a,\n1,2", "column 2 has no name in the header; give it one"),
        (b",a\n0,2", r"column 1 has no name in the header; .* pandas .* to_csv\(index=False\)$"),
        (b"sep=;\r\na;b\r\n1;2\r\n", "its first line, 'sep=', is for Excel alone; remove that"),
        (b"\xef\xbb\xbfsep=\t\n1\t2\n", "its first line, 'sep=', is for Excel alone; remove"),
        (b"a,b\n1,2\n\n3,\n5\n6,7", r"line 4, column 2 \('b'\) has no value; bad rows: 2 of 4;"),
        (
            b"a,b\n1,2\n3\n4,nan\n",
            "line 3 has another number of fields: 1, not 2; bad rows: 2 of 3;",
        ),
        (b"a,b\n1,2,3\n", "line 2 has another number of fields: 3, not 2; bad rows: 1 of 1;"),
        (b"a,b\n1,NA\n", r"line 2, column 2 \('b'\): 'NA' is not a number; bad rows: 1 of 1"),
        (b"1,2\n3,x\n", "line 2, column 2: 'x' is not a number; bad rows: 1 of 2"),
        (b"1,x\n3,4\n", r"line 1, column 2: 'x' is not a number \(a header has no number in any"),
        (b"1 200\n300\n", r"line 1, column 1: '1 200' is not a number \(a header has no number in"),
        (b'"1,200","1,300"\n5,6\n', "line 1, column 1: '1,200' has a comma inside the number"),
        (b"1 2\n3 4\n5\n", "line 3 has another number of fields: 1, not 2"),
        (b"1,2\n3,-Infinity\n", "line 2, column 2: '-Infinity' is not a finite number"),
        (b"1,2\n3,1e999\n", "line 2, column 2: '1e999' is not a finite number"),
        (b"a_b,c\n1,2_0\n", "line 2, column 2 .*: '2_0' is not a number"),
        (b"a;b\n1;2,5\n", "line 2, column 2 .*: '2,5' has a decimal comma where a point is needed"),
        (
            b'a,b\n1,"1,200"\n',
            "line 2, column 2 .*: '1,200' has a comma inside the number; remove it if it groups "
            "thousands, or write a point if it is a decimal comma; bad rows: 1 of 1",
        ),
        (b"a;b\n1;-1,234,567.5\n", "line 2, column 2 .*: '-1,234,567.5' has a comma inside"),
        (b"a;b\n1;1,2000\n", "line 2, column 2 .*: '1,2000' has a decimal comma"),
        (b"a,b\r1,2\r3,\xf6\r", "line 3, offset 10: byte 0xf6"),
        (b"a,b\n1,\xf6\n", "line 2, offset 6: byte 0xf6 is not UTF-8; save the file as UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "line 1, offset 0: byte 0xff is not UTF-8"),
        (b"a,b\n1,2\0\n", "line 2, offset 7: a zero byte is not text"),
        (b'a,b\n1,"2\n3,4\n', "line 2: a quote is not closed; close or remove it"),
        (b'1 2\n3 "4\n5 6\n', "line 2: a quote is not closed"),
        (b'\n"a,b\n1,2\n', "line 2: a quote is not closed"),
        (b'a,b\n1,2"3\n4,5\n', r"line 2, column 2 \('b'\): '2\"3' is not a number; bad"),
        (
            b'a,b\n1,2\n\n"1,2\n3,"4"\n5,6\n',
            r"line 4 has another number of fields: 1, not 2 \(the row ends in line 5; is a quote "
            r"missing\?\); bad rows: 1 of 3",
        ),
        (
            b'a;b\n1;"2\n3"\n4;5\n',
            r"line 2, column 2 \('b'\): '2\\n3' is not a number \(the row ends in line 3; is",
        ),
        (b'a,b\n"1\n",2\n3,x\n', r"line 4, column 2 \('b'\): 'x' is not a number; bad"),
        (b'a,b\n1,2\n3,"\n' + b"2\n" * 200_000, "line 3: field larger than .*; is a quote mis"),
        (b"a,b\n1," + b"x" * 1000, r"line 2, column 2 \('b'\): 'x{30}'\.\.\. is not a number"),
    ],
)
def test_csv_faults_are_named_by_line_and_column(tmp_path, content, message):
    with pytest.raises(ValueError, match=r"table\.csv: " + message):
        read(tmp_path, "table.csv", content)


def test_npy_of_any_real_dtype_becomes_float64(tmp_path):
    for dtype in (np.int8, np.uint64, np.bool_, np.float16, ">f4", np.longdouble):
        table = read(tmp_path, "table.npy", npy(np.asfortranarray(np.eye(2, 3), dtype)))
        assert table.values.dtype == np.float64
        assert table.values.flags.c_contiguous
        np.testing.assert_array_equal(table.values, np.eye(2, 3))
        assert table.names is None


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


PICKLED = npy(np.array([[Bomb()]], object), allow_pickle=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (PICKLED, "holds pickled objects, which can run code and are not read"),
        (pickle.dumps(Bomb()), "is not a whole NPY file"),
        (b"", "is not a whole NPY file"),
        (npy(np.eye(3))[:-1], "is cut short at 199 bytes"),
        (npy(np.ones(3)), r"has shape \(3,\); save shape \(n, d\)"),
        (npy(np.ones((1, 1, 1))), "has shape"),
        (npy(np.ones((0, 3))), r"has shape \(0, 3\); save shape \(n, d\) with at least one row"),
        (npy(np.ones((1, 1), complex)), "has dtype complex128; save real"),
        (npy(np.array([["1"]])), "has dtype <U1"),
        (npy(np.zeros((1, 1), "M8[s]")), "has dtype datetime64"),
        (npy(np.array([[1, 2], [np.nan, 3]])), "row 2, column 1 is nan; bad rows: 1 of 2"),
        (npy(np.array([[np.longdouble("1e4000")]])), "row 1, column 1 is inf"),
    ],
)
def test_npy_faults(tmp_path, monkeypatch, content, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=rf"table\.npy:? ?{message}"):
        read(tmp_path, "table.npy", content)
    assert os.listdir(tmp_path) == ["table.npy"]


def test_a_header_that_announces_too_much(tmp_path):
    whole = npy(np.ones((10, 10)))
    content = whole.replace(b"(10, 10), }" + b" " * 13, b"(10, 1" + b"0" * 14 + b"), }")
    assert len(content) == len(whole) and content != whole
    with pytest.raises(ValueError, match=r"is cut short at"):
        read(tmp_path, "table.npy", content)


def test_parquet(tmp_path):
    content = parquet(a=[1, 2], b=[0.5, 1.5], c=[True, False])
    table = read(tmp_path, "table.parquet", content)
    assert table.names == ("a", "b", "c")
    assert table.values.tolist() == [[1, 0.5, 1], [2, 1.5, 0]]
    path = tmp_path / "table.parquet"
    path.write_bytes(parquet(a=[1, 2], b=["x", None], c=[3, 4]))
    assert read_table(path, only=["c", "a"]).values.tolist() == [[3, 1], [4, 2]]


@pytest.mark.parametrize("suffix", ["arrow", "feather"])
def test_arrow_ipc_in_several_batches(tmp_path, suffix):
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": [1, 2, 3], "b": ["x", "y", "z"], "c": [0.5, 1.5, 2.5]})
    with pa.ipc.new_file(tmp_path / f"table.{suffix}", table.schema) as file:
        file.write_table(table, max_chunksize=2)
    read = read_table(tmp_path / f"table.{suffix}", only=["c", "a"])
    assert read.names == ("c", "a")
    assert read.values.tolist() == [[0.5, 1], [1.5, 2], [2.5, 3]]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": [1, 2], "b": ["x", "y"]}, r"column 2 \('b'\) is of type string; make it a number"),
        ({"a": [1, 2, None, None]}, r"row 3, column 1 \('a'\) has no value; mend or remove"),
        ({"a": [1.0, float("inf")]}, r"row 2, column 1 \('a'\) is inf; bad rows: 1 of 2"),
        ({"a": [[1], [2]]}, r"column 1 \('a'\) is of type list"),
        ({"a": [None]}, r"column 1 \('a'\) is of type null"),
        ({}, "has no rows"),
        ({" ": [1]}, "column 1 has no name"),
    ],
)
def test_parquet_faults(tmp_path, columns, message):
    with pytest.raises(ValueError, match=rf"table\.parquet:? {message}"):
        read(tmp_path, "table.parquet", parquet(**columns))


def test_parquet_that_is_damaged(tmp_path):
    whole = parquet(a=[1, 2])
    for content in (b"", b"hello", whole[:-9], whole[:20] + whole[30:]):
        with pytest.raises(ValueError, match=r"table\.parquet is damaged: .*; write it anew"):
            read(tmp_path, "table.parquet", content)


def test_parquet_without_pyarrow_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r'pip install "tilewise\[tables\]"'):
        read(tmp_path, "table.parquet", b"")


def test_what_is_not_a_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.csv cannot be read: No such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(IsADirectoryError, match="is a folder; give a file"):
        read_table(tmp_path)
    with pytest.raises(OSError, match="/dev/zero is a device; give a file"):
        read_table("/dev/zero")
    with pytest.raises(ValueError, match="null"):
        read_table("a\0b")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OSError, match="cannot be read: Too many levels"):
        read_table(tmp_path / "loop")


def test_a_file_without_permission(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "table.csv").write_text("1,2")
    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)  # root may read everything
    with pytest.raises(PermissionError, match=r"table\.csv cannot be read: Permission denied"):
        read_table(tmp_path / "table.csv")


def test_a_column_by_name_or_number():
    names = ("a", "2", "c")
    for target, position in zip(
        (None, "c", "2", "1", "3", 0, -1), (2, 2, 1, 0, 2, 0, 2), strict=True
    ):
        assert position_of(target, names, 3) == position
    for wrong in ("0", "4", "-1", "x", "", "²", "9" * 5000):
        with pytest.raises(ValueError, match="is not a column; give a number from 1 to 3 or a na"):
            position_of(wrong, names, 3)
    for wrong in (3, -4):
        with pytest.raises(ValueError, match="is no index of 3 columns; give -3 to 2, or a number"):
            position_of(wrong, names, 3)
    for wrong in (1.0, True):
        with pytest.raises(TypeError, match=f"target={wrong} is not an integer"):
            position_of(wrong, names, 3)


def read_or_refuse(path, content):
    path.write_bytes(content)
    try:
        table = read_table(path)
    except (ValueError, MemoryError):
        return
    assert np.isfinite(table.values).all() and table.values.size


@settings(max_examples=300)
@given(content=st.binary() | st.text("0123456789.,;eE+-_\"' \t\r\nab").map(str.encode))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    pytest.importorskip("pyarrow")
    folder = tmp_path_factory.getbasetemp()
    for name in ("fuzz.csv", "fuzz.npy", "fuzz.parquet"):
        read_or_refuse(folder / name, content)


WHOLE = {
    "fuzz.csv": b'a,"b"\r\n1,2.5\r\n"3",-4e5\r\n',
    "fuzz.npy": npy(np.eye(4)),
    "fuzz_pickled.npy": PICKLED,
}


@pytest.mark.parametrize("name", WHOLE)
@settings(max_examples=300)
@given(changes=DAMAGE)
def test_damaged_files_are_read_or_refused(tmp_path_factory, name, changes):
    read_or_refuse(tmp_path_factory.getbasetemp() / name, damaged(WHOLE[name], changes))
    assert not os.path.exists("exploded")


@settings(max_examples=300, derandomize=True)
@given(changes=DAMAGE)
def test_damaged_parquet_is_read_or_refused(tmp_path_factory, changes):
    content = damaged(parquet(a=[1, 2, 3], b=[0.5, 1.5, 2.5]), changes)
    read_or_refuse(tmp_path_factory.getbasetemp() / "fuzz.parquet", content)
