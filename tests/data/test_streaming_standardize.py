"""Columns that are standardized as they are read."""

import numpy as np
import pytest

import tilewise as tw
from tests.support.streams import SMALL, D, N, sequential


@pytest.fixture
def table():
    random = np.random.default_rng(0)
    return (random.normal(size=(N, D + 1)) * 10.0 ** np.arange(D + 1) + 3).astype(np.float32)


@pytest.fixture
def shards(table, tmp_path):
    for number, part in enumerate(np.split(table, [1, 640])):
        np.save(tmp_path / f"{number}.npy", part)
    return tmp_path


def sources(table, shards):
    X, y = table[:, :-1], table[:, -1]
    return {
        "files": tw.open_rows(shards, buffer_bytes=SMALL),
        "array": tw.open_rows(X, y, buffer_bytes=SMALL),
        "chunks": tw.open_rows([(X[:7], y[:7]), (X[7:], y[7:])], buffer_bytes=SMALL),
    }


def test_a_fit_equals_that_of_the_array(table, shards):
    X, y = table[:, :-1], table[:, -1] / table[:, -1].std()
    expected = sequential(tw.data.standardize(X), y)
    np.save(shards / "0.npy", np.column_stack([X[:1], y[:1]]))
    np.save(shards / "1.npy", np.column_stack([X[1:640], y[1:640]]))
    np.save(shards / "2.npy", np.column_stack([X[640:], y[640:]]))
    rows = tw.data.standardize(tw.open_rows(shards, buffer_bytes=SMALL))
    history = sequential(rows)
    np.testing.assert_allclose(history.weights, expected.weights, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(sequential(rows).weights, history.weights)  # read again


def test_mean_and_scale_are_those_of_the_columns(table, shards):
    X = table[:, :-1].astype(np.float64)
    for name, rows in sources(table, shards).items():
        found = tw.data.standardize(rows)
        assert (found.n_rows, found.width) == (rows.n_rows, rows.width), name
        np.testing.assert_allclose(found.mean, X.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(found.scale, X.std(axis=0), rtol=1e-12)


@pytest.mark.parametrize(("dtype", "step"), [(np.float32, 2.0**-23), (np.float64, 2.0**-32)])
def test_a_mean_far_above_the_deviation_loses_nothing(dtype, step):
    steps = np.random.default_rng(1).integers(0, 9, size=(100_000, 3))
    X = ((1 + step * steps) * 4096).astype(dtype)
    rows = tw.data.standardize(tw.open_rows(X, np.zeros(len(X), dtype)))
    np.testing.assert_allclose(rows.scale, 4096 * step * steps.std(axis=0), rtol=1e-6)
    run = next(rows.runs(None))
    read, y = np.empty((run.n_rows, 3), dtype), np.empty(run.n_rows, dtype)
    run.read(read, y)
    expected = (steps - steps.mean(axis=0)) / steps.std(axis=0)
    np.testing.assert_allclose(read, expected[: run.n_rows], atol=1e-6)


def test_labels_stay_as_they_are(table, shards):
    for name, rows in sources(table, shards).items():
        labels = []
        for run in tw.data.standardize(rows).runs(None):
            read, y = np.empty((run.n_rows, rows.width), np.float32), np.empty(run.n_rows, "f4")
            run.read(read, y)
            labels.append(y)
        np.testing.assert_array_equal(np.concatenate(labels), table[:, -1], err_msg=name)


def test_bad_columns_are_named(table, shards):
    part = table[1:640].copy()
    part[200, 2] = np.inf
    np.save(shards / "1.npy", part)
    with pytest.raises(ValueError, match=r"1.npy: X\[200, 2\] is inf; remove"):
        tw.data.standardize(tw.open_rows(shards))
    constant = table.copy()
    constant[:, 1] = 7
    with pytest.raises(ValueError, match=r"column 1 of X is constant \(7\)"):
        tw.data.standardize(tw.open_rows(constant[:, :-1], table[:, -1]))
    huge = np.array([[1e300], [-1e300]])
    with pytest.raises(ValueError, match=r"column 0 of X, from -1e\+300 to 1e\+300, is beyond"):
        tw.data.standardize(tw.open_rows(huge, np.zeros(2)))
