"""Fixtures that several files use: the airfoil data, a user's cache of our own."""

import importlib
import signal

import numpy as np
import pytest
from hypothesis import settings

import tilewise as tw
from tests.support.matrices import CALLS
from tilewise import d2l

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
    """Return a folder for the user's cache, in which this machine has been measured, briefly."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        limits = importlib.import_module("tilewise.hardware.limits")
        for name, value in (("_SECONDS", 1e-3), ("_REPEATS", 2), ("_CALLS", 10)):
            patch.setattr(limits, name, value)
        tw.machine()
    return folder


@pytest.fixture(scope="session", autouse=True)
def interruptible():
    """Let tests be interrupted where a shell that runs them in the background ignores Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def cache(measured_cache, monkeypatch):
    """Let no test read or write the cache of the user who runs it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(measured_cache))
