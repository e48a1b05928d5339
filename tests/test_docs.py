"""Everything that the documentation shows runs."""

import dataclasses
import doctest
import importlib
import re
import runpy
import shlex
import sys
from inspect import ismodule
from pathlib import Path

import pytest

import tilewise as tw
from tests.support.paths import ROOT

pytestmark = pytest.mark.once
pytest.importorskip("sklearn")

README = (ROOT / "README.md").read_text()
PAGES = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
PACKAGE = Path(tw.__file__).parent
FILES = [path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py")]
MODULES = sorted(
    ".".join(path.parts).removesuffix(".__init__")
    for path in FILES
    if str(path) not in {"__init__", "__main__"}
)
# What users see: the package and the modules that it names. The others serve these.
SHOWN = ["tilewise", *(f"tilewise.{name}" for name in tw.__all__ if ismodule(getattr(tw, name)))]


def functions_of(module_name: str) -> dict[str, object]:
    """Return what a module offers for calling, by full name: what it lists, or what it defines."""
    module = importlib.import_module(module_name)
    own = [
        name
        for name, item in vars(module).items()
        if not name.startswith("_") and getattr(item, "__module__", "") == module_name
    ]
    items = {name: getattr(module, name) for name in getattr(module, "__all__", own)}
    return {f"{module_name}.{name}": item for name, item in items.items() if callable(item)}


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
    """Run in an empty folder."""
    monkeypatch.chdir(tmp_path)
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
    cli = importlib.import_module("tilewise.commands.cli")
    writer = importlib.import_module("tilewise.report.writer")
    sizes = (32, 64, 128, 256, 512)  # the largest of a report, 1024, alone takes 20 s
    monkeypatch.setitem(writer._FULL, "size_sweep", {"sizes": sizes})
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
