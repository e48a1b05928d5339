"""The commands ``tilewise train`` and ``tilewise predict``: the user's own table."""

import argparse
import csv
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from tilewise import _core, plots
from tilewise._files import check_outputs, outputs
from tilewise._format import counted, duration
from tilewise.commands import train_rows
from tilewise.report.table import Table
from tilewise.tables.fit import Score, fit_table
from tilewise.tables.fit_rows import FittedRows
from tilewise.tables.model import LinearModel
from tilewise.tables.model_file import load_model, save_model
from tilewise.tables.read import read_table
from tilewise.training.history import History
from tilewise.training.settings import SAMPLINGS

__all__ = ["FILES", "add_predict", "add_train"]

_VALIDATION_FRACTION = 0.2
FILES = ("model.json", "loss_vs_time.png")


def add_train(commands: Any, seed: Any) -> None:
    """Add ``train`` to the subcommands; `seed` is the type of that argument."""
    command = commands.add_parser(
        "train",
        help="fit a linear model to your own CSV, NPY or Parquet file, or to a folder of shards",
        description="Fit a linear model to your own table of numbers: CSV (any delimiter, header "
        "or not), .npy or .parquet; or to more rows than fit in memory, on one process or many. "
        f"Prints how well it fits and writes {', '.join(FILES)}.",
        allow_abbrev=False,
    )
    command.add_argument("file", metavar="FILE", help="the table, or a folder of shards")
    command.add_argument(
        "--target", metavar="COLUMN", help="what to predict: name, or number from 1 (the last)"
    )
    command.add_argument(
        "--out", metavar="DIR", default="tilewise-model", help="folder to write (%(default)s)"
    )
    command.add_argument("--force", action="store_true", help="replace the files of an earlier run")
    command.add_argument(
        "--validation-fraction",
        metavar="PART",
        type=float,
        help=f"of a table's rows, not trained on; 0 for none ({_VALIDATION_FRACTION})",
    )
    command.add_argument(
        "--epochs", metavar="N", type=int, default=20, help="passes over the rows (%(default)s)"
    )
    command.add_argument(
        "--batch-size", metavar="N", type=int, default=32, help="rows in a step (%(default)s)"
    )
    command.add_argument(
        "--learning-rate",
        metavar="RATE",
        type=_rate,
        default="auto",
        help="a number, or auto: from the data (%(default)s)",
    )
    command.add_argument(
        "--optimizer",
        choices=tuple(_core.optimizers()),
        default="sgd",
        help="how a step uses the gradient (%(default)s)",
    )
    command.add_argument(
        "--sampling",
        choices=SAMPLINGS,
        default="permutation",
        help="order of the rows (%(default)s)",
    )
    command.add_argument(
        "--weight-decay",
        metavar="RATE",
        type=float,
        default=0.0,
        help="penalty on the weights (%(default)s)",
    )
    command.add_argument(
        "--seed", type=seed, default=0, help="of the parts and the order of the rows (%(default)s)"
    )
    train_rows.add_options(command)
    command.set_defaults(run=_train)


def add_predict(commands: Any) -> None:
    """Add ``predict`` to the subcommands."""
    command = commands.add_parser(
        "predict",
        help="apply a model that train wrote to another file",
        description="Apply a model to a table. Columns are found by name, in any order, where "
        "model and table have names, and otherwise by their place.",
        allow_abbrev=False,
    )
    command.add_argument("model", metavar="MODEL", help="the model.json that train wrote")
    command.add_argument("file", metavar="FILE", help="the table: CSV, .npy or .parquet")
    command.add_argument(
        "--out", metavar="FILE", help="where to write: .csv or .npy (to the terminal)"
    )
    command.add_argument("--force", action="store_true", help="replace the file of --out")
    command.set_defaults(run=_predict)


def _rate(value: str) -> float | str:
    if value == "auto":
        return value
    try:
        return float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{value!r} is neither a number nor auto") from None


