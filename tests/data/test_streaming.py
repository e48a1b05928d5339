"""Rows that are read while the model trains."""

import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import settings as limits

import tilewise as tw
from tests.support.damage import DAMAGE, damaged
from tests.support.streams import SMALL, USED, D, N, assert_same, sequential
from tilewise.data.buffers import Buffers


@pytest.fixture
def table():
    return np.random.default_rng(0).normal(size=(N, D + 1)).astype(np.float32)


@pytest.fixture
def shards(table, tmp_path):
    """Three uneven shards with the labels in the last column."""
    folder = tmp_path / "shards"
    folder.mkdir()
    for number, part in enumerate(np.split(table, [333, 640])):
        np.save(folder / f"{number}.npy", part)
    return folder


def sources(table, shards, tmp_path):
    X, y = table[:, :-1], table[:, -1]
    np.save(tmp_path / "beside.npy", X)
    np.save(tmp_path / "beside.y.npy", y)
    np.save(tmp_path / "first.npy", np.roll(table, 1, axis=1))
    chunks = [(X[:10], y[:10]), (X[10:900], y[10:900]), (X[900:], y[900:])]
    map_ = np.load(tmp_path / "beside.npy", mmap_mode="r")
    return {
        "folder": tw.open_rows(shards, buffer_bytes=SMALL),
        "labels beside": tw.open_rows(tmp_path / "beside.npy", buffer_bytes=SMALL),
        "first column": tw.open_rows(tmp_path / "first.npy", target=0, buffer_bytes=SMALL),
        "memory map": tw.open_rows(map_, y, buffer_bytes=SMALL),
        "list": tw.open_rows(chunks, buffer_bytes=SMALL),
        "callable": tw.open_rows(lambda: iter(chunks), buffer_bytes=SMALL),
    }


def test_sequential_equals_the_fit_in_memory_bit_by_bit(table, shards, tmp_path):
    expected = sequential(table[:, :-1], table[:, -1])
    for name, rows in sources(table, shards, tmp_path).items():
        history = sequential(rows)
        assert len(history.losses) > 4, name  # there was more than one buffer
        assert_same(history, expected)


def test_run_epoch_and_the_estimator_equal_fit(shards):
    rows = tw.open_rows(shards, buffer_bytes=SMALL)
    trainer = tw.Trainer(D, batch_size=7, sampling="sequential", seed=3)
    for _ in range(2):
        trainer.run_epoch(rows)
    pytest.importorskip("sklearn")
    model = tw.SGDRegressor(
        batch_size=7, learning_rate=0.01, sampling="sequential", epochs=2, random_state=3
    ).fit(rows)
    np.testing.assert_array_equal(trainer.weights, sequential(rows).weights)
    np.testing.assert_array_equal(model.coef_, trainer.weights)
    assert model.n_features_in_ == D and model.n_iter_ == 2


def test_each_row_comes_once_an_epoch_in_an_order_of_the_seed(table, shards):
    rows = tw.open_rows(shards, buffer_bytes=SMALL)
    epochs = []
    for seed in (1, 1, 2):
        buffers = Buffers(rows, 7).epoch(np.random.default_rng(seed))
        epochs.append(np.concatenate([np.column_stack([full.X, full.y]) for full in buffers]))
    assert (epochs[0] == epochs[1]).all() and not (epochs[0] == epochs[2]).all()
    for epoch in epochs:
        np.testing.assert_array_equal(np.sort(epoch, axis=0), np.sort(table, axis=0))


def test_a_seed_gives_the_run_again_and_epochs_differ(shards):
    rows = tw.open_rows(shards, buffer_bytes=SMALL)
    runs = [tw.fit(rows, epochs=2, seed=seed) for seed in (1, 1, 2)]
    assert_same(runs[0], runs[1])
    assert (runs[0].weights != runs[2].weights).any()


