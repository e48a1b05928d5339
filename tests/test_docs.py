"""Everything that the documentation shows runs."""

import dataclasses
import doctest
import importlib
import os
import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest

import tilewise as tw

pytestmark = pytest.mark.once
pytest.importorskip("sklearn")

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
PACKAGE = Path(tw.__file__).parent
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("_"))
# What users see: the package and the modules that it names. The others serve these.
SHOWN = ["tilewise", *(f"tilewise.{name}" for name in tw.__all__ if name in MODULES)]


def functions_of(module_name: str) -> dict[str, object]:
    """Return what a module offers for calling, by full name."""
    module = importlib.import_module(module_name)
    items = {f"{module_name}.{name}": getattr(module, name) for name in module.__all__}
    return {name: item for name, item in items.items() if callable(item)}


def needs_example(item: object) -> bool:
    """Tell whether a user calls it: not what only carries results, nor an error."""
    is_error = isinstance(item, type) and issubclass(item, Exception)
    return not is_error and not dataclasses.is_dataclass(item)


SHOWN_FUNCTIONS = {k: v for name in SHOWN for k, v in functions_of(name).items()}
FUNCTIONS = SHOWN_FUNCTIONS | {
    k: v for name in MODULES for k, v in functions_of(f"tilewise.{name}").items()
}


def code_blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Run in an empty folder, and find data only where the environment says: no downloads."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TILEWISE_DATA", os.environ.get("TILEWISE_DATA") or str(tmp_path))
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstring_examples_run(name, elsewhere):
    # Looked up one by one: doctest's own search of a module skips compiled functions.
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder().find(FUNCTIONS[name], name):
        runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


@pytest.mark.parametrize("name", [k for k, v in SHOWN_FUNCTIONS.items() if needs_example(v)])
def test_what_users_call_has_an_example(name):
    assert ">>> " in (FUNCTIONS[name].__doc__ or "")


@pytest.mark.parametrize("name", PAGES)
def test_python_of_a_page_runs(name, elsewhere):
    names: dict[str, object] = {}
    for block in code_blocks("python", (ROOT / name).read_text()):
        exec(compile(block, name, "exec"), names)


@pytest.mark.slow
def test_readme_commands_run(elsewhere, capsys, monkeypatch):
    cli, plan = importlib.import_module("tilewise.cli"), tw.report._FULL
    sizes = plan.sizes[:-1]  # the last alone takes 20 s
    monkeypatch.setattr(tw.report, "_FULL", dataclasses.replace(plan, sizes=sizes))
    lines = "".join(code_blocks("sh")).splitlines()
    calls = [call for line in lines for call in re.findall(r"(?:^|/)tilewise\b(.*)", line)]
    assert calls
    Path("flats.csv").write_text("size,price\n" + "".join(f"{i},{2 * i}\n" for i in range(9)))
    Path("new_flats.csv").write_text("floor,size\n1,50\n")
    for call in calls:
        assert cli.main(shlex.split(call, comments=True)) == 0, capsys.readouterr().err


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    page = ROOT / name
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_picture_of_the_five_loops_is_drawn_by_its_script():
    script = runpy.run_path(str(ROOT / "docs" / "five_loops.py"))
    texts = {text.get_text() for text in script["draw"]().axes[0].texts}
    assert {"mc", "kc", "nc", "mr", "nr"} <= texts
