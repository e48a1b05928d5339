"""The command ``tilewise plan``: how long a job would take on many ranks."""

import argparse
import textwrap
from typing import Any

from tilewise._format import duration, three_digits
from tilewise.distributed.cost_model import (
    JobShape,
    Network,
    Prediction,
    doubled,
    predict,
    step_cost,
)
from tilewise.hardware.measured import machine
from tilewise.report.tables import Table

__all__ = ["add_plan"]

_LEAST, _MOST = 1e-6, 1e9  # microseconds or GB/s


def add_plan(commands: Any) -> None:
    """Add ``plan`` to the subcommands."""
    command = commands.add_parser(
        "plan",
        help="predict how long a job takes on many ranks",
        description="Predict step and epoch of minibatch SGD on many ranks, each a core like those "
        "of this machine, from this machine's measurements and a network's latency and bandwidth.",
        allow_abbrev=False,
    )
    command.add_argument("--rows", type=_count, required=True, help="of the whole data set")
    command.add_argument("--features", type=_count, required=True, help="columns of X")
    command.add_argument(
        "--batch", type=_count, default=1024, help="rows in a step of all ranks (%(default)s)"
    )
    command.add_argument("--ranks", type=_count, default=64, help="at most (%(default)s)")
    command.add_argument(
        "--latency",
        metavar="US",
        type=_positive,
        default=20.0,
        help="of a message between two ranks, in microseconds (%(default)s)",
    )
    command.add_argument(
        "--bandwidth",
        metavar="GB/S",
        type=_positive,
        default=3.0,
        help="between two ranks, in GB/s (%(default)s)",
    )
    command.set_defaults(run=_plan)


def _count(value: str) -> int:
    """Return a whole number above 0, which may be written as 1e9."""
    try:
        number = float(value)
        if 1 <= number <= 2**62 and number == int(number):
            return int(value) if value.isdecimal() else int(number)
    except (ValueError, OverflowError):
        pass
    raise argparse.ArgumentTypeError(f"{value!r} is not a whole number above 0")


def _positive(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not _LEAST <= number <= _MOST:
        raise argparse.ArgumentTypeError(f"{value!r} is not a number from {_LEAST:g} to {_MOST:g}")
    return number


def _plan(arguments: argparse.Namespace) -> None:
    shape = JobShape(arguments.rows, arguments.features, min(arguments.batch, arguments.rows))
    network = Network(arguments.latency * 1e-6, arguments.bandwidth * 1e9)
    found, cost = machine(), step_cost(shape.features)
    counts = doubled(min(arguments.ranks, shape.rows))
    predictions = [predict(shape, ranks, network, found, cost) for ranks in counts]
    print(_table(shape, predictions).to_text())
    print(f"\n{textwrap.fill(_advice(predictions[-1]), 80)}")


def _table(shape: JobShape, predictions: list[Prediction]) -> Table:
    alone = predictions[0].epoch_seconds()
    rows = [
        [
            str(p.ranks),
            three_digits(shape.batch_size / p.ranks),
            duration(p.computing),
            duration(p.messages),
            duration(p.epoch_seconds()),
            three_digits(alone / p.epoch_seconds()),
        ]
        for p in predictions
    ]
    return Table(
        f"{shape.rows} rows of {shape.features} features, {shape.batch_size} rows in a step",
        ["ranks", "rows each", "computing", "messages", "epoch", "times faster"],
        rows,
        f"A model, not a measurement. Computing and messages are those of a step; an epoch has "
        f"{shape.steps}.",
    )


def _advice(last: Prediction) -> str:
    share = last.messages / last.step_seconds()
    said = f"On {last.ranks} ranks, messages take {share:.0%} of a step."
    every = last.useful_average_every
    if every == 1:
        return f"{said} Averaging models instead of adding up gradients would gain little."
    then = last.epoch_seconds(every)
    share = -(-last.steps // every) * last.messages / then
    return (
        f"{said} With --average-every {every} they would take {share:.0%}: an epoch of "
        f"{duration(then)} instead of {duration(last.epoch_seconds())}. Try whether the loss is as "
        "low then."
    )
