"""Fixtures that several files use: the airfoil data, a user's cache of our own."""

import importlib
import io
import shutil
import signal
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

import tilewise as tw
from tests.support.matrices import CALLS
from tilewise import _core, d2l
from tilewise.commands import cli
from tilewise.report import writer

settings.register_profile("untimed", deadline=None)  # machines are shared: no test is timed
settings.load_profile("untimed")


@pytest.fixture
def airfoil():
    """Return X (1500, 5) and y (1500,), float32."""
    return tw.data.load_airfoil()


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def pyplot():
    """Return pyplot, and see that the user's settings stay."""
    import matplotlib.pyplot as plt

    before = dict(plt.rcParams)
    yield plt
    assert dict(plt.rcParams) == before, "settings of the user's"
    plt.close("all")
    d2l.set_figsize()


@pytest.fixture(params=CALLS.values(), ids=CALLS)
def matmul(request):
    """Return each way to multiply."""
    return request.param


@pytest.fixture(scope="session")
def measured_cache(tmp_path_factory):
    """Return a folder for the user's cache, with this machine measured; briefly, as all is here."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as brief:
        limits = importlib.import_module("tilewise.hardware.limits")
        for name, value in (("_SECONDS", 1e-3), ("_REPEATS", 2), ("_CALLS", 10)):
            brief.setattr(limits, name, value)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_CACHE_HOME", str(folder))
            tw.machine()
        yield folder


@dataclass(frozen=True)
class Made:
    """What ``tilewise report`` left in a folder, its results, and what it printed."""

    out: Path
    results: writer.Results
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def made(measured_cache, tmp_path_factory):
    """Return the one whole report of the session: on synthetic data, with seed 3."""
    for extra in ("jinja2", "matplotlib", "threadpoolctl", "tqdm"):
        pytest.importorskip(extra)
    out = tmp_path_factory.mktemp("made") / "new" / "folder"
    results, create = [], writer.create
    arguments = ["report", "--out", str(out), "--quick", "--seed", "3"]
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(io.StringIO()) as stdout,
        redirect_stderr(io.StringIO()) as stderr,
    ):
        patch.setenv("XDG_CACHE_HOME", str(measured_cache))
        patch.setattr(writer, "create", lambda *given: results.append(create(*given)) or results[0])
        assert cli.main(arguments) == 0
    return Made(out, results[0], stdout.getvalue(), stderr.getvalue())


@pytest.fixture
def measured_before(made, monkeypatch):
    """Let a report take the results of the session's, for the data and the seed that it is of."""

    def measure(seed, settings):
        return replace(made.results, seed=seed)

    monkeypatch.setattr(writer, "_measure", measure)


@pytest.fixture
def written_before(made, measured_before, monkeypatch):
    """Let a report have the files of the session's too."""

    def write(results, folder):
        shutil.copytree(made.out, folder, dirs_exist_ok=True)

    monkeypatch.setattr(writer, "_write", write)


@pytest.fixture(scope="session", autouse=True)
def interruptible():
    """Let tests be interrupted where a shell that runs them in the background ignores Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def many_cpus():
    """Let tests use more threads than this machine has CPUs."""
    _core.assume_cpus(16)


@pytest.fixture(autouse=True)
def cache(measured_cache, monkeypatch):
    """Let no test read or write the cache of the user who runs it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(measured_cache))
