"""What happens to all ranks when one fails, is killed, or goes on from a checkpoint."""

import os
import signal
import subprocess
from contextlib import contextmanager

import numpy as np
import pytest

import tilewise as tw
from tests.support.paths import ROOT
from tests.support.ranks import PROGRAMS, D, N, mpiexec, on_ranks, settings, table
from tilewise.training import checkpoint

pytestmark = pytest.mark.once

SIZE = 3


@pytest.mark.parametrize(
    ("how", "message"),
    {
        "nan": "X[7, 2] is nan; remove or replace NaN and infinity",
        "shard": "shard.npy: row 135, column 6 is nan; remove or replace NaN and infinity",
        "width": "rank 2 has n_features=4, but rank 0 5; make them alike",
        "dtype": "rank 2 has dtype=float32, but rank 0 float64; make them alike",
        "empty": "X has shape (0, 5); give shape",
        "batch": "rank 2 has batch_size=16, but rank 0 32; make them alike",
        "missing": "y is missing",
        "setting": "optimizer='sdg' is unknown; choose one of",
        "option": "average_every=0 is below 1",
        "rate": "no rate today",
        "rates": "rank 2 has learning_rate(0)=0.2, but rank 0 0.1; make them alike",
        "diverge": "learning_rate=100000.0 is too large",
    }.items(),
)
def test_what_one_rank_raises_all_raise(how, message, tmp_path):
    run = on_ranks(SIZE, "fail", how, tmp_path / "shard.npy")
    assert run.returncode == 0, run.stderr
    raised = sorted(run.stdout.replace("|", "\n").split("\n"))
    told = [line for line in raised if message in line]
    assert len(told) == SIZE, run.stdout
    if how not in ("width", "dtype", "batch", "rates", "diverge"):  # those are seen by all
        assert raised.count("RankError") == SIZE - 1
        assert sum(line.startswith("rank 2: ") for line in told) == SIZE - 1


def test_an_error_that_the_others_cannot_know_of_ends_the_job():
    run = on_ranks(SIZE, "fail", "outside")
    assert run.returncode != 0
    assert "rank 2: RuntimeError: a cable was pulled" in run.stderr


def test_an_error_between_two_fits_ends_the_job():
    run = on_ranks(SIZE, "fail", "between")
    assert run.returncode != 0
    assert "KeyError: 'my own fault'" in run.stderr


def test_a_rank_that_goes_on_alone_after_an_error_ends_with_the_job():
    run = on_ranks(SIZE, "fail", "caught")
    assert run.returncode != 0
    assert "RankError: rank 2: X[7, 2] is nan" in run.stderr


def test_what_does_not_go_with_ranks_is_refused(tmp_path):
    pytest.importorskip("mpi4py", exc_type=ImportError)
    X, y = table()
    trainer = tw.Trainer(D, dtype=np.float64)
    with pytest.raises(TypeError, match="comm is a str; give a communicator"):
        trainer.fit(X, y, comm="world")
    path = tmp_path / "checkpoint.npz"
    for name, value in {"patience": 3, "sample_weight": y, "validation_fraction": 0.5}.items():
        with pytest.raises(ValueError, match=f"{name} does not go with comm or checkpoint"):
            trainer.fit(X, y, checkpoint=path, **{name: value})
    with pytest.raises(ValueError, match="checkpoint_every=0"):
        trainer.fit(X, y, checkpoint=path, checkpoint_every=0)
    with pytest.raises(FileNotFoundError, match="is not a folder"):
        trainer.fit(X, y, checkpoint=tmp_path / "none" / "c.npz")
    trainer.learning_rate = lambda step: 0.1
    with pytest.raises(TypeError, match="cannot be saved"):
        trainer.fit(X, y, checkpoint=path)
    chunks = tw.open_rows([(X, y)])
    with pytest.raises(ValueError, match="whose number of rows is not known"):
        tw.Trainer(D, dtype=np.float64).fit(chunks, checkpoint=path)


class StoppedError(Exception):
    pass


