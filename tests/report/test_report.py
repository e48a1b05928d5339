"""The report: its files, what they say, and that it never loses one."""

import base64
import importlib
import json
import os
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

import tilewise as tw
from tilewise import _format, experiments
from tilewise.report import sections, writer

pytestmark = pytest.mark.once
for extra in ("jinja2", "matplotlib", "threadpoolctl", "tqdm"):
    pytest.importorskip(extra)

PNG = b"\x89PNG\r\n\x1a\n"
LOSS_RANGE = (0.2419, 0.2643)  # of all four simulated runs together


@pytest.fixture
def no_work(monkeypatch):
    """Fail a test that gets as far as measuring."""

    def measure(*args, **kwargs):
        pytest.fail("the work began")

    monkeypatch.setattr(experiments, "four_runs", measure)
    monkeypatch.setattr(experiments, "strategies", measure)


def test_the_folder_has_the_files_and_nothing_else(made):
    assert sorted(os.listdir(made.out)) == sorted(writer.FILES)
    for name in sections.SECTIONS:
        assert (made.out / f"{name}.png").read_bytes().startswith(PNG)


def test_json_has_the_results(made):
    results = made.results
    found = json.loads((made.out / "results.json").read_text())
    assert found["tilewise"] == tw.__version__
    assert found["data"] == "airfoil"
    assert found["seed"] == 3
    assert found["machine"]["isa"] == tw.isa()
    assert {"cpu", "numpy", "python", "date", "system_cpus"} < set(found["machine"])
    assert found["machine"]["available_isas"] == list(tw.available_isas())
    assert found["machine"]["cpus"] == results.limits.cpus == tw.machine().cpus
    assert found["machine"]["caches"] == tw._core.caches()
    assert found["machine"]["limits_date"] == results.limits.date
    assert found["step_limit"]["learning_rate"] == results.step_limit.learning_rate
    for run, expected in zip(found["runs"], results.runs, strict=True):
        assert run["name"] == expected.name
        assert run["loss"] == expected.loss == run["losses"][-1]
        assert run["seconds_per_epoch"] == pytest.approx(run["seconds"][-1] / run["epochs"])
        assert run["examples"] == expected.history.examples.tolist()
        assert {"batch_size", "learning_rate"} < set(run)
    for result, measured in zip(found["strategies"], results.strategies, strict=True):
        assert result == vars(measured)
        assert set(result) == {"name", "n", "dtype", "gflops"}


def test_a_busy_machine_does_not_lower_the_limits(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "_write", lambda *_: None)
    limits = importlib.import_module("tilewise.hardware.limits")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(limits, "_fma_gflops", lambda dtype, count: 1e6)
    quiet = tw.machine()
    monkeypatch.setattr(limits, "_fma_gflops", lambda dtype, count: 1.0)
    results = writer.create(tmp_path / "out", quick=True)
    assert results.limits.one_core.fma_float32 == quiet.one_core.fma_float32
    assert tw.machine() == results.limits


def test_losses_on_the_airfoil_data(tmp_path):
    results = writer.create(tmp_path / "out", quick=True)
    assert results.shape == (1500, 5)
    for run in results.runs:
        assert LOSS_RANGE[0] - 5e-5 <= run.loss <= LOSS_RANGE[1] + 5e-5
    text = (tmp_path / "out" / "report.html").read_text()
    assert "CC BY 4.0" in text
    assert "1, is not below this limit, so it does not converge" in text


class Page(HTMLParser):
    """Collects what a page fetches, and the cells of its tables."""

    def __init__(self, text):
        super().__init__()
        self.fetched, self.cells, self.open = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag not in {"meta", "img"}:
            self.open.append(tag)
        self.fetched += [value for key, value in attrs if key in {"src", "srcset"}]
        assert tag not in {"link", "script", "iframe", "object"}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in {"td", "th"}:
            self.cells.append(data)


def test_page_has_its_pictures_inside_and_fetches_nothing(made):
    out, results = made.out, made.results
    text = (out / "report.html").read_text()
    shown = Page(text)
    prefix = "data:image/png;base64,"
    pictures = [base64.b64decode(source.removeprefix(prefix)) for source in shown.fetched]
    names = sections.SECTIONS
    assert pictures == [(out / f"{name}.png").read_bytes() for name in names]
    assert "url(" not in text and "@import" not in text
    for name in [run.name for run in results.runs] + [*tw.STRATEGIES, "numpy"]:
        assert name in shown.cells
    assert f"{results.runs[0].loss:.4f}" in shown.cells


