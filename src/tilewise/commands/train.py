"""The command ``tilewise train``: a model of the user's own table, or of rows on the disk."""

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tilewise import _core, plots
from tilewise._checks import UINT64_MAX, check_int, check_seed
from tilewise._core import usable_cpus
from tilewise._extras import required
from tilewise._files import check_outputs, outputs, remove_unfinished
from tilewise._format import counted, duration
from tilewise._threads import get_num_threads, set_num_threads
from tilewise.data.open import open_path
from tilewise.distributed.ranks import Ranks
from tilewise.report.table import Table
from tilewise.tables.fit import Fitted, fit_dataset, fit_table
from tilewise.tables.model import LinearModel
from tilewise.tables.model_file import save_model
from tilewise.tables.read import read_rows
from tilewise.training.history import History
from tilewise.training.settings import SAMPLINGS

FILES = ("model.json", "loss_vs_time.png")
_VALIDATION_FRACTION = 0.2
_CHECKPOINT = "checkpoint.npz"
_BUFFER_MIB = 1024
_CHECKPOINT_EVERY = 1000
_COUNTS_OF_MPIEXEC = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")  # of MPICH and Open MPI


def _rate(value: str) -> float | str:
    if value == "auto":
        return value
    try:
        return float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{value!r} is neither a number nor auto") from None


def seed(value: str) -> int:
    """Return the number of an argument ``--seed``."""
    try:
        return check_seed(int(value))
    except ValueError:
        message = f"{value!r} is not an integer from 0 to {UINT64_MAX}"
        raise argparse.ArgumentTypeError(message) from None


_SHOWN = "(%(default)s)"
_OPTIONS: dict[str, dict[str, Any]] = {
    "target": dict(metavar="COLUMN", help="what to predict: name, or number from 1 (the last)"),
    "out": dict(metavar="DIR", default="tilewise-model", help=f"folder to write {_SHOWN}"),
    "force": dict(action="store_true", help="replace the files of an earlier run"),
    "validation_fraction": dict(
        type=float, help=f"of a table's rows, not trained on; 0 for none ({_VALIDATION_FRACTION})"
    ),
    "epochs": dict(type=int, default=20, help=f"passes over the rows {_SHOWN}"),
}
_SETTINGS: dict[str, dict[str, Any]] = {
    "batch_size": dict(type=int, default=32, help=f"rows in a step {_SHOWN}"),
    "learning_rate": dict(
        type=_rate, default="auto", help=f"a number, or auto: from the data {_SHOWN}"
    ),
    "optimizer": dict(
        choices=_core.optimizers(), default="sgd", help=f"how a step uses the gradient {_SHOWN}"
    ),
    "sampling": dict(choices=SAMPLINGS, default="permutation", help=f"order of the rows {_SHOWN}"),
    "weight_decay": dict(type=float, default=0.0, help=f"penalty on the weights {_SHOWN}"),
    "seed": dict(
        type=seed, default=0, help=f"of the rows held out and the order of the others {_SHOWN}"
    ),
}
_ON_DISK: dict[str, dict[str, Any]] = {
    "buffer_mib": dict(type=int, help=f"memory of a process for rows, in MiB ({_BUFFER_MIB})"),
    "mpi": dict(action="store_true", help="started by mpiexec: each rank takes its share of rows"),
    "average_every": dict(
        type=int,
        help="steps that a rank takes alone before models are averaged (1: add up gradients)",
    ),
    "checkpoint_every": dict(
        type=int, help=f"steps between two states of the training in {_CHECKPOINT} of --out (none)"
    ),
    "resume": dict(action="store_true", help=f"go on from {_CHECKPOINT} of --out, if it is there"),
}
_METAVARS = {int: "N", float: "NUMBER", _rate: "RATE"}


def add_train(commands: Any) -> None:
    """Add ``train`` to the subcommands."""
    command = commands.add_parser(
        "train",
        help="fit a linear model to your own CSV, NPY or Parquet file, or to a folder of shards",
        description="Fit a linear model to your own table of numbers: CSV (any usual delimiter, "
        "header or not), .npy, .parquet or .arrow; or to more rows than fit in memory, on one "
        f"process or many. Prints how well it fits and writes {', '.join(FILES)}.",
        allow_abbrev=False,
    )
    command.add_argument("file", metavar="FILE", help="the table, or a folder of shards")
    on_disk = command.add_argument_group(
        "larger than memory",
        "A folder of .npy, .parquet or .arrow shards, or one such file with any of these, is read "
        "while the model trains. No rows are held out.",
    )
    for group, options in ((command, _OPTIONS | _SETTINGS), (on_disk, _ON_DISK)):
        for name, how in options.items():
            if how.get("type") in _METAVARS:
                how = {"metavar": _METAVARS[how["type"]], **how}
            group.add_argument(_flag(name), **how)
    command.set_defaults(run=_train)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _train(arguments: argparse.Namespace) -> None:
    _check_processes(arguments)
    settings = {name: getattr(arguments, name) for name in _SETTINGS}
    given = [getattr(arguments, name) for name in _ON_DISK]
    named = any(value is not None and value is not False for value in given)  # 0 is refused later
    if os.path.isdir(arguments.file) or named:
        MPI = required("mpi4py.MPI", "mpi", "--mpi needs mpi4py") if arguments.mpi else None
        ranks = Ranks(MPI and MPI.COMM_WORLD)
        try:
            _train_on_disk(arguments, settings, ranks)
        except BaseException as error:
            ranks.abort_unless_agreed(error)
            if ranks.speaks_of(error):
                raise
            raise SystemExit(2) from None  # another rank has the message
        return
    check_outputs(Path(arguments.out), FILES, arguments.force)
    rows = read_rows(arguments.file, arguments.target)
    fraction = arguments.validation_fraction
    fraction = _VALIDATION_FRACTION if fraction is None else fraction
    epochs = arguments.epochs
    _finish(arguments, fit_table(rows, validation_fraction=fraction, epochs=epochs, **settings))


