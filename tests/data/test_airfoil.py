"""The airfoil data: that it is the published file, and what it holds."""

import hashlib
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from tilewise.data import airfoil, load_airfoil

pytestmark = pytest.mark.once


def test_the_published_file_is_in_the_package():
    content = Path(airfoil.AIRFOIL_PATH).read_bytes()
    published = "74c75fd71783f1e6b71f8a622b993dc592897a97cd689c5090a07147a1b097b3"
    assert hashlib.sha256(content).hexdigest() == published


def test_the_installation_names_the_licence_and_the_authors_of_the_file():
    installed = metadata.distribution("tilewise")
    assert installed.metadata["License-Expression"] == "BSD-3-Clause AND CC-BY-4.0"
    notice = installed.read_text("licenses/NOTICE")
    for part in ("airfoil_self_noise.dat", "Brooks", "10.24432/C5VW2C", "CC BY 4.0"):
        assert part in notice


def test_reference_values():
    X, y = load_airfoil(dtype=np.float64)
    with_ones = np.c_[X, np.ones(len(X))]
    solution = np.linalg.lstsq(with_ones, y, rcond=None)[0]
    expected = [-0.58318, -0.36551, -0.48433, 0.22387, -0.27133, 0.00196]
    np.testing.assert_allclose(solution, expected, rtol=0, atol=5.1e-6)
    loss = np.mean((with_ones @ solution - y) ** 2) / 2
    assert loss == pytest.approx(0.241688, abs=5.1e-7)
    assert np.mean(y**2) / 2 == pytest.approx(0.493259, abs=5.1e-7)
    largest = np.linalg.eigvalsh(X.T @ X / len(X))[-1]
    assert largest == pytest.approx(2.09846, abs=5.1e-6)


def test_rows_are_standardized_over_the_whole_file():
    table = np.loadtxt(airfoil.AIRFOIL_PATH)
    X, y = load_airfoil(None, np.float64)
    expected = (table - table.mean(0)) / table.std(0)
    np.testing.assert_allclose(np.c_[X, y], expected, rtol=0, atol=1e-13)
    X_first, y_first = load_airfoil(7, np.float64)
    np.testing.assert_array_equal(X_first, X[:7])
    np.testing.assert_array_equal(y_first, y[:7])


def test_shapes_and_dtypes():
    X, y = load_airfoil()
    assert (X.shape, y.shape) == ((1500, 5), (1500,))
    assert X.dtype == y.dtype == np.float32
    assert X.flags.c_contiguous
    assert y.flags.c_contiguous
    assert len(airfoil.AIRFOIL_COLUMNS) == 6


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n": 0}, ValueError, "n=0"),
        ({"n": 1504}, ValueError, "n=1504 is above 1503"),
        ({"n": 10.0}, TypeError, "n=10.0"),
        ({"n": True}, TypeError, "n=True"),
        ({"dtype": int}, TypeError, "dtype=<class 'int'>"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        load_airfoil(**arguments)
