"""The cost model of many ranks, and ``tilewise plan``."""

import re

import pytest

from tilewise.commands import cli
from tilewise.distributed.cost_model import (
    JobShape,
    Network,
    Prediction,
    StepCost,
    doubled,
    predict,
    step_cost,
)
from tilewise.hardware.limits import Limits, Measured
from tilewise.hardware.measured import Machine

pytestmark = pytest.mark.once


def measured(value):
    return Measured(value, value, value, value)


CORE = Limits(**{
    "fma_float32": measured(100.0), "fma_float64": measured(50.0), "read_l1": measured(200.0),
    "read_l2": measured(100.0), "read_l3": measured(50.0), "read_memory": measured(10.0),
})  # fmt: skip
MACHINE = Machine(
    "cpu", "avx2", ("avx2",), 2, 2**15, 2**20, 2**25, CORE, CORE, measured(1e-7), "2026-01-01"
)
FREE = StepCost(0.0, 0.0)
NETWORK = Network(latency=1e-5, bandwidth=1e9)


@pytest.mark.parametrize(
    ("rows", "ranks", "gbytes"),
    [(10, 1, 200), (1000, 1, 100), (8 * 10**4, 1, 50), (10**7, 1, 10), (10**7, 10**4, 100)],
)
def test_rows_are_read_from_the_level_that_holds_a_ranks_share(rows, ranks, gbytes):
    shape = JobShape(rows, 99, 100 * ranks)
    seconds = 100 * 100 * 4 / (gbytes * 1e9)
    assert predict(shape, ranks, NETWORK, MACHINE, FREE).computing == pytest.approx(seconds)


def test_rows_take_the_longer_of_reading_and_training():
    shape = JobShape(10**7, 99, 100)
    reading = 100 * 100 * 4 / 10e9
    for row, expected in ((reading / 200, reading), (reading / 50, 2 * reading)):
        found = predict(shape, 1, NETWORK, MACHINE, StepCost(1.0, row))
        assert found.computing == pytest.approx(1 + expected)


def test_messages_are_those_of_halving_and_doubling():
    shape = JobShape(10**6, 98, 1000)
    size = 100 * 4
    for ranks, trips in ((1, 0), (2, 1), (3, 2), (4, 2), (1000, 10)):
        expected = 2 * trips * 1e-5 + 2 * (ranks - 1) / ranks * size / 1e9
        found = predict(shape, ranks, NETWORK, MACHINE, FREE)
        assert found.messages == pytest.approx(expected)
        assert found.epoch_seconds() == pytest.approx(1000 * (found.computing + found.messages))


def test_averaging_is_advised_until_messages_are_a_tenth():
    assert Prediction(2, 10, computing=1.0, messages=0.1).useful_average_every == 1
    costly = Prediction(64, 44 * 45 * 10**5, computing=1.0, messages=5.0)
    every = costly.useful_average_every
    shares = [1 - costly.computing / costly.step_seconds(h) for h in (every, every - 1)]
    assert shares[0] <= 0.1 + 1e-6 and shares[1] > 0.1
    short = Prediction(64, 10, computing=1.0, messages=50.0)
    assert short.useful_average_every == 10  # an average at the end of each epoch stays
    assert short.epoch_seconds(10) == short.epoch_seconds(1000) == 60.0


def test_ranks_are_doubled_up_to_the_last():
    assert doubled(1) == [1]
    assert doubled(8) == [1, 2, 4, 8]
    assert doubled(11) == [1, 2, 4, 8, 11]


def test_a_step_and_a_row_have_costs():
    for features in (1, 5, 5000):
        cost = step_cost(features)
        assert 0 < cost.fixed < 0.1
        assert 0 < cost.row < 0.1


def test_plan_prints_a_table_and_advice(capsys):
    arguments = ["--rows", "1e9", "--features", "100", "--batch", "4096", "--ranks", "1000"]
    assert cli.main(["plan", *arguments]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1000000000 rows of 100 features, 4096 rows in a step\n")
    assert [line.split()[0] for line in out.splitlines() if re.match(r"\d+ +\d", line)][
        -1
    ] == "1000"
    assert "On 1000 ranks, messages take" in out and "--average-every" in out
    assert cli.main(["plan", "--rows", "1e6", "--features", "1e12"]) == 0  # nobody has such a row
    capsys.readouterr()
    assert cli.main(["plan", "--rows", "1e6", "--features", "1000", "--ranks", "1"]) == 0
    assert "would gain little" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("name", "value"),
    [("rows", "0"), ("rows", "1.5"), ("features", "x"), ("batch", "-1"), ("ranks", "nan"),
     ("ranks", "1e400"), ("latency", "0"), ("latency", "inf"), ("latency", "1e308"),
     ("bandwidth", "-3"), ("bandwidth", "1e-320")],
)  # fmt: skip
def test_wrong_numbers_are_refused(capsys, name, value):
    good = {"rows": "100", "features": "3"}
    arguments = [f"--{key}={text}" for key, text in {**good, name: value}.items()]
    with pytest.raises(SystemExit, match="2"):
        cli.main(["plan", *arguments])
    assert f"argument --{name}: {value!r} is not a" in capsys.readouterr().err
