"""The command ``tilewise predict``: a model that ``tilewise train`` wrote, and a table."""

import argparse
import csv
import os
import sys
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from tilewise._files import check_outputs, named, outputs
from tilewise.tables.model_file import load_model
from tilewise.tables.read import read_table


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
    command.add_argument("file", metavar="FILE", help="the table: CSV, .npy, .parquet or .arrow")
    command.add_argument(
        "--out", metavar="FILE", help="where to write: .csv or .npy (to the terminal)"
    )
    command.add_argument("--force", action="store_true", help="replace the file of --out")
    command.set_defaults(run=_predict)


def _predict(arguments: argparse.Namespace) -> None:
    out = None if arguments.out is None else Path(arguments.out)
    if out is not None:
        _check_out(out, arguments)
    model = load_model(arguments.model)
    table = read_table(arguments.file, only=model.columns.features)
    with named(arguments.file):
        y = model.predict(model.features_of(table))
    if out is None:
        _write_csv(model.columns.target, y, sys.stdout)
        return
    with outputs(out.parent, [out.name], arguments.force) as unfinished:
        if out.suffix == ".npy":
            np.save(unfinished / out.name, y)
        else:
            with (unfinished / out.name).open("w", encoding="utf-8") as file:
                _write_csv(model.columns.target, y, file)


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
