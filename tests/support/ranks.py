"""What the tests of several ranks share: data that all know, and how to start ranks."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.paths import ROOT

N, D = 403, 5
_FRACTIONS = [1, 3, 2, 5]  # rows of the ranks, to one another
PROGRAMS = ["-m", "tests.support.on_ranks"]  # in the folder ROOT


def table():
    """Return X and y, the same everywhere."""
    random = np.random.default_rng(0)
    X = random.normal(size=(N, D))
    return X, X @ np.arange(1.0, D + 1) + 0.3 + 0.1 * random.normal(size=N)


def parts(size):
    """Return the rows of each rank: uneven."""
    fractions = np.cumsum(_FRACTIONS[:size])
    ends = (fractions * N // fractions[-1]).tolist()
    return [slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True)]


def settings(**changed):
    return {"batch_size": 32, "learning_rate": 0.1, "sampling": "sequential", "seed": 3, **changed}


def mpiexec(size):
    """Return how to start so many ranks of Python, or skip the test."""
    pytest.importorskip("mpi4py", exc_type=ImportError)
    beside = Path(sys.executable).with_name("mpiexec")
    found = str(beside) if beside.exists() else shutil.which("mpiexec")
    if found is None:
        pytest.skip("no mpiexec")
    return [found, "-n", str(size), sys.executable]


def on_ranks(size, *arguments):
    """Run a program of on_ranks.py to its end, whatever it is."""
    run = [*mpiexec(size), *PROGRAMS, *map(str, arguments)]
    return subprocess.run(run, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