def test_schedules_count_epochs_and_not_buffers(shards):
    rows = tw.open_rows(shards, buffer_bytes=SMALL)
    trainer = tw.Trainer(D, seed=0)
    trainer.fit(rows, epochs=3)
    assert trainer._state.epochs == 3


def test_ranks_share_the_rows_of_all_shards_evenly(table, tmp_path):
    for number, part in enumerate(np.split(table, 10)):
        np.save(tmp_path / f"{number}.npy", part)
    rows = tw.open_rows(tmp_path, buffer_bytes=SMALL)
    shares = [rows.share(rank, 3) for rank in range(3)]
    assert sum(share.n_rows for share in shares) == N
    assert max(share.n_rows for share in shares) - min(share.n_rows for share in shares) < 40
    found = np.concatenate([np.column_stack(share.loaded()) for share in shares])
    np.testing.assert_array_equal(found, table)


def test_an_iterator_gives_one_epoch(table):
    X, y = table[:, :-1], table[:, -1]
    chunks = (pair for pair in [(X[:400], y[:400]), (X[400:], y[400:])])
    rows = tw.open_rows(chunks)
    tw.fit(rows, seed=0)
    with pytest.raises(ValueError, match=r"one epoch only; give a list or a callable"):
        tw.fit(rows, seed=0)


def test_an_error_or_interrupt_leaves_no_thread(table):
    X, y = table[:, :-1], table[:, -1]

    def failing(error):
        yield X[:600], y[:600]
        raise error

    for error in (OSError("disk on fire"), KeyboardInterrupt()):
        rows = tw.open_rows(lambda error=error: failing(error), buffer_bytes=SMALL)
        with pytest.raises(type(error)):
            tw.fit(rows, seed=0)
    rows = tw.open_rows([(X, y)], buffer_bytes=SMALL)
    with pytest.raises(tw.DivergenceError):
        tw.fit(rows, learning_rate=1e6, seed=0)
    assert not [t for t in threading.enumerate() if t.name.startswith("tilewise-reader")]


