"""What users import: the names that the package shows, where they lie, and what they load."""

import importlib
import pkgutil
import subprocess
import sys

import pytest

import tilewise as tw
from tests.support.paths import ROOT

pytestmark = pytest.mark.once

SOURCES = ROOT / "src" / "tilewise"
# Users import these by their paths.
PUBLIC = {"data", "hardware", "schedules", "plots", "d2l", "experiments"}
MOST_FILES = 16  # at the root of the package
LARGE = {
    "jinja2",
    "matplotlib",
    "mpi4py",
    "pandas",
    "polars",
    "pyarrow",
    "scipy",
    "sklearn",
    "tqdm",
}


def modules_beside(package: str) -> set[str]:
    """Return the modules and folders that lie in a package."""
    path = importlib.import_module(package).__path__
    return {module.name for module in pkgutil.iter_modules(path)}


def test_dir_shows_what_is_public():
    shown = {name for name in dir(tw) if not name.startswith("__")}
    assert shown == {*tw.__all__, *PUBLIC}
    assert all(hasattr(tw, name) for name in shown)


@pytest.mark.parametrize("name", ["", *sorted(PUBLIC - {"schedules"})])
def test_no_public_name_hides_a_module(name):
    package = importlib.import_module(f"tilewise.{name}".rstrip("."))
    hidden = {*package.__all__, *dir(tw)} if package is tw else set(package.__all__)
    assert hidden & modules_beside(package.__name__) <= (PUBLIC if package is tw else set())


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_public_modules_import_by_their_path(name):
    module = importlib.import_module(f"tilewise.{name}")
    assert module is getattr(tw, name)
    assert all(hasattr(module, public) for public in module.__all__)


def test_few_files_lie_at_the_root():
    assert len(list(SOURCES.glob("*.py"))) <= MOST_FILES


def test_the_import_loads_numpy_and_nothing_else_that_is_large():
    program = "import sys, tilewise; print(*{name.split('.')[0] for name in sys.modules})"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    loaded = set(run.stdout.split())
    assert "numpy" in loaded
    assert not loaded & LARGE
