"""``tilewise train`` and ``tilewise predict`` as people use and misuse them."""

import json
import os
import sys

import numpy as np
import pytest

import tilewise as tw
from tilewise.commands import cli
from tilewise.commands.train import FILES
from tilewise.data import standardize
from tilewise.data.airfoil import AIRFOIL_PATH

pytestmark = pytest.mark.once

ROWS = "size,rooms,price\n" + "".join(
    f"{size},{rooms},{3 * size + 20 * rooms + 7}\n" for size in range(20, 60) for rooms in (1, 2, 4)
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Work in a folder with the table flats.csv."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flats.csv").write_text(ROWS)
    return tmp_path


def error(capsys, *arguments):
    """Return the one line that a command ends with, status 2."""
    before = sorted(os.listdir())
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and sorted(os.listdir()) == before
    (line,) = err.splitlines()
    return line.removeprefix(f"tilewise {arguments[0]}: error: ")


def test_train_prints_how_well_it_fits_and_writes_the_files(folder, capsys):
    pytest.importorskip("matplotlib")
    assert cli.main(["train", "flats.csv", "--epochs", "100"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("Linear model of 'price' by 2 features\n")
    assert out.endswith(f"\nSee tilewise-model{os.sep}model.json\n")
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line}
    assert rows["training"][1] == "96" and rows["validation"][1] == "24"
    assert rows["training"][3] == rows["validation"][3] == "1.0000"
    assert sorted(os.listdir()) == ["flats.csv", "tilewise-model"]
    assert sorted(os.listdir("tilewise-model")) == sorted(FILES)
    model = json.loads((folder / "tilewise-model/model.json").read_text())
    weights = {feature["name"]: feature["weight"] for feature in model["features"]}
    assert weights == pytest.approx({"size": 3, "rooms": 20}, rel=1e-3)
    assert model["bias"] == pytest.approx(7, rel=0.1)
    assert model["training"]["tilewise"] == tw.__version__


def test_options_reach_the_trainer(folder, capsys):
    options = {
        "epochs": 2, "batch_size": 5, "learning_rate": 0.01, "optimizer": "adam", "seed": 9,
        "sampling": "chunked", "weight_decay": 0.5, "validation_fraction": 0.0,
    }  # fmt: skip
    arguments = [f"--{key.replace('_', '-')}={value}" for key, value in options.items()]
    assert cli.main(["train", "flats.csv", "--target", "rooms", "--out", "m", *arguments]) == 0
    assert "validation" not in capsys.readouterr().out
    about = json.loads((folder / "m/model.json").read_text())
    assert about["target"] == {"name": "rooms", "column": 2}
    assert {key: about["training"][key] for key in options} == options


def test_predict_finds_the_columns_by_name(folder, capsys):
    cli.main(["train", "flats.csv", "--epochs", "200", "--validation-fraction", "0"])
    capsys.readouterr()
    (folder / "new.csv").write_text("rooms;street;size;price\n2;Elm;30;\n4;Oak;50;?\n")
    assert cli.main(["predict", "tilewise-model/model.json", "new.csv"]) == 0
    out, err = capsys.readouterr()
    name, *numbers = out.splitlines()
    assert (name, err) == ("price", "")
    assert list(map(float, numbers)) == pytest.approx([137, 237], rel=1e-4)
    for end in (".csv", ".npy"):
        assert (
            cli.main(["predict", "tilewise-model/model.json", "new.csv", "--out", f"y{end}"]) == 0
        )
    assert (folder / "y.csv").read_text() == out
    np.testing.assert_array_equal(np.load("y.npy"), np.array(numbers, float))
    assert capsys.readouterr() == ("", "")


def test_one_feature_whose_name_has_a_space(folder, capsys):
    (folder / "one.csv").write_text("living area,price\n" + "10,30\n20,60\n" * 8)
    assert cli.main(["train", "one.csv", "--validation-fraction", "0", "--epochs", "1"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert out.startswith("Linear model of 'price' by 1 feature part") and ", 1 epoch of" in out
    (folder / "new.csv").write_text("living area\n10\n20\n")
    assert cli.main(["predict", "tilewise-model/model.json", "new.csv"]) == 0
    assert capsys.readouterr().out.split()[0] == "price"
    assert "the table has one column" in error(capsys, "train", "new.csv", "--out", "other")


def test_airfoil_round_trip(folder, capsys):
    """Predictions are those of a trainer on standardized rows, from all kinds of files."""
    table = np.loadtxt(AIRFOIL_PATH, delimiter="\t")
    assert cli.main(["train", AIRFOIL_PATH, "--validation-fraction", "0", "--seed", "1"]) == 0
    Z = standardize(table)
    start = np.zeros(5)
    trainer = tw.Trainer(5, learning_rate="auto", dtype=float, initial_weights=start, seed=1)
    trainer.fit(Z[:, :5], Z[:, 5], 20)
    y = table[:, 5]
    expected = trainer.predict(Z[:, :5]) * y.std() + y.mean()
    np.save("features.npy", table[:, :5])
    for file in (AIRFOIL_PATH, "features.npy"):
        capsys.readouterr()
        assert cli.main(["predict", "tilewise-model/model.json", file]) == 0
        numbers = capsys.readouterr().out.split()
        np.testing.assert_allclose(np.array(numbers, float), expected, rtol=1e-12)


def test_a_loss_above_that_of_the_mean_is_said(folder, capsys):
    assert "diverged" in error(capsys, "train", "flats.csv", "--learning-rate", "50")
    assert cli.main(["train", "flats.csv", "--learning-rate", "3", "--epochs", "1"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "above 0.5, that of the mean alone: the learning rate is too large or" in out
    assert max(map(len, out.split())) < 80  # no number with a hundred digits
    assert cli.main(["train", "flats.csv", "--force"]) == 0
    assert "above 0.5" not in " ".join(capsys.readouterr().out.split())


def test_nothing_is_overwritten_without_force(folder, capsys):
    os.mkdir("out")
    (folder / "out/model.json").write_text("mine")
    line = error(capsys, "train", "flats.csv", "--out", "out")
    assert line == "out/model.json exists; choose another, or --force to replace it"
    assert cli.main(["train", "flats.csv", "--out", "out", "--force"]) == 0
    capsys.readouterr()
    (folder / "y.csv").write_text("mine")
    predict = ["predict", "out/model.json", "flats.csv", "--out"]
    assert "y.csv exists; choose another, or --force" in error(capsys, *predict, "y.csv")
    assert cli.main([*predict, "y.csv", "--force"]) == 0
    assert "is the file to read" in error(capsys, *predict, "flats.csv", "--force")
    os.symlink("flats.csv", "link.csv")
    assert "is the file to read" in error(capsys, *predict, "link.csv", "--force")
    assert (folder / "flats.csv").read_text() == ROWS


def test_without_matplotlib_a_line_says_so(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setattr(tw.plots.style, "new_axes", _no_matplotlib)
    assert cli.main(["train", "flats.csv"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "tilewise train: no picture is drawn: plots need Matplotlib"
    assert sorted(os.listdir("tilewise-model")) == ["model.json"]


def _no_matplotlib(size):
    raise ImportError("plots need Matplotlib")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.csv"], "none.csv cannot be read: No such file or directory"),
        (["none.csv", "--mpi"], "none.csv does not exist; give a file or a folder"),
        (["flats.csv", "--mpi"], "flats.csv does not end in .npy, .parquet, .arrow, .feather"),
        (["two\nlines.csv"], "two lines.csv cannot be read: No such file or directory"),
        (["a\0b"], "is no file name"),
        (["flats.csv", "--target", "prize"], "target='prize' is not a column; give a number from"),
        (["flats.csv", "--target", "4"], "target='4' is not a column; give a number from 1 to 3"),
        (["flats.csv", "--target", "0"], "target='0' is not a column"),
        (["flats.csv", "--target="], "target='' is not a column"),
        (["flats.csv", "--epochs", "0"], "epochs=0 is below 1"),
        (["flats.csv", "--batch-size", "-3"], "batch_size=-3 is below 1"),
        (["flats.csv", "--batch-size", str(10**30)], "is above"),
        (["flats.csv", "--learning-rate", "-1"], "learning_rate=-1.0 is out of range"),
        (["flats.csv", "--learning-rate", "1e99"], "learning_rate=1e+99 is too large: training"),
        (["flats.csv", "--optimizer", "adam"], "learning_rate='auto' has no meaning for adam"),
        (["flats.csv", "--validation-fraction", "1"], "validation_fraction=1.0 is out of range"),
        (["flats.csv", "--validation-fraction", "nan"], "validation_fraction=nan is out of range"),
        (["flats.csv", "--weight-decay", "-1"], "weight_decay=-1.0 is out of range"),
        (["flats.csv", "--out", "flats.csv"], "flats.csv is not a folder; choose another"),
        (["flats.csv", "--out", "flats.csv/x"], "flats.csv is not a folder; choose another"),
        (["flats.csv", "--out", "x" * 300], "File name too long; choose another folder"),
        (["flats.csv", "--out", "a\0b"], "null"),
    ],
)
def test_train_that_cannot_be_done(folder, capsys, arguments, message):
    pytest.importorskip("mpi4py", exc_type=ImportError)
    assert message in error(capsys, "train", *arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.json", "flats.csv"], "none.json cannot be read: No such file or directory"),
        (["flats.csv", "flats.csv"], "flats.csv is no model of tilewise: Expecting value: line 1"),
        (["m/model.json", "none.csv"], "none.csv cannot be read: No such file or directory"),
        (["m/model.json", "m"], "m is a folder; give a file"),
        (["m", "flats.csv"], "m is a folder; give a file"),
        (["m/model.json", "m/trainer.npz"], "offset"),
        (
            ["m/trainer.npz", "flats.csv"],
            "such as Trainer.save writes and Trainer.load reads",
        ),
        (["m/model.json", "other.csv"], "other.csv: column 'size' is missing; add it"),
        (["m/model.json", "wide.csv"], "wide.csv: columns: 4, features of the model: 2; give"),
        (["m/model.json", "huge.csv"], "huge.csv: row 1 has values too large for a prediction"),
        (["m/model.json", "flats.csv", "--out", "y.txt"], "y.txt does not end in .csv or .npy"),
        (["m/model.json", "flats.csv", "--out", "flats.csv/y.csv"], "flats.csv is not a folder"),
        (["m/model.json", "flats.csv", "--out", ""], "does not end in .csv or .npy"),
    ],
)
def test_predict_that_cannot_be_done(folder, capsys, arguments, message):
    cli.main(["train", "flats.csv", "--out", "m"])
    tw.Trainer(2).save("m/trainer.npz")
    capsys.readouterr()
    (folder / "other.csv").write_text("rooms,area\n1,2\n")
    (folder / "wide.csv").write_text("1,2,3,4\n")
    (folder / "huge.csv").write_text("1.7e308,1.7e308\n")
    assert message in error(capsys, "predict", *arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train"], "FILE"),
        (["train", "a", "b"], "b"),
        (["train", "a", "--epochs", "x"], "--epochs: invalid int value: 'x'"),
        (["train", "a", "--learning-rate", "fast"], "'fast' is neither a number nor auto"),
        (["train", "a", "--optimizer", "sdg"], "--optimizer: invalid choice: 'sdg'"),
        (["train", "a", "--sampling", "x"], "--sampling: invalid choice: 'x'"),
        (["train", "a", "--seed", "-1"], "--seed: '-1'"),
        (["train", "a", "--tar", "x"], "--tar"),
        (["predict", "m.json"], "FILE"),
        (["predict"], "MODEL, FILE"),
    ],
)
def test_wrong_arguments(arguments, message, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