OPEN = {
    "file": "rows = tw.open_rows(sys.argv[1], buffer_bytes={bound})",
    "map": "table = np.load(sys.argv[1], mmap_mode='r')\n"
    "rows = tw.open_rows(table[:, :-1], table[:, -1], buffer_bytes={bound})",
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("rate", [1e-3, "auto"])
@pytest.mark.parametrize("kind", OPEN)
def test_memory_stays_within_buffer_bytes(tmp_path, kind, rate):
    bound = 32 * 2**20
    np.save(tmp_path / "rows.npy", np.ones((4 * bound // 256, 64), np.float32))
    code = USED.format(open=OPEN[kind].format(bound=bound), rate=rate)
    run = [sys.executable, "-c", code, str(tmp_path / "rows.npy")]
    used = int(subprocess.run(run, capture_output=True, text=True, check=True).stdout)
    assert bound / 4 < used < bound


def test_what_reading_raises_takes_the_epoch_back(table, shards):
    trainer = tw.Trainer(D, learning_rate="auto", seed=0)
    rows = tw.open_rows(shards, buffer_bytes=SMALL)
    part = table[640:].copy()
    part[-1, -1] = np.inf
    for damage in (lambda path: np.save(path, part), lambda path: path.unlink()):
        before = trainer.weights, trainer.bias, trainer.steps, trainer.epochs, trainer.learning_rate
        content = (shards / "2.npy").read_bytes()
        damage(shards / "2.npy")
        with pytest.raises((ValueError, OSError), match=r"2\.npy"):
            trainer.fit(rows, epochs=2)
        np.testing.assert_array_equal(trainer.weights, before[0])
        assert (trainer.bias, trainer.steps, trainer.epochs, trainer.learning_rate) == before[1:]
        (shards / "2.npy").write_bytes(content)
        trainer.run_epoch(rows)
    assert trainer.epochs == 2


def test_ctrl_c_keeps_the_weights_and_records_so_far(table):
    X, y = table[:, :-1], table[:, -1]

    def pressed():
        yield X[:600], y[:600]
        raise KeyboardInterrupt

    trainer = tw.Trainer(D, seed=0)
    with pytest.raises(KeyboardInterrupt) as interrupt:
        trainer.fit(tw.open_rows(pressed, buffer_bytes=SMALL))
    assert 0 < trainer.examples <= 600 and trainer.epochs == 0
    assert len(interrupt.value.history.losses) > 0
    np.testing.assert_array_equal(interrupt.value.history.weights, trainer.weights)


@pytest.mark.parametrize(
    "shard, message",
    [
        (np.ones((3, D), np.float32), r"1.npy has 4 features of float32, but .* 5"),
        (np.ones((3, D + 1)), r"1.npy has 5 features of float64, but .* of float32"),
        (np.ones((0, D + 1), np.float32), r"1.npy has shape \(0, 6\); save"),
        (np.array([[1, None]], object), r"1.npy holds pickled objects, which can run code"),
        (np.ones((3, D + 1), np.int32), r"1.npy has 5 features of float64, but .* of float32"),
        (np.ones((3, D + 1), complex), r"1.npy has dtype complex128; save real numbers"),
        (np.asfortranarray(np.ones((3, D + 1), np.float32)), r"1.npy is in Fortran order"),
    ],
)
def test_bad_shards_are_named(shards, shard, message):
    np.save(shards / "1.npy", shard)
    with pytest.raises(ValueError, match=message):
        tw.open_rows(shards)


@pytest.mark.parametrize("dtype", [">f4", np.float16, np.int8, np.uint64, ">f8", np.longdouble])
def test_numbers_of_any_dtype_become_floats(tmp_path, dtype):
    table = np.random.default_rng(0).integers(0, 100, (200, 4)).astype(dtype)
    np.save(tmp_path / "rows.npy", table)
    rows = tw.open_rows(tmp_path / "rows.npy")
    small = table.dtype.kind == "f" and table.itemsize <= 4
    assert rows.dtype == (np.float32 if small else np.float64)
    X, y = rows.loaded()
    np.testing.assert_array_equal(np.column_stack([X, y]), table.astype(float))


def test_damaged_and_missing_files_are_named(shards, tmp_path):
    path = shards / "1.npy"
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    with pytest.raises(ValueError, match=r"1.npy is cut short"):
        tw.open_rows(shards)
    path.write_bytes(b"\x93NUMPX" + content[6:])
    with pytest.raises(ValueError, match=r"1.npy is not a whole NPY file"):
        tw.open_rows(shards)
    with pytest.raises(FileNotFoundError, match=r"none.npy cannot be read: No such file"):
        tw.open_rows(tmp_path / "none.npy")
    with pytest.raises(FileNotFoundError, match="has no file that ends in"):
        tw.open_rows(tmp_path)


def test_nan_is_named_with_file_and_row(table, shards):
    part = table[333:640].copy()
    part[200, 2] = np.nan
    np.save(shards / "1.npy", part)
    with pytest.raises(ValueError, match=r"1.npy: row 201, column 3 is nan; remove"):
        tw.fit(tw.open_rows(shards, buffer_bytes=SMALL), seed=0)


def test_progress_counts_rows(shards, capsys):
    pytest.importorskip("tqdm")
    rows = tw.open_rows(shards, buffer_bytes=SMALL)
    tw.Trainer(D, seed=0).fit(rows, epochs=2, progress=True)
    shown = capsys.readouterr().err.replace("\r", "\n").splitlines()
    assert f"{2 * N / 1000:.2f}k/{2 * N / 1000:.2f}k" in shown[-1] and "row/s" in shown[-1]


def test_a_schedule_that_fails_takes_the_epoch_back(shards):
    def schedule(step):
        if step > 70:
            raise RuntimeError("no rate")
        return 0.01

    trainer = tw.Trainer(D, learning_rate=schedule, seed=0)
    rows = tw.open_rows(shards, buffer_bytes=SMALL)
    trainer.run_epoch(rows)
    before = trainer.weights.copy(), trainer.examples
    with pytest.raises(RuntimeError, match="no rate"):
        for _ in range(3):
            before = trainer.weights.copy(), trainer.examples
            trainer.run_epoch(rows)
    np.testing.assert_array_equal(trainer.weights, before[0])
    assert trainer.examples == before[1] > 0


def with_header(text):
    """Return an NPY file of a few bytes whose header is this."""
    header = text.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(4096)


@pytest.mark.parametrize(
    "shape",
    ["(2305843009213693952, 8)", f"({2**62}, 4)", f"({2**32}, {2**32})", "(-5, 3)", "(True, 3)",
     "(3,)", "(5.0, 3)", "('5', 3)", "(", "3", "()"],
)  # fmt: skip
def test_headers_that_lie_are_refused_by_name(tmp_path, shape):
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    (tmp_path / "rows.npy").write_bytes(with_header(text))
    with pytest.raises(ValueError, match=r"rows\.npy "):
        tw.open_rows(tmp_path / "rows.npy")


@given(DAMAGE)
@example([(6, 1, b"\x02")])
@example([(10, 3, b"\x00")])
@example([(20, 9, b"'''")])
@limits(max_examples=150)
def test_damaged_shards_are_refused_by_name_or_read(tmp_path_factory, changes):
    path = tmp_path_factory.getbasetemp() / "damaged.npy"
    np.save(path, np.ones((40, 4), np.float32))
    path.write_bytes(damaged(path.read_bytes(), changes))
    try:
        tw.fit(tw.open_rows(path), learning_rate=1e-3, batch_size=8)
    except (ValueError, TypeError) as error:
        assert "damaged.npy" in str(error)
    except tw.DivergenceError:
        pass


def test_a_bad_label_beside_the_rows_is_named_by_its_file(table, tmp_path):
    np.save(tmp_path / "rows.npy", table[:, :-1])
    labels = table[:, -1].copy()
    labels[3] = np.nan
    np.save(tmp_path / "rows.y.npy", labels)
    with pytest.raises(ValueError, match=r"rows\.y\.npy: row 4 is nan; remove"):
        tw.fit(tw.open_rows(tmp_path), seed=0)


def test_a_folder_takes_names_in_any_case_and_no_hidden_files(table, tmp_path):
    np.save(tmp_path / "a.npy", table[:100])
    np.save(tmp_path / "b.npy", table[100:])
    (tmp_path / "b.npy").rename(tmp_path / "b.NPY")
    (tmp_path / "._a.npy").write_bytes(b"x")
    assert tw.open_rows(tmp_path).n_rows == N


def test_changes_in_a_private_map_are_kept(table, tmp_path):
    np.save(tmp_path / "rows.npy", table)
    map_ = np.load(tmp_path / "rows.npy", mmap_mode="c")
    map_[0, 0] = 77
    tw.fit(tw.open_rows(map_[:, :-1], map_[:, -1]), learning_rate=1e-6, seed=0)
    assert map_[0, 0] == 77


def test_arguments_are_checked(shards):
    rows = tw.open_rows(shards, buffer_bytes=100)
    with pytest.raises(ValueError, match=r"buffer_bytes=100 is too small for batch_size=32; give"):
        tw.fit(rows)
    with pytest.raises(ValueError, match="target=9 is no index of 6 columns; give -6 to 5"):
        tw.open_rows(shards, target=9)
    with pytest.raises(ValueError, match="record_every does not go with rows"):
        tw.fit(tw.open_rows(shards), record_every=100)
    with pytest.raises(ValueError, match="y does not go with rows"):
        tw.fit(rows, np.ones(3))
    with pytest.raises(TypeError, match="source=3 is neither a path nor chunks"):
        tw.open_rows(3)