def stop_after(writes, monkeypatch):
    """Let the training fail after so many checkpoints."""
    write, left = checkpoint.write_over, iter(range(writes))

    def counted(engine, path):
        write(engine, path)
        if next(left, None) is None:
            raise StoppedError

    monkeypatch.setattr(checkpoint, "write_over", counted)


@pytest.mark.parametrize("sampling", ["permutation", "replacement", "chunked", "sequential"])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_checkpoint_in_mid_epoch_continues_bit_by_bit(tmp_path, monkeypatch, sampling, streamed):
    X, y = table()
    np.save(tmp_path / "rows.npy", np.column_stack([X, y]))
    data = (tw.open_rows(tmp_path / "rows.npy", buffer_bytes=6000),) if streamed else (X, y)
    saving = {"checkpoint": tmp_path / "checkpoint.npz", "checkpoint_every": 7}

    def trainer():
        made = tw.Trainer(D, dtype=np.float64, optimizer="adam", **settings(sampling=sampling))
        made.learning_rate = tw.schedules.Exponential(0.05, 0.99)
        return made

    whole = trainer()
    history = whole.fit(*data, epochs=4, **saving)
    cut = trainer()
    with monkeypatch.context() as patch, pytest.raises(StoppedError):
        stop_after(2, patch)
        cut.fit(*data, epochs=4, **saving)
    assert cut.epochs == 1
    cut = tw.Trainer.load(saving["checkpoint"])
    assert (cut.steps, cut.epochs) == (21, 1)
    with pytest.raises(ValueError, match="256 rows into an epoch of 403, but there are 99"):
        cut.fit(X[:99], y[:99], **saving)
    rest = cut.fit(*data, epochs=3, **saving)
    np.testing.assert_array_equal(cut.weights, whole.weights)
    assert (cut.steps, cut.examples, cut.epochs) == (whole.steps, whole.examples, whole.epochs)
    np.testing.assert_array_equal(rest.losses[1:], history.losses[2:])
    assert tw.Trainer.load(saving["checkpoint"]).epochs == 4


def test_a_checkpoint_in_mid_epoch_is_finished_without_saving_too(tmp_path, monkeypatch):
    X, y = table()
    path = tmp_path / "checkpoint.npz"
    whole, cut = (tw.Trainer(D, dtype=np.float64, **settings()) for _ in range(2))
    whole.fit(X, y, 3, checkpoint=path)
    with monkeypatch.context() as patch, pytest.raises(StoppedError):
        stop_after(1, patch)
        cut.fit(X, y, 3, checkpoint=path, checkpoint_every=5)
    cut = tw.Trainer.load(path)
    with pytest.raises(RuntimeError, match="320 rows of an epoch are done; call fit, which does"):
        cut.run_epoch(X, y)
    cut.fit(X, y, 3)
    assert (cut.steps, cut.epochs) == (whole.steps, whole.epochs)
    np.testing.assert_array_equal(cut.weights, whole.weights)


def test_a_diverging_training_keeps_the_last_good_checkpoint(tmp_path):
    X, y = table()
    path = tmp_path / "checkpoint.npz"
    trainer = tw.Trainer(D, dtype=np.float64, **settings())
    trainer.fit(X, y, checkpoint=path)
    good = path.read_bytes()
    trainer.learning_rate = 5.0
    with pytest.raises(tw.DivergenceError, match=r"learning_rate=5.0 is too large"):
        trainer.fit(X, y, 20, checkpoint=path, checkpoint_every=25)  # 12 steps later
    assert path.read_bytes() == good


def test_a_failed_epoch_leaves_the_rate_to_be_found(tmp_path):
    X, y = table()
    y[-1] = np.nan
    np.save(tmp_path / "rows.npy", np.column_stack([X, y]))
    trainer = tw.Trainer(D, dtype=np.float64, **settings(learning_rate="auto"))
    rows = tw.open_rows(tmp_path / "rows.npy", buffer_bytes=6000)
    with pytest.raises(ValueError, match="is nan"):
        trainer.fit(rows, checkpoint=tmp_path / "checkpoint.npz")
    assert trainer.learning_rate == "auto" and trainer.steps == 0


