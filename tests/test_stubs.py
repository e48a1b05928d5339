"""Types: the package under mypy, and the stub of the compiled core against the core itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tilewise import _core

pytestmark = pytest.mark.once

pytest.importorskip("mypy")

ROOT = Path(__file__).parents[1]


def run(*arguments: str, **environment: str) -> None:
    command = [sys.executable, "-m", *arguments]
    env = {**os.environ, **environment}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_passes_mypy_strict(pytestconfig):
    # pyproject.toml says strict, and which files.
    run("mypy", "--cache-dir", str(pytestconfig.cache.mkdir("mypy")))


@pytest.mark.slow
def test_the_stub_describes_the_compiled_core(tmp_path):
    # The metaclass of pybind11 has no name that a stub could import. Members are still compared.
    allowlist = tmp_path / "allowlist"
    classes = [name for name, item in vars(_core).items() if isinstance(item, type)]
    allowlist.write_text("".join(f"tilewise._core.{name}\n" for name in classes))
    # The stub is read from the sources, the core is the installed one.
    sources = str(ROOT / "src")
    options = ("--mypy-config-file", "pyproject.toml", "--allowlist", str(allowlist))
    run("mypy.stubtest", *options, "tilewise._core", MYPYPATH=sources)
