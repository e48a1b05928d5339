"""Columns that are standardized as they are read."""

from functools import reduce
from operator import add

import numpy as np
import pytest

import tilewise as tw
from tests.support.streams import SMALL, D, N, assert_same, sequential
from tilewise.data.moments import Moments


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
        np.testing.assert_allclose(found.standardization.mean, X.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(found.standardization.scale, X.std(axis=0), rtol=1e-12)


@pytest.mark.parametrize(("dtype", "step"), [(np.float32, 2.0**-23), (np.float64, 2.0**-32)])
def test_a_mean_far_above_the_deviation_loses_nothing(dtype, step):
    steps = np.random.default_rng(1).integers(0, 9, size=(100_000, 3))
    X = ((1 + step * steps) * 4096).astype(dtype)
    rows = tw.data.standardize(tw.open_rows(X, np.zeros(len(X), dtype)))
    scale = rows.standardization.scale
    np.testing.assert_allclose(scale, 4096 * step * steps.std(axis=0), rtol=1e-6)
    expected = (steps - steps.mean(axis=0)) / steps.std(axis=0)
    np.testing.assert_allclose(rows.loaded()[0], expected, atol=1e-6)


def test_labels_stay_as_they_are(table, shards):
    for name, rows in sources(table, shards).items():
        labels = [y.copy() for _, _, _, y in tw.data.standardize(rows).blocks(2**10)]
        np.testing.assert_array_equal(np.concatenate(labels), table[:, -1], err_msg=name)


def test_rows_and_arrays_are_standardized_bit_by_bit_alike(table, shards):
    for name, rows in sources(table, shards).items():
        X = table[:, :-1]
        if name != "chunks":  # whose blocks are others
            read = np.concatenate([X.copy() for _, _, X, _ in tw.data.standardize(rows).blocks(99)])
            np.testing.assert_allclose(read, tw.data.standardize(X), rtol=3e-7)
    whole = tw.data.standardize(tw.open_rows(X, np.zeros(N, np.float32))).loaded()[0]
    np.testing.assert_array_equal(whole, tw.data.standardize(X))


def test_a_constant_column_becomes_zero(table):
    table[:, 1] = 0.1
    rows = tw.data.standardize(tw.open_rows(table[:, :-1], table[:, -1]))
    X, _ = rows.loaded()
    assert not X[:, 1].any() and X[:, 0].any()
    assert rows.standardization.constant.tolist() == [False, True, False, False, False]
    assert rows.standardization.scale[1] == 1
    assert rows.standardization.mean[1] == np.float32(0.1)


def test_values_over_the_whole_range(table):
    huge = np.array([[1.7e308, 5e-324], [-1.7e308, 0.0]])
    X, _ = tw.data.standardize(tw.open_rows(huge, np.zeros(2))).loaded()
    assert X.tolist() == [[1, 1], [-1, -1]]


def test_a_bad_value_is_named_by_file_row_and_column(table, shards):
    for column, label in ((2, "column 3"), (D, f"column {D + 1}")):
        part = table[1:640].copy()
        part[200, column] = np.inf
        np.save(shards / "1.npy", part)
        rows = tw.open_rows(shards)
        with pytest.raises(ValueError, match=rf"1.npy: row 201, {label} is inf; remove"):
            tw.fit(rows, seed=0) if column == D else tw.data.standardize(rows)


def test_rows_that_are_standardized_stay_so(table, shards):
    for name, rows in sources(table, shards).items():
        once = tw.data.standardize(rows)
        assert_same(sequential(tw.data.standardize(once)), sequential(once))
        assert once.standardization.mean.any(), name


def test_blocks_of_zeros_and_of_tiny_numbers_are_no_constant_column():
    for size in (1e-130, 1e-200, 1e-300, 1e200):
        X = np.zeros((40_000, 2))
        X[33_000:, 0] = size * np.random.default_rng(0).normal(size=7000)
        found = tw.data.standardize(X)
        np.testing.assert_allclose(found.std(axis=0), [1, 0], rtol=1e-9)
        rows = tw.data.standardize(tw.open_rows(X, np.zeros(len(X))))
        np.testing.assert_allclose(rows.loaded()[0], found, rtol=1e-9)


def test_moments_do_not_depend_on_the_blocks():
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 4)) * [1e-300, 1e-150, 1, 1e300] + [0, 1e-140, 1e6, 0]
    X[:100, 0] = 0
    whole = Moments.of(X).standardization()
    for cuts in ([100], [1, 299], [50, 100, 200]):
        parts = reduce(add, map(Moments.of, np.split(X, cuts))).standardization()
        np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-9)
        np.testing.assert_allclose(parts.scale, whole.scale, rtol=1e-9)


def test_other_rows_are_standardized_alike(table):
    rows = tw.data.standardize(tw.open_rows(table[:, :-1], table[:, -1]))
    X = table[:7, :-1]
    found = rows.standardization.apply(X)
    np.testing.assert_allclose(found, tw.data.standardize(table[:, :-1])[:7], rtol=1e-5)
    assert found.dtype == np.float64
    for wrong in (X[:, :2], X[0], X[:, :1]):
        with pytest.raises(ValueError, match=r"X has shape .*; give shape \(n, 5\)"):
            rows.standardization.apply(wrong)
    with pytest.raises(TypeError, match="X has dtype"):
        rows.standardization.apply(X.astype(int))


def test_moments_of_float32_are_those_of_the_same_numbers_in_float64():
    random = np.random.default_rng(1)
    for d in (1, 2, 5, 8, 13, 21):
        X = (random.normal(size=(400, d)) * 10 ** random.uniform(-6, 6, d)).astype(np.float32)
        for rows in (X, X[::3], X[:, : d // 2 + 1], X[:1]):
            found, wanted = Moments.of(rows), Moments.of(rows.astype(np.float64))
            for name in ("n", "unit", "origin", "rest", "squares"):
                pair = getattr(found, name), getattr(wanted, name)
                np.testing.assert_allclose(*pair, rtol=1e-13, atol=0, err_msg=name)
