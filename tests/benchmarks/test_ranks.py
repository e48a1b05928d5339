"""The data of the benchmark of ranks, and the file and the page of its last run."""

import json
from itertools import chain

import numpy as np
import pytest

from benchmarks.ranks import MARKS, PAGE, RESULT, Shape, apart, figures, rows_of
from tilewise.distributed.apportionment import rows_among

pytestmark = pytest.mark.once


@pytest.mark.parametrize("rows", [30, 37])
@pytest.mark.parametrize("ranks", [1, 2])
def test_the_ranks_together_hold_the_rows_of_one(ranks, rows):
    shape = Shape(rows, features=1, batch_size=10)
    whole = rows_of(0, 1, shape)[0][:, 0].tolist()
    parts = [rows_of(rank, ranks, shape)[0][:, 0].tolist() for rank in range(ranks)]
    assert sorted(chain(*parts)) == sorted(whole)
    ends = np.append(np.arange(0, rows, 10), rows)
    sizes = [len(part) for part in parts]
    for rank, part in enumerate(parts):
        cuts = rows_among(ends, rank, sizes)  # as a fit cuts them
        for i, batch in enumerate(np.split(whole, ends[1:-1])):
            assert part[cuts[i] : cuts[i + 1]] == [x for x in batch if x in part]


def test_weights_of_two_ranks_are_those_of_one():
    assert apart([1.0, -4.0], [1.0, -3.0]) == 0.25
    steps = json.loads(RESULT.read_text())["steps"]
    assert all(entry["weights_apart"] < 1e-5 for entry in steps)


def test_the_page_has_the_table_of_the_file():
    begin, end = MARKS
    assert f"{begin}{figures(json.loads(RESULT.read_text()))}{end}" in PAGE.read_text()
