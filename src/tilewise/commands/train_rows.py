"""``tilewise train`` on rows that stay on the disk: of a folder, or on many processes."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tilewise._checks import check_int
from tilewise._core import usable_cpus
from tilewise._extras import required
from tilewise._files import check_outputs, remove_unfinished
from tilewise._threads import get_num_threads, set_num_threads
from tilewise.data.dataset import Parts
from tilewise.data.open import open_rows
from tilewise.distributed.ranks import Ranks
from tilewise.tables.fit_rows import FittedRows, fit_rows

__all__ = ["add_options", "check_processes", "train_rows", "wants_rows"]

_CHECKPOINT = "checkpoint.npz"
_BUFFER_MIB = 1024
_CHECKPOINT_EVERY = 1000
_COUNTS_OF_MPIEXEC = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")  # of MPICH and Open MPI
_OPTIONS = ("mpi", "average_every", "buffer_mib", "checkpoint_every", "resume")


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options that make ``train`` leave the rows on the disk."""
    group = command.add_argument_group(
        "larger than memory",
        "A folder of .npy, .parquet or .arrow shards, or one such file with any of these, is read "
        "while the model trains. No rows are held out.",
    )
    group.add_argument(
        "--buffer-mib", metavar="N", type=int, help="memory of a process for rows, in MiB (1024)"
    )
    group.add_argument(
        "--mpi", action="store_true", help="started by mpiexec: each rank takes its share of rows"
    )
    group.add_argument(
        "--average-every",
        metavar="N",
        type=int,
        help="steps that a rank takes alone before models are averaged (1: add up gradients)",
    )
    group.add_argument(
        "--checkpoint-every",
        metavar="N",
        type=int,
        help=f"steps between two states of the training in {_CHECKPOINT} of --out (none)",
    )
    group.add_argument(
        "--resume", action="store_true", help=f"go on from {_CHECKPOINT} of --out, if it is there"
    )


def wants_rows(arguments: argparse.Namespace) -> bool:
    """Return whether the rows stay on the disk."""
    given = [getattr(arguments, name) for name in _OPTIONS]
    named = any(value is not None and value is not False for value in given)  # 0 is refused later
    return os.path.isdir(arguments.file) or named


def check_processes(arguments: argparse.Namespace) -> None:
    """Refuse several processes that would not know of each other."""
    for name in _COUNTS_OF_MPIEXEC:
        count = os.environ.get(name, "1")
        if count != "1" and not arguments.mpi:
            raise ValueError(
                f"{name}={count}: each process would train it all; add --mpi, or unset {name}"
            )


def train_rows(
    arguments: argparse.Namespace,
    files: Sequence[str],
    settings: dict[str, Any],
    finish: Callable[[FittedRows], None],
) -> None:
    """Train, and on rank 0 `finish`, which writes `files`."""
    ranks = Ranks(_world() if arguments.mpi else None)
    try:
        _train(arguments, files, settings, finish, ranks)
    except BaseException as error:
        ranks.abort_unless_agreed(error)
        if ranks.speaks_of(error):
            raise
        raise SystemExit(2) from None  # another rank has the message


def _train(
    arguments: argparse.Namespace,
    files: Sequence[str],
    settings: dict[str, Any],
    finish: Callable[[FittedRows], None],
    ranks: Ranks,
) -> None:
    checkpoint = Path(arguments.out, _CHECKPOINT)
    with ranks.agreed():
        checked = _check(arguments, files, checkpoint, ranks.rank == 0)
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

    fitted = fit_rows(
        lambda: _open(arguments), ranks, epochs=arguments.epochs,
        resume=checkpoint if resume else None, begin=begin, fitting=fitting, **settings,
    )  # fmt: skip

    def write() -> None:
        if ranks.rank == 0:
            finish(fitted)
            checkpoint.unlink(missing_ok=True)
            if saves:
                remove_unfinished(checkpoint.parent)  # of this job, where it was killed

    with ranks.agreed():
        write()


def _world() -> Any:
    return required("mpi4py.MPI", "mpi", "--mpi needs mpi4py").COMM_WORLD


def _check(
    arguments: argparse.Namespace, files: Sequence[str], checkpoint: Path, writes: bool
) -> bool:
    """Refuse what would fail later, and return whether there is a checkpoint to go on from."""
    if arguments.validation_fraction:
        raise ValueError("--validation-fraction does not go with rows on the disk; leave it out")
    for name in ("average_every", "buffer_mib", "checkpoint_every"):
        if getattr(arguments, name) is not None:
            check_int("--" + name.replace("_", "-"), getattr(arguments, name))
    if not writes:
        return False
    resume = bool(arguments.resume and checkpoint.exists())
    check_outputs(checkpoint.parent, files, arguments.force or resume)
    if checkpoint.exists() and not (arguments.resume or arguments.force):
        raise FileExistsError(
            f"{checkpoint} exists; --resume to go on from it, or --force to begin anew"
        )
    return resume


def _open(arguments: argparse.Namespace) -> Parts:
    buffer_bytes = (arguments.buffer_mib or _BUFFER_MIB) * 2**20
    rows = open_rows(arguments.file, target=arguments.target, buffer_bytes=buffer_bytes)
    assert isinstance(rows, Parts)  # of a path
    return rows