def test_a_checkpoint_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    calls = []
    for name in ("fsync", "replace"):
        call = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, n=name, c=call: calls.append(n) or c(*a))
    X, y = table()
    path = tmp_path / "checkpoint.npz"
    tw.Trainer(D, dtype=np.float64, **settings()).fit(X, y, checkpoint=path, checkpoint_every=5)
    assert calls == ["fsync", "replace"] * 3  # two on the way, and the end
    assert os.listdir(tmp_path) == ["checkpoint.npz"]


def test_with_one_rank_the_steps_are_those_of_one_process(tmp_path):
    X, y = table()
    one, other = (tw.Trainer(D, dtype=np.float64, **settings()) for _ in range(2))
    one.fit(X, y, 3)
    other.fit(X, y, 3, checkpoint=tmp_path / "checkpoint.npz")
    np.testing.assert_allclose(other.weights, one.weights, rtol=1e-12)
    assert (one.steps, one.examples, one.epochs) == (other.steps, other.examples, other.epochs)


@contextmanager
def started(size, *arguments, place=()):
    """Give the processes of the ranks of the program `train`, and the steps that were done.

    With a place, rank 0 is there.
    """
    run = [*mpiexec(size), *PROGRAMS, "train", *map(str, (*arguments, *place))]
    with subprocess.Popen(run, cwd=ROOT, stdout=subprocess.PIPE, text=True) as job:
        try:
            lines = [job.stdout.readline() for _ in range(size + bool(place))]
            ranks = sorted(tuple(map(int, line.split())) for line in lines if line != "there\n")
            yield job, [pid for _, pid, _ in ranks], ranks[0][2]
            job.wait(60)
        finally:
            job.kill()


KILLS = {  # where, and the steps that are saved by then
    ("in a step", 20): 0,
    ("before a checkpoint has its name", 1): 0,
    ("before a checkpoint is written", 3): 100,
    ("before a checkpoint is on the disk", 2): 150,
    ("before a checkpoint has its name", 3): 250,
    ("in a step", 60): 300,
    ("before a checkpoint is written", 1): 300,
    ("in a step", 120): 400,
}


@pytest.mark.parametrize("size", [1, 2])
def test_a_job_that_is_killed_again_and_again_ends_as_if_it_had_not(size, tmp_path):
    epochs, every = 10, 50
    undisturbed, path = tmp_path / "undisturbed.npz", tmp_path / "checkpoint.npz"
    with started(size, tmp_path / "other.npz", epochs, every, undisturbed) as (job, _, _):
        pass
    assert job.returncode == 0

    training, saved = (path, epochs, every, tmp_path / "end.npz"), 0
    for i, (place, saved_by_then) in enumerate(KILLS.items()):
        with started(size, *training, place=place) as (_, ranks, at):
            assert at == saved
            os.kill(ranks[i % size], signal.SIGKILL)
        saved = saved_by_then
    with started(size, *training) as (job, _, at):
        assert at == saved
    assert job.returncode == 0
    expected, found = np.load(undisturbed), np.load(tmp_path / "end.npz")
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])


def test_another_number_of_ranks_goes_on_too(tmp_path):
    path, out = tmp_path / "checkpoint.npz", tmp_path / "end.npz"
    for size, epochs in ((2, 3), (1, 5), (3, 8)):
        with started(size, path, epochs, 20, out) as (job, _, at):
            pass
        assert job.returncode == 0
    steps_per_epoch = -(-N // 8)
    assert at == 5 * steps_per_epoch
    end = np.load(out)
    assert end["steps"] == 8 * steps_per_epoch
    X, y = table()
    solution = np.linalg.lstsq(np.column_stack([X, np.ones(N)]), y, rcond=None)[0]
    np.testing.assert_allclose([*end["weights"], end["bias"]], solution, atol=0.03)
