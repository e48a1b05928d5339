"""The command line: ``tilewise``, also ``python -m tilewise``."""

import argparse
import os
import sys
import textwrap
from collections.abc import Sequence
from importlib.metadata import version

from tilewise.commands.predict import add_predict
from tilewise.commands.train import add_train, seed
from tilewise.hardware.facts import show_config
from tilewise.hardware.measured import machine
from tilewise.report import writer
from tilewise.report.machine_table import of_machine, spread_sentence


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status.

    That is 0 for success; 1 if the reader of stdout has gone; 2 if the command cannot be done,
    after one line on stderr that says why; 130 after Ctrl-C. Wrong arguments raise SystemExit, as
    argparse does.

    Examples
    --------
    >>> main(["machine"])  # doctest: +ELLIPSIS
    CPU ...
    0
    """
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Python flushes stdout once more as it exits; let it have somewhere to write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (OSError, ValueError, FloatingPointError, ImportError, MemoryError) as error:
        reason = " ".join(str(error).split()) or "there is too little memory"
        print(f"tilewise {arguments.command}: error: {reason}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tilewise",
        description="Matrix products and minibatch SGD as fast as the CPU can go, and why.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"tilewise {version('tilewise')}")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "report",
        help="run the experiments of d2l.ai, section 12.5, on this machine",
        description="Run the experiments of d2l.ai, section 12.5, on this machine: tables here, "
        "and in a folder report.html, results.json and the pictures.",
        allow_abbrev=False,
    )
    command.add_argument(
        "--out", metavar="DIR", default="tilewise-report", help="folder to write (%(default)s)"
    )
    command.add_argument("--seed", type=seed, default=0, help="of the runs (%(default)s)")
    command.add_argument(
        "--force", action="store_true", help="replace the files of an earlier report"
    )
    command.add_argument(
        "--quick", action="store_true", help="fewer sizes, rates and repetitions: some seconds"
    )
    command.set_defaults(run=_report)
    add_train(commands)
    add_predict(commands)
    command = commands.add_parser(
        "machine",
        help="print the CPU, what of it is used, and how fast it computes and reads",
        description="Print the CPU, what of it is used, and how fast it computes and reads: "
        "measured in a few seconds at the first call, and kept.",
        allow_abbrev=False,
    )
    command.add_argument("--refresh", action="store_true", help="measure again")
    command.set_defaults(run=_machine)
    return parser


def _report(arguments: argparse.Namespace) -> None:
    results = writer.create(arguments.out, arguments.seed, arguments.force, arguments.quick)
    print(writer.text(results))
    print(f"\nSee {os.path.join(arguments.out, 'report.html')}")


def _machine(arguments: argparse.Namespace) -> None:
    found = machine(arguments.refresh)
    show_config()
    print(f"\n{of_machine(found).to_text()}")
    if warning := spread_sentence(found):
        print(f"\n{textwrap.fill(warning, 80)}")
