"""Parquet and Arrow IPC files that are read while the model trains."""

import subprocess
import sys
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings

import tilewise as tw
from tests.support.damage import DAMAGE, damaged
from tests.support.streams import SMALL, USED, D, N, assert_same, sequential

pytestmark = pytest.mark.once

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

NAMES = [*"abcde", "label"]


def write(path, columns, group_rows=100, **options):
    """Write columns by name, in groups of some rows."""
    table = pa.table(columns)
    if path.suffix == ".parquet":
        parquet.write_table(table, path, row_group_size=group_rows, **options)
        return
    with pa.ipc.new_file(path, table.schema, **options) as file:
        file.write_table(table, max_chunksize=group_rows)


def columns_of(table, names=NAMES):
    return dict(zip(names, np.ascontiguousarray(table.T), strict=True))


@pytest.fixture(params=["parquet", "arrow", "feather"])
def suffix(request):
    return request.param


@pytest.fixture
def table():
    return np.random.default_rng(0).normal(size=(N, D + 1)).astype(np.float32)


@pytest.fixture
def path(table, tmp_path, suffix):
    path = tmp_path / f"rows.{suffix}"
    write(path, columns_of(table))
    return path


def test_weights_equal_those_of_a_fit_in_memory(table, path, tmp_path, suffix):
    expected = sequential(table[:, :-1], table[:, -1])
    folder = tmp_path / "shards"
    folder.mkdir()
    for number, part in enumerate(np.split(table, [333, 640])):
        write(folder / f"{number}.{suffix}", columns_of(part))
    moved = tmp_path / f"moved.{suffix}"
    write(moved, columns_of(np.roll(table, 3, axis=1), np.roll(NAMES, 3)))
    beside = tmp_path / f"beside.{suffix}"
    write(beside, columns_of(table[:, :-1], NAMES[:-1]))
    np.save(tmp_path / "beside.y.npy", table[:, -1])
    for source, target in [(path, None), (path, "label"), (path, -1), (folder, None)]:
        assert_same(sequential(tw.open_rows(source, target=target, buffer_bytes=SMALL)), expected)
    assert_same(sequential(tw.open_rows(beside, buffer_bytes=SMALL)), expected)
    for target in ("label", 2, -4):
        rows = tw.open_rows(moved, target=target, buffer_bytes=SMALL)
        order = [NAMES.index(name) for name in np.roll(NAMES, 3) if name != "label"]
        assert_same(sequential(rows), sequential(table[:, order], table[:, -1]))


@pytest.mark.parametrize("options", [{"compression": "zstd"}, {"compression": None}])
def test_compressed_and_empty_groups(table, tmp_path, suffix, options):
    if suffix != "parquet":
        options = {"options": pa.ipc.IpcWriteOptions(**options)}
    path = tmp_path / f"rows.{suffix}"
    write(path, columns_of(table), **options)
    if suffix == "arrow":
        batch = pa.record_batch(columns_of(table))
        with pa.ipc.new_file(path, batch.schema, **options) as file:
            for start, stop in [(0, 0), (0, 300), (300, 300), (300, N), (N, N)]:
                file.write_batch(batch.slice(start, stop - start))
    rows = tw.open_rows(path, buffer_bytes=10 * SMALL)
    assert_same(sequential(rows), sequential(table[:, :-1], table[:, -1]))
    trainer = tw.Trainer(D, batch_size=7, seed=1)
    trainer.run_epoch(rows)
    assert trainer.examples == N


def test_integers_and_doubles_become_float64(tmp_path, suffix):
    columns = {"a": np.arange(10), "b": np.arange(10, dtype=np.float32), "c": np.ones(10)}
    write(tmp_path / f"rows.{suffix}", columns)
    rows = tw.open_rows(tmp_path / f"rows.{suffix}")
    assert (rows.dtype, rows.n_features, rows.n_rows) == (np.float64, 2, 10)
    columns = {"a": np.arange(10, dtype=np.float16), "b": np.ones(10, np.float32)}
    write(tmp_path / f"rows.{suffix}", columns)
    assert tw.open_rows(tmp_path / f"rows.{suffix}").dtype == np.float32


def test_files_that_differ_are_named(table, tmp_path, suffix):
    for names, number in ((NAMES, 0), ([*"abdce", "label"], 1)):
        write(tmp_path / f"{number}.{suffix}", columns_of(table, names))
    with pytest.raises(
        ValueError, match=rf"1.{suffix} has .*columns a, b, d.*0.{suffix} .*columns a, b, c"
    ):
        tw.open_rows(tmp_path)
    (tmp_path / f"1.{suffix}").unlink()
    np.save(tmp_path / "1.npy", table)
    with pytest.raises(ValueError, match=r"1.npy has 5 features of float32, but"):
        tw.open_rows(tmp_path)


def test_targets_that_differ_are_named(table, tmp_path, suffix):
    for number, target in enumerate(("y", "z")):
        write(tmp_path / f"{number}.{suffix}", columns_of(table, [*"abcde", target]))
    message = rf"1.{suffix} has .*, target z, but .*0.{suffix} .*, target y; make them alike"
    with pytest.raises(ValueError, match=message):
        tw.open_rows(tmp_path)
    write(tmp_path / f"1.{suffix}", columns_of(table[:, :-1], "abcde"))
    np.save(tmp_path / "1.y.npy", table[:, -1])
    with pytest.raises(ValueError, match=rf"1.{suffix} has .*, labels beside them, but"):
        tw.open_rows(tmp_path)


