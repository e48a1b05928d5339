"""``tilewise train`` on folders of shards, alone and on several ranks."""

import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

import tilewise as tw
from tests.support.paths import ROOT
from tests.support.ranks import PROGRAMS, mpiexec
from tilewise.commands import cli
from tilewise.data.columns import Columns
from tilewise.tables.model_file import load_model
from tilewise.training import checkpoint

pytestmark = pytest.mark.once

WEIGHTS = np.array([1.0, -2.0, 3.0])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in a folder with the shards data/*.npy, of unlike lengths."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    random = np.random.default_rng(0)
    for i, n in enumerate((900, 20, 2100)):
        X = random.normal(size=(n, 3)) * [1, 10, 100] + 5
        y = X @ WEIGHTS + 7 + 0.1 * random.normal(size=n)
        np.save(f"data/{i}.npy", np.column_stack([X, y]).astype(np.float32))
    return tmp_path


def train(size, *arguments):
    """Run the command on ranks to its end."""
    run = [*mpiexec(size), "-m", "tilewise", "train", *map(str, arguments), "--mpi"]
    return subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)


def assert_fitted(path, rows=3020):
    model = load_model(path)
    np.testing.assert_allclose(model.weights, WEIGHTS, rtol=0.02)
    assert abs(model.bias - 7) < 0.5
    assert model.training["scores"]["training"]["rows"] == rows
    return model


def test_a_folder_is_fitted(folder, capsys):
    pytest.importorskip("matplotlib")
    assert cli.main(["train", "data", "--epochs", "10"]) == 0
    assert "Linear model of column 4 by 3 features" in capsys.readouterr().out
    model = assert_fitted("tilewise-model/model.json")
    assert cli.main(["predict", "tilewise-model/model.json", "data/1.npy", "--out", "y.npy"]) == 0
    table = np.load("data/1.npy").astype(np.float64)
    np.testing.assert_array_equal(np.load("y.npy"), model.predict(table[:, :3]))
    assert (folder / "tilewise-model/loss_vs_time.png").exists()


def test_a_target_among_the_columns(folder):
    np.save("first.npy", np.roll(np.load("data/2.npy"), 1, axis=1))
    assert cli.main(["train", "first.npy", "--target", "1", "--buffer-mib", "1"]) == 0
    assert assert_fitted("tilewise-model/model.json", rows=2100).columns == Columns(None, None, 0)


def test_names_of_columns_are_kept(folder):
    parquet, pa = pytest.importorskip("pyarrow.parquet"), pytest.importorskip("pyarrow")
    table = np.load("data/2.npy")
    (folder / "columns").mkdir()
    names = ["a", "y", "b", "c"]
    columns = {name: table[:, i] for name, i in zip(names, [0, 3, 1, 2], strict=True)}
    parquet.write_table(pa.table(columns), "columns/0.parquet", row_group_size=100)
    assert cli.main(["train", "columns", "--target", "y"]) == 0
    model = assert_fitted("tilewise-model/model.json", rows=2100)
    assert model.columns == Columns(("a", "b", "c"), "y", 1)


def test_labels_beside_a_file_are_used_in_memory_and_on_the_disk(folder):
    table = np.load("data/2.npy")
    np.save("rows.npy", table[:, :-1])
    np.save("rows.y.npy", table[:, -1])
    for out, option in {"memory": "--validation-fraction=0", "disk": "--buffer-mib=9"}.items():
        assert cli.main(["train", "rows.npy", "--out", out, option]) == 0
        model = assert_fitted(f"{out}/model.json", rows=2100)
        assert model.columns == Columns(None, None, 3)


def test_a_column_of_text_is_named(folder, capsys):
    parquet, pa = pytest.importorskip("pyarrow.parquet"), pytest.importorskip("pyarrow")
    (folder / "columns").mkdir()
    parquet.write_table(pa.table({"a": [1.0], "b": ["x"], "y": [2.0]}), "columns/0.parquet")
    assert cli.main(["train", "columns"]) == 2
    assert "columns/0.parquet: column 2 ('b') is of type string" in capsys.readouterr().err


@pytest.mark.parametrize("size", [2, 3])
def test_ranks_share_a_folder(folder, size):
    run = train(size, "data", "--epochs", 10, "--average-every", size)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("Linear model of column 4 by 3 features") == 1
    assert assert_fitted("tilewise-model/model.json").training["ranks"] == size


def damage_nothing(folder):
    pass


def another_width(folder):
    np.save("data/1.npy", np.ones((5, 7), np.float32))


def another_dtype(folder):
    np.save("data/1.npy", np.ones((5, 4)))


def empty(folder):
    np.save("data/1.npy", np.ones((0, 4), np.float32))


def nan(folder):
    table = np.load("data/2.npy")
    table[-1, 1] = np.nan
    np.save("data/2.npy", table)


def too_few_rows(folder):
    for i in range(3):
        os.unlink(f"data/{i}.npy")
    np.save("data/0.npy", np.arange(8, dtype=np.float32).reshape(2, 4))


@pytest.mark.parametrize(
    ("damage", "arguments", "message"),
    [
        (another_width, [], "data/1.npy has 6 features of float32, but data/0.npy 3 features"),
        (another_dtype, [], "data/1.npy has 3 features of float64, but data/0.npy 3 features"),
        (empty, [], "data/1.npy has shape (0, 4); save shape (n, d) with at least one row"),
        (nan, [], "data/2.npy: row 2100, column 2 is nan; remove or replace NaN and infinity"),
        (too_few_rows, [], "data/0.npy: nothing is left for rank 2 of 3; use fewer ranks"),
        (damage_nothing, ["--learning-rate", "1e9"], "learning_rate=1000000000.0 is too large"),
        (
            damage_nothing,
            ["--target", "5"],
            "data/0.npy: target='5' is not a column; give a number",
        ),
        (damage_nothing, ["--average-every", "0"], "--average-every=0 is below 1"),
        (damage_nothing, ["--validation-fraction", "0.1"], "does not go with rows on the disk"),
        (damage_nothing, ["--out", "data/0.npy"], "data/0.npy is not a folder; choose another"),
    ],
)
def test_what_cannot_be_done_is_said_once_on_all_ranks(folder, damage, arguments, message):
    damage(folder)
    run = train(3, "data", *arguments)
    assert run.returncode == 2
    (line,) = [line for line in run.stderr.splitlines() if line.startswith("tilewise")]
    assert line.startswith("tilewise train: error: ") and message in line
    assert run.stdout == "" and sorted(os.listdir()) == ["data"]


def test_without_shards_or_memory_there_is_nothing_to_do(folder, capsys):
    assert cli.main(["train", "."]) == 2
    assert ". has no file that ends in .npy, .parquet, .arrow" in capsys.readouterr().err
    assert cli.main(["train", "data", "--buffer-mib", "0"]) == 2
    assert "--buffer-mib=0 is below 1; give at least 1" in capsys.readouterr().err


def test_a_checkpoint_goes_on_with_its_own_settings(folder, capsys):
    rows = tw.data.standardize(tw.open_rows("data"))
    settings = {"batch_size": 16, "initial_weights": np.zeros(3), "seed": 0}
    trainer = tw.Trainer(3, learning_rate=0.01, **settings)
    os.mkdir("out")
    trainer.fit(rows, epochs=2, checkpoint="out/checkpoint.npz")
    resume = ["train", "data", "--resume", "--out", "out", "--batch-size"]
    assert cli.main([*resume, "32"]) == 2
    assert "out/checkpoint.npz has batch_size=16, not 32; go on" in capsys.readouterr().err
    assert cli.main([*resume, "16", "--learning-rate", "0.5"]) == 2
    assert "has learning_rate=0.01, not 0.5" in capsys.readouterr().err
    assert cli.main([*resume, "16", "--epochs", "1"]) == 2
    assert "epochs=1, but 2 are done; give more" in capsys.readouterr().err
    assert cli.main([*resume, "16", "--epochs", "3"]) == 0


def test_a_job_that_is_stopped_before_its_model_is_written_resumes(folder):
    train = ["train", "data", "--epochs", "3", "--checkpoint-every", "50", "--resume", "--out"]
    assert cli.main([*train, "whole"]) == 0
    stop_before_the_model([*train, "stopped"])
    assert os.listdir("stopped") == ["checkpoint.npz"]
    (folder / "stopped/model.json").write_text("{}")  # as if killed between two of its files
    assert cli.main([*train, "stopped"]) == 0
    whole, resumed = (load_model(f"{name}/model.json") for name in ("whole", "stopped"))
    np.testing.assert_array_equal(resumed.weights, whole.weights)
    assert resumed.training["scores"] == whole.training["scores"]


def test_a_checkpoint_goes_on_with_its_own_data_only(folder, capsys):
    train = ["train", "data", "--resume", "--out", "out", "--epochs"]
    stop_before_the_model([*train, "1"])
    assert cli.main([*train, "2", "--target", "1"]) == 2
    message = "checkpoint.npz has target=[3, None], not [0, None]; go on with"
    assert message in capsys.readouterr().err
    assert cli.main([*train, "2", "--sampling", "sequential"]) == 2
    assert "has sampling=permutation, not sequential; go on with" in capsys.readouterr().err
    np.save("data/3.npy", np.load("data/1.npy"))
    assert cli.main([*train, "2"]) == 2
    assert "has rows=3020, not 3040; go on with" in capsys.readouterr().err
    os.unlink("data/3.npy")
    assert cli.main([*train, "2"]) == 0


def stop_before_the_model(train):
    def stopped(*_):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tilewise.commands.train._finish", stopped)
        assert cli.main(train) == 130


def test_force_begins_anew_at_once(folder, capsys):
    train = ["train", "data", "--checkpoint-every", "50", "--out", "out"]
    stop_before_the_model(train)
    assert cli.main([*train, "--batch-size", "0", "--force"]) == 2  # before it begins
    assert os.listdir("out") == ["checkpoint.npz"]
    assert cli.main([*train, "--learning-rate", "1e9", "--force"]) == 2
    assert "is too large" in capsys.readouterr().err
    assert os.listdir("out") == []


def test_an_epoch_that_is_begun_is_not_left_out(folder, monkeypatch, capsys):
    def stopped(engine, path):
        write_over(engine, path)
        raise KeyboardInterrupt

    train = ["train", "data", "--batch-size", "32", "--out", "out", "--epochs"]
    write_over = checkpoint.write_over
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "write_over", stopped)
        assert cli.main([*train, "3", "--checkpoint-every", "120"]) == 130  # of 95 in an epoch
    assert cli.main([*train, "1", "--resume"]) == 2
    assert "epochs=1, but 1 are done and 1 is begun; give more" in capsys.readouterr().err
    assert cli.main([*train, "2", "--resume"]) == 0


def test_ranks_with_unlike_data_are_refused(folder):
    shutil.copytree("data", "other")
    np.save("other/3.npy", np.load("data/1.npy"))
    one, *rest = mpiexec(1)
    command = [*rest, "-m", "tilewise", "train"]
    jobs = [one, *command, "data", "--mpi", ":", *command, "other", "--mpi"]
    run = subprocess.run(jobs, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 2
    assert "rank 1 has rows=3040, but rank 0 3020; make them alike" in run.stderr


def test_processes_that_do_not_know_of_each_other_are_refused(folder, monkeypatch, capsys):
    monkeypatch.setenv("PMI_SIZE", "3")
    assert cli.main(["train", "data"]) == 2
    assert "PMI_SIZE=3: each process would train it all; add --mpi" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--checkpoint-every", "--average-every", "--buffer-mib"])
def test_a_zero_is_refused_for_one_file_too(folder, capsys, option):
    assert cli.main(["train", "data/0.npy", option, "0"]) == 2
    assert f"{option}=0 is below 1" in capsys.readouterr().err


def test_a_missing_folder_is_named(folder):
    run = train(2, "nowhere")
    assert run.returncode == 2
    assert run.stderr.count("nowhere does not exist; give a file or a folder") == 1


def leave_as_if_killed_while_writing(out):
    (out / ".unfinished-5wdx7dsf").mkdir()
    (out / ".unfinished-5wdx7dsf/model.json").write_text("{")
    (out / ".unfinished-checkpoint.npz").write_text("PK")


def test_a_killed_job_resumes(folder):
    job = ["data", "--mpi", "--batch-size", "8", "--learning-rate", "0.001", "--epochs", "2"]
    save = ["--checkpoint-every", "100", "--resume", "--out"]
    start = [*mpiexec(2), "-m", "tilewise", "train", *job, *save]
    subprocess.run([*start, "whole"], check=True, capture_output=True, timeout=120)
    for place, count in (
        ("before a checkpoint is on the disk", 2),
        ("before a checkpoint has its name", 3),
        ("in a step", 250),
    ):
        standing = [*mpiexec(2), *PROGRAMS, "command", place, str(count), "train", *job, *save]
        paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        with subprocess.Popen(
            [*standing, "killed"], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": paths}
        ) as killed:
            said = killed.stdout.readline()
            killed.kill()
        assert said == b"there\n"
    assert tw.Trainer.load("killed/checkpoint.npz").steps == 500
    refused = subprocess.run(
        [sys.executable, "-m", "tilewise", "train", "data", "--out", "killed"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 2 and re.search(r"checkpoint.npz exists; --resume", refused.stderr)
    leave_as_if_killed_while_writing(folder / "killed")
    subprocess.run([*start, "killed"], check=True, capture_output=True, timeout=120)
    whole, resumed = (load_model(f"{name}/model.json") for name in ("whole", "killed"))
    np.testing.assert_array_equal(resumed.weights, whole.weights)
    assert resumed.bias == whole.bias
    assert sorted(os.listdir("killed")) == ["loss_vs_time.png", "model.json"]
