"""The progress bar of a report: a step an experiment, on a terminal alone."""

import io
from functools import partial

import pytest

from tilewise import experiments
from tilewise.report import writer

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


def test_a_report_names_each_experiment_and_takes_the_bar_off(terminal, tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_write", lambda *_: None)
    writer.create(tmp_path / "out", quick=True)
    shown = terminal.getvalue()
    names = ("runs", "size sweep", "batch rate sweep", "gradient noise", "limits")
    places = [shown.index(f"{name}: ") for name in names]
    assert places == sorted(places)
    assert "100%" in shown
    assert shown.endswith("\r")


def test_an_experiment_that_fails_takes_the_bar_off(terminal, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("no")

    monkeypatch.setattr(experiments, "strategies", fail)
    with pytest.raises(OSError, match="no"):
        writer.create(tmp_path / "out", quick=True)
    assert terminal.getvalue().endswith("\r")
