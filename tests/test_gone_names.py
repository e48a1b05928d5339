"""What documents, docstrings and ``--help`` name is there; what is gone is named nowhere."""

import ast
import json
import re
from importlib import import_module

import pytest

from tests.support.paths import ROOT
from tilewise.commands import cli

pytestmark = pytest.mark.once

# Names that once meant something and that no check below would find.
GONE = (
    "tilewise plan",
    "cost_model",
    "TILEWISE_DATA",
    "pooch",
    "MAX_LINES",
    *(f"benchmarks.{name}" for name in ("check", "products", "epochs", "sweep_blocking", "tables")),
    *(f"tilewise.{name}" for name in ("chapter", "linalg", "curvature", "engine", "sgd")),
)
NAME = re.compile(r"(?<![\w/.-])(?:tilewise|tw)\.[A-Za-z_][\w.]*\w")
PLACEHOLDER = re.compile(r"NAME|CPU-ISA")
PATH = re.compile(r"(?<![\w/])(?:src|tests|cpp|docs|benchmarks|\.ci)/[\w./-]*\w")


def documents():
    """Yield name and text of each place in which a reader meets names."""
    for path in sorted(
        [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")]
    ):
        yield path.relative_to(ROOT).as_posix(), path.read_text()
    cells = json.loads((ROOT / "docs" / "minibatch_sgd.ipynb").read_text())["cells"]
    yield "notebook", "\n".join("".join(cell["source"]) for cell in cells)
    for path in sorted((ROOT / "src").rglob("*.py")):
        nodes = ast.walk(ast.parse(path.read_text()))
        kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
        found = [ast.get_docstring(node) or "" for node in nodes if isinstance(node, kinds)]
        yield path.relative_to(ROOT).as_posix(), "\n".join(found)


def exists(name):
    """Tell whether an attribute or a module has such a dotted name."""
    item = import_module("tilewise")
    full = "tilewise"
    for part in name.split(".")[1:]:
        full += f".{part}"
        try:
            item = getattr(item, part) if hasattr(item, part) else import_module(full)
        except ImportError:
            return False
    return True


def missing(text):
    """Return what a text names that is gone or not there."""
    names = [name for name in sorted(set(NAME.findall(text))) if not exists(name)]
    paths = [path for path in sorted(set(PATH.findall(text))) if not PLACEHOLDER.search(path)]
    gone = [gone for gone in GONE if gone in text]
    return gone + names + [path for path in paths if not (ROOT / path).exists()]


@pytest.mark.parametrize("text", [pytest.param(text, id=where) for where, text in documents()])
def test_what_documents_name_is_there(text):
    assert missing(text) == []


COMMANDS = re.search(r"\{([\w,]+)\}", cli._parser().format_usage())[1].split(",")


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)], ids=" ".join)
def test_what_help_names_is_there(command, capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main([*command, "--help"])
    assert missing(" ".join(capsys.readouterr().out.split())) == []
