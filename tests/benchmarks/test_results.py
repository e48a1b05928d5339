"""What the repository shows of a run is made from its files alone."""

import json
import shutil
from dataclasses import replace

import pytest

from benchmarks import __main__ as command
from benchmarks import page, ranks, results, shapes
from benchmarks.cases import all_cases
from benchmarks.machine import ROOT
from benchmarks.rivals.rival import OURS
from benchmarks.roofline import least_seconds
from benchmarks.run import Run
from benchmarks.turns import Row

pytestmark = pytest.mark.once

RATES = {"read_l1": 10.0, "read_l2": 10.0, "read_l3": 10.0, "read_memory": 5.0}
ONE = RATES | {"fma_float32": 8.0, "fma_float64": 4.0}
MACHINE = {"cpu": "CPU (R) 1", "isa": "avx2", "cpus": 1, "load": 0.1, "when": "2026-11-29 10:00"}
MACHINE |= dict.fromkeys(("system", "python", "commit"), "?")
LIMITS = {"l1": 2**15, "l2": 2**20, "l3": 2**25, "one_core": ONE}
LIMITS["all_cores"] = {name: 1.5 * rate for name, rate in ONE.items()}
CASES = all_cases(MACHINE["cpus"], quick=False)
SQUARE = "square 96x96 @ 96x96 float32 1t"


def row(time, ratio=1.0, spread=0.01):
    low, high = 1 - spread, 1 + spread
    return Row(low * time, time, high * time, low * ratio, ratio, high * ratio)


def run_of(ours=1.0, ratio=1.0, spread=0.01, quick=False):
    """Return a run of all cases, of the same figures each."""
    about = {"version": "1", "kernels": "good", "settings": "as installed"}
    run = Run(quick, dict(MACHINE), LIMITS, {OURS: about, "rival": about}, {"other": "missing"})
    taken = {OURS: row(ours, 1.0, spread), "rival": row(ours * ratio, ratio, spread)}
    run.cases = {case: dict(taken) for case in CASES}
    run.seed, run.shapes = 7, {"groups": {"float32 1t": [5, 1.5, 0, 0.5, 0.2]}, "worst": {}}
    run.left_out = {"rival": {"a": "matrices only", "b": "matrices only"}}
    return run


def test_a_run_is_read_as_it_was_written_with_a_short_line_for_each_case(tmp_path):
    run = run_of(1234.5678, 1 / 3)
    results.save(run, tmp_path)
    found = results.load(tmp_path)
    assert (found.machine, found.limits, found.skipped) == (run.machine, run.limits, run.skipped)
    assert (found.contestants, found.shapes) == (run.contestants, run.shapes)
    assert found.cases.keys() == run.cases.keys()
    for case, taken in run.cases.items():
        for name, written in taken.items():
            assert found.cases[case][name] == pytest.approx(written, rel=5e-4)
    line = f'  "{SQUARE}": [407.4, 411.5, 415.6, 0.33, 0.3333, 0.3367]'
    assert f"\n{line},\n" in (tmp_path / "rival.json").read_text()
    assert '"matrices only": 2' in (tmp_path / "rival.json").read_text()
    results.save(found, tmp_path)
    assert results.load(tmp_path) == found


def test_the_files_of_the_repository_can_be_read_by_people():
    for path in results.FOLDER.rglob("*/*.json"):
        lines = path.read_text().splitlines()
        assert len(lines) <= 500
        assert all(len(line) <= 160 for line in lines if "[" in line)


def test_the_limit_knows_that_cores_slow_each_other_down():
    (case,) = [case for case in CASES if case.key == SQUARE]
    assert least_seconds(LIMITS, case) == pytest.approx(2 * 96**3 / 8e9)
    assert least_seconds(LIMITS, replace(case, threads=2)) == pytest.approx(2 * 96**3 / 12e9)


