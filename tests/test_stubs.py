"""Types: the package under mypy, what its users see, and the stub of the compiled core."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tilewise
from tests.support.paths import ROOT
from tilewise import _core

pytestmark = pytest.mark.once

pytest.importorskip("mypy")

# assert_type fails on Any. The ignored errors have to be there: strict reports an unused ignore.
USERS_FILE = """
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import assert_type

import tilewise as tw
from tilewise import SGDRegressor, fit

X, y = tw.data.load_airfoil()
assert_type(X, NDArray[Any])
history = fit(X, y, batch_size=10)
assert_type(history, tw.History)
assert_type(history.losses, NDArray[np.float64])
assert_type(tw.Trainer(5).fit(X, y, patience=2), tw.History)
assert_type(tw.Trainer.load("model.npz").predict(X), NDArray[Any])
assert_type(tw.matmul(X.T, X), NDArray[Any] | Any)
assert_type(SGDRegressor(epochs=3).fit(X, y), tw.SGDRegressor)

fit(X, y, batch_size="10")  # type: ignore[arg-type]
history.loss  # type: ignore[attr-defined]
tw.Trainer("5")  # type: ignore[arg-type]
tw.matmul(X, object())  # type: ignore[arg-type]
tw.matmul(X.T, X).shap  # type: ignore[union-attr]
SGDRegressor(epochs="3")  # type: ignore[arg-type]
tw.SGDClassifier  # type: ignore[attr-defined]
"""


def run(*arguments: str, cwd: Path = ROOT, **environment: str) -> None:
    command = [sys.executable, "-m", *arguments]
    env = {**os.environ, **environment}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_package_passes_mypy_strict(pytestconfig):
    # pyproject.toml says strict, and which files.
    run("mypy", "--cache-dir", str(pytestconfig.cache.mkdir("mypy")))


def test_users_see_the_types(tmp_path):
    # mypy looks for packages where Python does. PYTHONPATH holds it to the one that these tests
    # import: the installed wheel, or the sources of an editable install.
    (tmp_path / "users_file.py").write_text(USERS_FILE)
    options = ("--strict", "--config-file", "", "users_file.py")
    tested = str(Path(tilewise.__file__).parents[1])
    run("mypy", *options, cwd=tmp_path, MYPYPATH="", PYTHONPATH=tested)


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
