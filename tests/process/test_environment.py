"""The environment variables that the import reads, good and damaged."""

import importlib
import os
import subprocess
import sys

import pytest

import tilewise as tw
from tests.support.threads import process_threads

pytestmark = pytest.mark.once

# No number from 1 to 1024 in plain digits; for int() some are, and others too long to read.
WRONG_NUMBERS = [
    "0",
    "1025",
    "-3",
    "3.0",
    "1_0",
    "many",
    "0" * 5000,
    "9" * 5000,
    "\u0663",
    "\udcff",
]


@pytest.fixture
def threads_of_import(monkeypatch):
    """Return what the import does with the variables it is given: the number of threads."""
    read = importlib.import_module("tilewise._threads")._set_from_environment

    def threads(**variables):
        for name in ("TILEWISE_NUM_THREADS", "OMP_NUM_THREADS"):
            monkeypatch.setenv(name, variables.get(name, ""))
        read()
        return tw.get_num_threads()

    with process_threads(7):
        yield threads


def test_the_number_of_threads(threads_of_import):
    assert threads_of_import() == 7, "as it was"
    assert threads_of_import(TILEWISE_NUM_THREADS="3", OMP_NUM_THREADS="5") == 3
    assert threads_of_import(OMP_NUM_THREADS=" 0005 ,2") == 5
    assert threads_of_import(TILEWISE_NUM_THREADS="1024") == 1024


@pytest.mark.parametrize("value", WRONG_NUMBERS)
def test_a_wrong_number_is_named(threads_of_import, value):
    with pytest.raises(ImportError, match=r"^TILEWISE_NUM_THREADS='.* number from 1 to 1024; give"):
        threads_of_import(TILEWISE_NUM_THREADS=value)
    assert threads_of_import(OMP_NUM_THREADS=value) == 7, "OpenMP's variable is not ours"


def test_a_message_stays_short(threads_of_import):
    with pytest.raises(ImportError) as caught:
        threads_of_import(TILEWISE_NUM_THREADS="9" * 5000)
    assert len(str(caught.value)) < 150


def error_of_import(**variables):
    """Return the last line of what a new process prints."""
    done = subprocess.run(
        [sys.executable, "-c", "import tilewise"],
        capture_output=True,
        env=os.environ | variables,
        timeout=60,
    )
    assert done.returncode == 1
    return done.stderr.decode("ascii").splitlines()[-1]


def test_the_import_fails():
    message = error_of_import(TILEWISE_NUM_THREADS="many")
    assert message.startswith("ImportError: TILEWISE_NUM_THREADS='many' is not a number")


@pytest.mark.parametrize(
    ("value", "shown"),
    [("fast", "fast"), (b"\xff\xfe", r"\xff\xfe"), ("a\nb\\é", r"a\x0ab\x5c\xc3\xa9")],
    ids=["word", "bytes", "escaped"],
)
def test_a_wrong_instruction_set_is_named(value, shown):
    message = error_of_import(TILEWISE_ISA=value)
    assert message.startswith(f"ImportError: TILEWISE_ISA='{shown}' is not possible on this CPU")