def _train(arguments: argparse.Namespace) -> None:
    train_rows.check_processes(arguments)
    names = ("batch_size", "learning_rate", "optimizer", "sampling", "weight_decay", "seed")
    settings = {name: getattr(arguments, name) for name in names}
    if train_rows.wants_rows(arguments):
        finish = partial(_finish_rows, arguments)
        train_rows.train_rows(arguments, FILES, settings, finish)
        return
    check_outputs(Path(arguments.out), FILES, arguments.force)
    table = read_table(arguments.file)
    fraction = arguments.validation_fraction
    fitted = fit_table(
        table,
        arguments.target,
        validation_fraction=_VALIDATION_FRACTION if fraction is None else fraction,
        epochs=arguments.epochs,
        **settings,
    )
    _finish(arguments, fitted.model, fitted.history, fitted.scores, fitted.constant)


def _finish_rows(arguments: argparse.Namespace, fitted: FittedRows) -> None:
    _finish(arguments, fitted.model, fitted.history, {"training": fitted.score}, [])


def _finish(
    arguments: argparse.Namespace,
    model: LinearModel,
    history: History,
    scores: dict[str, Score],
    constant: list[str],
) -> None:
    """Write the files and print the summary."""
    out = Path(arguments.out)
    with outputs(out, FILES, arguments.force) as unfinished:
        save_model(model, unfinished / "model.json")
        _draw(model, history, unfinished / "loss_vs_time.png")
    print(_summary(model, scores, constant))
    print(f"\nSee {out / 'model.json'}")


def _draw(model: LinearModel, history: History, path: Path) -> None:
    about = model.training
    label = (
        f"{about['optimizer']}: batch size {about['batch_size']}, rate {about['learning_rate']:.3g}"
    )
    try:
        plot = plots.loss_vs_time({label: history})
    except ImportError as error:
        print(f"tilewise train: no picture is drawn: {error}", file=sys.stderr)
        return
    plot.set_title("Loss of the training part, standardized", fontsize=10)
    plot.figure.canvas.print_figure(path, dpi=200)


def _summary(model: LinearModel, scores: dict[str, Score], constant: list[str]) -> str:
    about = model.training
    rows = [
        [name, str(score.rows), f"{score.loss:.6g}", _r2(score.r2)]
        for name, score in scores.items()
    ]
    target = f"column {model.target_position + 1}" if model.target is None else repr(model.target)
    caption = (
        f"The loss is half the mean squared error of the standardized target. Learning rate "
        f"{about['learning_rate']:.3g}, {counted(about['epochs'], 'epoch')} of "
        f"{duration(about['seconds_per_epoch'])}."
    )
    if constant:
        caption += f" Constant, and so without weight: {', '.join(constant)}."
    if scores["training"].loss > 0.5:
        caption += (
            " The training loss is above 0.5, that of the mean alone: the learning rate is too "
            "large or the features do not tell the target."
        )
    title = f"Linear model of {target} by {counted(len(model.weights), 'feature')}"
    return Table(title, ["part", "rows", "loss", "R^2"], rows, caption).to_text()


def _r2(r2: float | None) -> str:
    if r2 is None:
        return "-"
    return f"{r2:.4f}" if r2 > -10 else f"{r2:.3g}"


def _predict(arguments: argparse.Namespace) -> None:
    out = None if arguments.out is None else Path(arguments.out)
    if out is not None:
        _check_out(out, arguments)
    model = load_model(arguments.model)
    table = read_table(arguments.file, only=model.features)
    try:
        y = model.predict(model.columns(table))
    except ValueError as error:
        raise ValueError(f"{arguments.file}: {error}") from None
    if out is None:
        _write_csv(model.target, y, sys.stdout)
        return
    with outputs(out.parent, [out.name], arguments.force) as unfinished:
        if out.suffix == ".npy":
            np.save(unfinished / out.name, y)
        else:
            with (unfinished / out.name).open("w", encoding="utf-8") as file:
                _write_csv(model.target, y, file)


def _check_out(out: Path, arguments: argparse.Namespace) -> None:
    if out.suffix not in (".csv", ".npy"):
        raise ValueError(f"--out {out} does not end in .csv or .npy; give such a name")
    check_outputs(out.parent, [out.name], arguments.force)
    for read in (arguments.model, arguments.file):
        if out.exists() and os.path.exists(read) and out.samefile(read):
            raise FileExistsError(f"--out {out} is the file to read; choose another")


def _write_csv(name: str | None, y: NDArray[np.float64], file: TextIO) -> None:
    """Write a prediction a line, in all its digits, below its name if there is one."""
    writer = csv.writer(file, lineterminator="\n")
    if name is not None:
        writer.writerow([name])
    writer.writerows([prediction] for prediction in y.tolist())
