"""Several ranks against one process, and local SGD against its definition."""

import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

import tilewise as tw
from tests.support.paths import ROOT
from tests.support.ranks import D, N, mpiexec, on_ranks, parts, settings, table
from tilewise.distributed.apportionment import rows_among

pytestmark = pytest.mark.once

RANKS = [1, 2, 3, 4]
SAME = {"rtol": 1e-11, "atol": 1e-13}


@given(st.lists(st.integers(1, 60), min_size=1, max_size=7))
@limits(max_examples=100)
def test_shares_are_whole_and_even(sizes):
    n = sum(sizes)
    first = np.arange(n + 1)
    shares = np.array([rows_among(first, rank, sizes) for rank in range(len(sizes))])
    np.testing.assert_array_equal(shares.sum(axis=0), first)
    np.testing.assert_array_equal(shares[:, -1], sizes)
    assert (np.diff(shares) >= 0).all()
    off = shares - np.outer(sizes, first) / n
    assert (np.abs(off) <= 1 + len(sizes) * np.array(sizes)[:, None] / (2 * n)).all()


def test_a_share_lies_evenly_over_the_epoch():
    assert rows_among(np.arange(7), 0, [2, 4]).tolist() == [0, 0, 1, 1, 1, 2, 2]


def test_shares_of_very_many_rows():
    sizes = [10**12, 3 * 10**12]
    first = np.array([4 * 10**11, 4 * 10**12])
    assert [rows_among(first, rank, sizes).tolist() for rank in (0, 1)] == [
        [10**11, 10**12],
        [3 * 10**11, 3 * 10**12],
    ]


@pytest.fixture(scope="module", params=RANKS)
def results(request, tmp_path_factory):
    """Return the results of each rank."""
    size, folder = request.param, tmp_path_factory.mktemp("ranks")
    run = on_ranks(size, "programs", folder, "fits", "averaged_each_step")
    assert run.returncode == 0, run.stderr
    return [dict(np.load(folder / f"result{rank}.npz")) for rank in range(size)]


def in_one_process(size, epochs=3, **changed):
    """Fit the rows in the order in which the ranks take them together."""
    X, y = table()
    wanted = settings(**changed)
    ends = np.append(np.arange(0, N, wanted["batch_size"]), N)
    shares = [
        rows_among(ends, rank, [s.stop - s.start for s in parts(size)]) for rank in range(size)
    ]
    order = [
        np.arange(part.start + share[step], part.start + share[step + 1])
        for step in range(len(ends) - 1)
        for part, share in zip(parts(size), shares, strict=True)
    ]
    order = np.concatenate(order)
    assert sorted(order) == list(range(N))
    return tw.fit(X[order], y[order], epochs=epochs, record_every=N, **wanted)


@pytest.mark.parametrize(
    ("name", "changed"),
    {
        "fits/sgd": {},
        "fits/adam": {"optimizer": "adam", "weight_decay": 0.01, "clip_norm": 1.0},
        "fits/average": {"average": True, "batch_size": 7},
        "fits/few rows": {"batch_size": 5, "learning_rate": 0.01},
        "fits/full": {"batch_size": N, "optimizer": tw.Optimizer("momentum", momentum=0.5)},
        "fits/adam of rank 0": {"optimizer": "adam"},
        "averaged_each_step/averaged": {},
    }.items(),
)
def test_ranks_do_what_one_process_does(results, name, changed):
    expected = in_one_process(len(results), **changed)
    np.testing.assert_allclose(results[0][f"{name}/weights"], expected.weights, **SAME)
    np.testing.assert_allclose(results[0][f"{name}/bias"], expected.bias, **SAME)
    np.testing.assert_allclose(results[0][f"{name}/losses"], expected.losses, **SAME)


def test_rows_on_the_disk_train_as_in_memory(results):
    for key in ("weights", "bias"):
        np.testing.assert_allclose(
            results[0][f"fits/shards/{key}"], results[0][f"fits/sgd/{key}"], **SAME
        )


def test_all_ranks_end_with_the_same(results):
    for other in results[1:]:
        for key, value in results[0].items():
            np.testing.assert_array_equal(other[key], value)


@pytest.mark.parametrize("name", ["auto", "shuffled shards"])
def test_all_ways_find_the_solution(results, name):
    X, y = table()
    solution = np.linalg.lstsq(np.column_stack([X, np.ones(N)]), y, rcond=None)[0]
    found = [*results[0][f"fits/{name}/weights"], results[0][f"fits/{name}/bias"]]
    np.testing.assert_allclose(found, solution, atol=0.06)


def test_local_sgd_averages_models_by_their_rows(results):
    size, every, batch_size, rate = len(results), 4, 32, 0.1
    X, y = table()
    X = np.column_stack([X, np.ones(N)])
    ends = np.append(np.arange(0, N, batch_size), N)
    sizes = [s.stop - s.start for s in parts(size)]
    shares = [rows_among(ends, rank, sizes) for rank in range(size)]
    start = tw.Trainer(D, dtype=np.float64, seed=3).weights
    w = np.append(start, 0.0)
    for _ in range(3):
        for first in range(0, len(ends) - 1, every):
            total, rows = np.zeros(D + 1), 0
            for part, share in zip(parts(size), shares, strict=True):
                own, window = w.copy(), share[first : first + every + 1]
                for a, b in zip(window[:-1] + part.start, window[1:] + part.start, strict=True):
                    if a < b:
                        own -= rate * X[a:b].T @ (X[a:b] @ own - y[a:b]) / (b - a)
                total, rows = total + own * (window[-1] - window[0]), rows + window[-1] - window[0]
            w = total / rows
    found = [*results[0]["fits/local/weights"], results[0]["fits/local/bias"]]
    np.testing.assert_allclose(found, w, **SAME)


def test_the_job_of_the_page_runs(tmp_path):
    page = (ROOT / "docs" / "scale.md").read_text()
    (tmp_path / "job.py").write_text(page.split("```py\n")[1].split("```")[0])
    run = subprocess.run(
        [*mpiexec(2), str(tmp_path / "job.py")], capture_output=True, text=True, check=True
    )
    assert float(run.stdout) > 0


OF_A_LOCAL_CLASS = """
import numpy as np
import tilewise as tw
from mpi4py import MPI

def rate():
    class Rate:
        def __call__(self, step):
            return 0.01
    return Rate()

X = np.ones((40, 3), np.float32) * (MPI.COMM_WORLD.rank + 1)
tw.fit(X, X[:, 0], learning_rate=rate(), comm=MPI.COMM_WORLD, seed=0)
"""


def test_a_rate_may_be_an_object_that_no_rank_can_send():
    run = [*mpiexec(2), "-c", OF_A_LOCAL_CLASS]
    done = subprocess.run(run, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
