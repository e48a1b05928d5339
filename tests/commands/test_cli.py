"""The command line: statuses, one-line messages, no traceback."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest

import tilewise as tw
from tilewise.commands import cli
from tilewise.report import writer as report

pytestmark = pytest.mark.once
NEEDS_REPORT = pytest.mark.skipif(
    None in map(find_spec, ("jinja2", "matplotlib", "threadpoolctl", "tqdm")),
    reason="needs tilewise[report]",
)


def run(*arguments, **kwargs):
    command = [sys.executable, "-m", "tilewise", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **kwargs)


def test_version(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"tilewise {tw.__version__}\n"


def test_machine_prints_the_isa_and_the_versions(capsys):
    assert cli.main(["machine"]) == 0
    out = capsys.readouterr().out
    assert tw.isa() in out
    assert all(isa in out for isa in tw.available_isas())


def test_report_writes_the_folder_and_prints_the_tables(made):
    assert sorted(os.listdir(made.out)) == sorted(report.FILES)
    assert "gd " in made.stdout
    assert made.stdout.endswith(f"See {made.out}{os.sep}report.html\n")
    assert "seed 3." in " ".join(made.stdout.split())


def test_the_default_folder(written_before, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["report", "--quick"]) == 0
    assert os.listdir(tmp_path) == ["tilewise-report"]


def test_nothing_is_overwritten_without_force(written_before, tmp_path, capsys):
    (tmp_path / "results.json").write_text("mine")
    arguments = ["report", "--quick", "--out", str(tmp_path)]
    assert cli.main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"tilewise report: error: .*results\.json exists; .*--force.*", line)
    assert os.listdir(tmp_path) == ["results.json"]
    assert cli.main([*arguments, "--force"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "command"),
        (["repotr"], "repotr"),
        (["report", "--seed", "x"], "--seed: 'x' is not an integer from 0"),
        (["report", "--seed", "-1"], "--seed: '-1'"),
        (["report", "--seed", str(2**64)], "--seed: '18446744073709551616'"),
        (["report", "--seed"], "--seed: expected one argument"),
        (["report", "--fo"], "--fo"),
        (["report", "extra"], "extra"),
        (["machine", "extra"], "extra"),
    ],
)
def test_wrong_arguments_end_with_status_2_and_are_named(arguments, message, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


@NEEDS_REPORT
def test_out_that_cannot_be_made(capsys):
    assert cli.main(["report", "--out", "/dev/null/x"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "tilewise report: error: /dev/null is not a folder; choose another"


@NEEDS_REPORT
def test_out_with_a_name_that_is_too_long(tmp_path, capsys):
    assert cli.main(["report", "--out", str(tmp_path / ("x" * 300))]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "cannot be written: File name too long; choose another folder" in line


@NEEDS_REPORT
def test_ctrl_c_is_status_130_without_a_traceback(tmp_path, monkeypatch, capsys):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(report.experiments, "strategies", interrupt)
    assert cli.main(["report", "--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == ""
    assert os.listdir(tmp_path) == []


def test_python_m_passes_the_status_on(tmp_path):
    (tmp_path / "report.html").write_text("mine")
    done = run("report", "--out", str(tmp_path))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_a_reader_that_has_gone(tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "tilewise", "machine"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, timeout=120)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")