def test_terminal_has_the_numbers_within_80_columns(made):
    results = made.results
    text = writer.text(results)
    assert max(map(len, text.splitlines())) <= 80
    for run in results.runs:
        assert re.search(rf"^{run.name} .* {run.loss:.4f} ", text, re.MULTILINE)
    for result in results.strategies:
        gflops = re.escape(_format.three_digits(result.gflops))
        assert re.search(rf"^{result.name} +{gflops} ", text, re.MULTILINE)


@pytest.mark.parametrize("name", writer.FILES)
def test_an_existing_file_is_kept(name, no_work, tmp_path):
    (tmp_path / name).write_text("mine")
    with pytest.raises(FileExistsError, match=rf"{re.escape(name)} exists; .*--force"):
        writer.create(tmp_path, quick=True)
    assert (tmp_path / name).read_text() == "mine"


def test_force_replaces_the_report_and_leaves_other_files(written_before, tmp_path):
    for name in ("results.json", "mine.txt"):
        (tmp_path / name).write_text("mine")
    writer.create(tmp_path, force=True, quick=True)
    assert json.loads((tmp_path / "results.json").read_text())["data"] == "airfoil"
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_failure_leaves_the_old_report_whole(written_before, tmp_path, monkeypatch):
    (tmp_path / "results.json").write_text("mine")
    write = writer._write

    def write_until_the_disk_is_full(*args):
        write(*args)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer, "_write", write_until_the_disk_is_full)
    with pytest.raises(OSError, match="No space left on device; choose another folder"):
        writer.create(tmp_path, force=True, quick=True)
    assert os.listdir(tmp_path) == ["results.json"]
    assert (tmp_path / "results.json").read_text() == "mine"


@pytest.mark.parametrize("below", ["", "deeper"])
def test_out_must_be_a_folder(below, no_work, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotADirectoryError, match="file is not a folder"):
        writer.create(tmp_path / "file" / below)


def test_a_folder_in_place_of_a_file_is_an_error_even_with_force(no_work, tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(IsADirectoryError, match=r"report\.html is a folder"):
        writer.create(tmp_path, force=True, quick=True)


@pytest.mark.parametrize("module", ["jinja2", "matplotlib", "threadpoolctl", "tqdm"])
def test_a_missing_extra_is_named_before_the_work(module, no_work, tmp_path, monkeypatch):
    class Hidden:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == module:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(sys, "meta_path", [Hidden, *sys.meta_path])
    monkeypatch.delitem(sys.modules, module, raising=False)
    message = rf'needs {module}, which is missing; pip install "tilewise\[report\]"'
    with pytest.raises(ImportError, match=message):
        writer.create(tmp_path / "out", quick=True)


def test_a_bad_seed_is_named(tmp_path):
    with pytest.raises(ValueError, match="seed=-1 is below 0"):
        writer.create(tmp_path / "out", seed=-1)


def test_no_progress_bar_when_stderr_is_no_terminal(made):
    assert made.stderr == ""


def gd(losses, learning_rate=1.0):
    history = tw.History(
        losses=np.array(losses),
        seconds=np.arange(1.0, len(losses) + 1),
        examples=100 * np.arange(1, len(losses) + 1),
        seconds_per_epoch=1.0,
        weights=np.zeros(1),
        bias=0.0,
        seed=0,
    )
    return experiments.Run("gd", 100, learning_rate, len(losses), history)


@pytest.mark.parametrize(("lambda_max", "converges"), [(1.9, True), (2.0, False), (2.1, False)])
def test_step_sentences_follow_the_numbers(lambda_max, converges, made):
    runs, limit = [gd([3.0, 1.0, 2.0])], experiments.StepLimit(lambda_max)
    sentences = sections.loss_vs_time(replace(made.results, runs=runs, step_limit=limit)).text
    assert ("is below this limit, so it converges" in sentences) is converges
    assert ("is not below this limit, so it does not converge" in sentences) is not converges
    assert f"2 / lambda_max = {2 / lambda_max:.4g}," in sentences
    assert "lowest after step 2 of 3, 1.00000, and 2.00000 at the end" in sentences


def test_a_loaded_machine_is_pointed_out(made):
    results = made.results
    loads = {0.0: False, 2.0: False, 2.1: True}
    for load, warned in loads.items():
        machine = results.machine | {"system_cpus": 8, "load_average": load}
        text = " ".join(writer.text(replace(results, machine=machine)).split())
        assert ("idle machine" in text) is warned
