"""The progress bar: one, over all experiments of a report, in parts like the time they take."""

import io
import itertools
import re
from functools import partial

import pytest

from tilewise.hardware import limits
from tilewise.report import writer
from tilewise.report.progress import ExperimentBar

pytestmark = pytest.mark.once
tqdm = pytest.importorskip("tqdm")


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Return a terminal on which every step of a bar is drawn."""
    shown = Terminal()
    every_step = partial(tqdm.tqdm, file=shown, mininterval=0)
    monkeypatch.setattr(tqdm, "tqdm", every_step)
    return shown


def percentages(shown):
    return [int(found) for found in re.findall(r"(\d+) %\|", shown.getvalue())]


def test_a_step_is_its_part_of_the_seconds_of_its_loop(terminal):
    with ExperimentBar({"first_one": [1.0], "second": [1.0, 2.0]}) as bar:
        assert list(bar.of("first_one")("ab")) == ["a", "b"]
        assert list(bar.of("second")(range(1))) == [0]
        assert list(bar.of("second")(iter("abcd"))) == list("abcd")
    found = percentages(terminal)
    assert list(dict.fromkeys(found)) == [0, 12, 25, 50, 62, 75, 88, 100]
    names = re.findall(r"\d\d:\d\d ([a-z ]+?) *(?=\r|$)", terminal.getvalue())
    assert list(dict.fromkeys(names)) == ["first one", "second"]


def test_a_loop_that_fails_takes_the_bar_off(terminal):
    with pytest.raises(OSError, match="no"), ExperimentBar({"first": [1.0]}) as bar:
        for _ in bar.of("first")("ab"):
            raise OSError("no")
    assert terminal.getvalue().endswith("\r")


def test_a_report_advances_one_bar_to_its_end_in_small_parts(terminal, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "_REPEATS", 25)  # as users have it
    writer.create(tmp_path / "out", data="synthetic", quick=True)
    found = percentages(terminal)
    assert found == sorted(found)
    assert (found[0], found[-1]) == (0, 100)
    assert max(b - a for a, b in itertools.pairwise(found)) <= 10
    for name in ("four runs", "size sweep", "gradient noise", "machine", "pictures"):
        assert name in terminal.getvalue()


@pytest.mark.parametrize("plan", [writer._QUICK, writer._FULL])
def test_every_size_of_a_plan_has_its_seconds(plan):
    assert len(plan.usual_seconds()["size_sweep"]) == len(plan.sizes)