def test_decimals_are_those_of_python(tmp_path, suffix):
    texts = [f"{i}.{j:03}" for i in range(0, 10**6, 997) for j in (1, 7, 333)]
    column = pa.array([Decimal(text) for text in texts], pa.decimal128(20, 3))
    write(tmp_path / f"rows.{suffix}", {"a": column, "b": np.ones(len(texts))})
    X, _ = tw.open_rows(tmp_path / f"rows.{suffix}").loaded()
    assert X[:, 0].tolist() == list(map(float, texts))


@pytest.mark.parametrize(
    ("columns", "target", "error", "message"),
    [
        (
            {"a": [1.0], "b": [2.0]},
            "c",
            ValueError,
            r"target='c' is not a column; give a number from 1 to 2 or a name: 'a', 'b'",
        ),
        (
            {"a": [1.0], "b": [2.0]},
            2,
            ValueError,
            r"target=2 is no index of 2 columns; give -2 to 1",
        ),
        ({"a": [1.0]}, None, ValueError, "has one column"),
        (
            {"a": ["x"], "b": [2.0]},
            None,
            ValueError,
            r"column 1 \('a'\) is of type string; make it",
        ),
        ({"a": np.ones(0), "b": np.ones(0)}, None, ValueError, "has no rows"),
        ({" ": [1.0], "b": [2.0]}, None, ValueError, "column 1 has no name"),
    ],
)
def test_bad_columns_are_named(tmp_path, suffix, columns, target, error, message):
    path = tmp_path / f"rows.{suffix}"
    write(path, columns)
    with pytest.raises(error, match=message):
        tw.open_rows(path, target=target)


def test_missing_values_are_named_and_take_the_epoch_back(table, tmp_path, suffix):
    columns = columns_of(table)
    columns["c"] = pa.array(columns["c"], mask=np.arange(N) == 777)
    path = tmp_path / f"rows.{suffix}"
    write(path, columns)
    trainer = tw.Trainer(D, seed=0)
    before = trainer.weights.copy()
    with pytest.raises(ValueError, match=r"row 778, column 3 \('c'\) has no value"):
        trainer.run_epoch(tw.open_rows(path, buffer_bytes=SMALL))
    assert trainer.examples == 0
    np.testing.assert_array_equal(trainer.weights, before)


def test_damaged_and_missing_files_are_named(path, tmp_path, suffix):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=rf"rows.{suffix} is damaged: .*; write it anew"):
        tw.open_rows(path)
    with pytest.raises(FileNotFoundError, match=rf"none.{suffix} cannot be read: .*No such file"):
        tw.open_rows(tmp_path / f"none.{suffix}")


@settings(max_examples=300, derandomize=True)
@given(changes=DAMAGE)
@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_damaged_files_train_or_are_refused(tmp_path_factory, kind, changes):
    path = tmp_path_factory.getbasetemp() / f"damaged.{kind}"
    write(path, {name: np.arange(7.0) for name in "abc"}, group_rows=3)
    path.write_bytes(damaged(path.read_bytes(), changes))
    try:
        rows = tw.open_rows(path)
        trainer = tw.Trainer(rows.n_features, dtype=rows.dtype, learning_rate=1e-9, seed=0)
        trainer.run_epoch(rows)
    except (OSError, TypeError, ValueError, MemoryError) as error:
        assert path.name in str(error) or "buffer_bytes" in str(error)
    except tw.DivergenceError:
        pass


def test_without_pyarrow_the_extra_is_named(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r'needs PyArrow, .* pip install "tilewise\[tables\]"'):
        tw.open_rows(path)


def test_groups_too_large_for_the_buffer_are_refused(path):
    with pytest.raises(ValueError, match=r"buffer_bytes=2000 is too small .* smaller row groups"):
        tw.fit(tw.open_rows(path, buffer_bytes=2000))


# Fitted before: the first use loads code of PyArrow's, which is not memory for rows.
OPEN = "tw.fit(tw.open_rows(sys.argv[2]))\nrows = tw.open_rows(sys.argv[1], buffer_bytes={bound})"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_stays_within_buffer_bytes(path, tmp_path, suffix):
    bound = 64 * 2**20
    n = 4 * bound // 256
    random = np.random.default_rng(0)
    columns = {f"c{j}": random.normal(size=n).astype(np.float32) for j in range(64)}
    large = tmp_path / f"large.{suffix}"
    write(large, columns, group_rows=n // 64)
    code = USED.format(open=OPEN.format(bound=bound), rate="auto")
    run = [sys.executable, "-c", code, str(large), str(path)]
    used = int(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
    assert bound / 4 < used < bound


def test_a_dot_in_a_name_is_part_of_it(table, tmp_path, suffix):
    path = tmp_path / f"rows.{suffix}"
    write(path, columns_of(table, ["a.b", "a", "b", "a.b.c", "a.c", "y"]))
    expected = sequential(table[:, :-1], table[:, -1])
    assert_same(sequential(tw.open_rows(path, buffer_bytes=SMALL)), expected)
