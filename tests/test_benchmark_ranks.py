"""The data of the benchmark of ranks, and what the file of its last run says of the weights."""

import json
from itertools import chain

import pytest

from benchmarks.ranks import RESULT, apart, rows_of
from tilewise.cost_model import JobShape


@pytest.mark.parametrize("rows", [30, 37])
@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_the_ranks_together_hold_the_rows_of_one(ranks, rows):
    shape = JobShape(rows, features=1, batch_size=10)
    whole = rows_of(0, 1, shape)[0][:, 0].tolist()
    parts = [rows_of(rank, ranks, shape)[0][:, 0].tolist() for rank in range(ranks)]
    assert sorted(chain(*parts)) == sorted(whole)
    for start in range(0, rows, 10):
        batch = whole[start : start + 10]
        for part in parts:
            mine = [x for x in part if x in batch]
            assert abs(len(mine) - len(batch) / ranks) < 1
            assert mine == [x for x in batch if x in part]  # in order


def test_weights_of_two_ranks_are_those_of_one():
    assert apart([1.0, -4.0], [1.0, -3.0]) == 0.25
    steps = json.loads(RESULT.read_text())["steps"]
    assert all(entry["weights_apart"] < 1e-5 for entry in steps)