@pytest.mark.parametrize(
    ("ratio", "spread", "text"),
    [(0.5, 0.01, "**0.50**"), (0.9, 0.2, "0.90"), (3.0, 0.01, "3.00")],  # the second is noise
)
def test_the_page_shows_wins_and_losses_beyond_the_noise(ratio, spread, text):
    shown = page.page(run_of(1000.0, ratio, spread), "a")
    where, noise = "rival, 48x48 @ 48x48", f"{100 * spread:.1f}%"
    assert f"| square, float32, 1t | 20 | {text} | {text} | {text} {where} |" in shown
    assert f"| 96x96 @ 96x96, float32, 1t | 1,000 | {noise} | 1.77 | 22% | {text} |" in shown
    assert "Not here: other (missing)." in shown
    assert "| rival | 1 | good | as installed |" in shown
    assert "| float32 1t | 5 | 1.5 | 0 | 0.5 | 0.2 |" in shown
    assert "do not trust" not in shown
    run = run_of()
    run.machine["load"] = 0.6
    assert "**Load 0.6 before the run: others used this machine" in page.page(run, "a")


def test_the_command_writes_and_draws(tmp_path, monkeypatch):
    readme, shown = tmp_path / "README.md", tmp_path / "docs" / "performance.md"
    shutil.copy(ROOT / "README.md", readme)
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    monkeypatch.setattr(command, "run", lambda quick: run_of(quick=quick))
    assert command.main(["--quick"]) == 0
    assert readme.read_text() == (ROOT / "README.md").read_text()
    assert command.main([]) == 0
    drawn = sorted(path.name for path in shown.parent.rglob("*.*"))
    assert drawn == ["performance-products.png", "performance.md"]
    assert "figures of cpu-r-1-avx2 -->" in readme.read_text()
    shown.unlink()
    assert command.main(["--draw", str(tmp_path / "results" / "cpu-r-1-avx2")]) == 0
    assert shown.exists()


def test_what_is_no_run_is_refused(tmp_path, capsys):
    (tmp_path / "run.json").write_text("[]")
    assert command.main(["--draw", str(tmp_path)]) == 2
    assert "no run" in capsys.readouterr().err
    assert command.main(["--draw", "missing"]) == 2


def test_the_pages_are_those_of_the_files():
    text = (ROOT / "README.md").read_text()
    source = page._MARK.search(text).group(1)
    run = results.load(results.FOLDER / source)
    assert not run.quick
    assert page.readme(text, run, source) == text
    assert page.page(run, source) == (ROOT / "docs" / "performance.md").read_text()
    text = ranks.PAGE.read_text()
    assert ranks.page(text, json.loads(ranks.RESULT.read_text())) == text


def test_shapes_are_within_bounds_and_slow_ones_are_measured_thrice():
    asked = []

    def measure(cases):
        asked.append(cases)
        ratios = (0.6, 2.0) if cases == asked[0][:2] else (0.5, 0.5, *[2.0] * 38)
        return {case: (1.0, ratio) for case, ratio in zip(cases, ratios, strict=True)}

    points = shapes.measured(measure, LIMITS, [1, 2], count=10, seed=5)
    assert len({case.key for case in asked[0]}) == 40
    assert all(1e5 <= c.flops <= 4e9 and c.bytes <= 2e8 for c in asked[0])
    assert asked[1:] == [asked[0][:2]] * 2
    assert [point.ratio for point in points[:3]] == [0.6, 2.0, 2.0]  # of two, one counts
    found = shapes.summary(points)
    assert found["groups"]["float32 1t"][:3] == [10, pytest.approx(1.773, rel=1e-3), 0.1]
    assert (next(iter(found["worst"])), len(found["worst"])) == (asked[0][0].key, shapes.WORST)
    others = shapes.measured(lambda cases: {c: (1.0, 1.0) for c in cases}, LIMITS, [1], 10, seed=6)
    assert {p.case for p in others} != {p.case for p in points[:10]}