def _check_processes(arguments: argparse.Namespace) -> None:
    """Refuse several processes that would not know of each other."""
    for name in _COUNTS_OF_MPIEXEC:
        count = os.environ.get(name, "1")
        if count != "1" and not arguments.mpi:
            raise ValueError(
                f"{name}={count}: each process would train it all; add --mpi, or unset {name}"
            )


def _train_on_disk(arguments: argparse.Namespace, settings: dict[str, Any], ranks: Ranks) -> None:
    """Train on all ranks, and on rank 0 write the files."""
    checkpoint = Path(arguments.out, _CHECKPOINT)
    with ranks.agreed():
        checked = _check(arguments, checkpoint, ranks.rank == 0)
    resume = ranks.allgather(checked)[0]
    if resume:
        arguments.force = True  # its own files, if it was killed while they got their names
    if arguments.mpi and "TILEWISE_NUM_THREADS" not in os.environ:
        share = max(1, usable_cpus() // ranks.on_this_machine)
        set_num_threads(min(share, get_num_threads()))
    fitting = {
        "comm": ranks.comm,
        "average_every": arguments.average_every or 1,
        "progress": sys.stderr.isatty() and find_spec("tqdm") is not None,
    }
    saves = arguments.checkpoint_every is not None or arguments.resume
    if saves:
        fitting["checkpoint"] = checkpoint
        fitting["checkpoint_every"] = arguments.checkpoint_every or _CHECKPOINT_EVERY

    def begin() -> None:
        if saves:
            checkpoint.parent.mkdir(parents=True, exist_ok=True)
        if ranks.rank == 0 and not resume:
            checkpoint.unlink(missing_ok=True)  # another job's, with --force

    buffer_bytes = (arguments.buffer_mib or _BUFFER_MIB) * 2**20
    fitted = fit_dataset(
        lambda: {"training": open_path(Path(arguments.file), arguments.target, buffer_bytes)},
        ranks, epochs=arguments.epochs,
        about={"ranks": ranks.size}, resume=checkpoint if resume else None, begin=begin,
        fitting=fitting, **settings,
    )  # fmt: skip
    with ranks.agreed():
        if ranks.rank == 0:
            _finish(arguments, fitted)
            checkpoint.unlink(missing_ok=True)
            if saves:
                remove_unfinished(checkpoint.parent)  # of this job, where it was killed


def _check(arguments: argparse.Namespace, checkpoint: Path, writes: bool) -> bool:
    """Refuse what would fail later, and return whether there is a checkpoint to go on from."""
    if arguments.validation_fraction:
        raise ValueError("--validation-fraction does not go with rows on the disk; leave it out")
    for name in ("average_every", "buffer_mib", "checkpoint_every"):
        if getattr(arguments, name) is not None:
            check_int(_flag(name), getattr(arguments, name))
    if not writes:
        return False
    resume = bool(arguments.resume and checkpoint.exists())
    check_outputs(checkpoint.parent, FILES, arguments.force or resume)
    if checkpoint.exists() and not (arguments.resume or arguments.force):
        raise FileExistsError(
            f"{checkpoint} exists; --resume to go on from it, or --force to begin anew"
        )
    return resume


def _finish(arguments: argparse.Namespace, fitted: Fitted) -> None:
    """Write the files and print the summary."""
    out = Path(arguments.out)
    with outputs(out, FILES, arguments.force) as unfinished:
        save_model(fitted.model, unfinished / "model.json")
        _draw(fitted.model, fitted.history, unfinished / "loss_vs_time.png")
    print(_summary(fitted))
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


def _summary(fitted: Fitted) -> str:
    model, about = fitted.model, fitted.model.training
    rows = [
        [name, str(score.rows), f"{score.loss:.6g}", _r2(score.r2)]
        for name, score in fitted.scores.items()
    ]
    columns = model.columns
    target = columns.label(None) if columns.target is None else repr(columns.target)
    caption = (
        f"The loss is half the mean squared error of the standardized target. Learning rate "
        f"{about['learning_rate']:.3g}, {counted(about['epochs'], 'epoch')} of "
        f"{duration(about['seconds_per_epoch'])}."
    )
    if fitted.constant:
        caption += f" Constant, and so without weight: {', '.join(fitted.constant)}."
    if fitted.scores["training"].loss > 0.5:
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
