"""The benchmarks: exact checks, turns that alternate, and files that say what was measured."""

import json
import sys

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import results, tables
from benchmarks.cases import Case, check, operands, product_cases
from benchmarks.measure import Field, Plan, measure, summary
from benchmarks.rival import UnsupportedError
from benchmarks.rivals import RIVALS
from benchmarks.worker import SkippedError, Worker

SMALL = [
    Case("square", (5, 7), (7, 3), "float32"),
    Case("layouts", (5, 7), (7, 3), "float64", orders="FC"),
    Case("layouts", (5, 7), (7, 3), "float32", orders="CF"),
    Case("layouts", (5, 7), (7, 3), "float64", orders="FF"),
    Case("skinny", (5, 1), (1, 3), "float64"),
    Case("skinny", (1, 5), (5, 3), "float32", orders="CF"),
    Case("skinny", (5, 7), (7,), "float32"),
    Case("skinny", (5, 7), (7,), "float64", orders="FC"),
    Case("skinny", (7,), (7, 3), "float32"),
    Case("skinny", (7,), (7, 3), "float64", orders="CF"),
    Case("skinny", (7,), (7,), "float64"),
    Case("stacks", (4, 5, 7), (4, 7, 3), "float32"),
]


def name_of(case):
    return f"{case.name} {case.dtype} {case.orders}"


@pytest.mark.parametrize("case", SMALL, ids=name_of)
def test_operands_have_the_layout_of_the_case(case):
    a, b, out = operands(case)
    assert (a.shape, b.shape, out.shape) == (case.a, case.b, np.matmul(a, b).shape)
    for array, order in zip((a, b), case.orders, strict=True):
        assert array.flags["F_CONTIGUOUS" if order == "F" else "C_CONTIGUOUS"]
        assert array.dtype == case.dtype
        assert abs(array).max() <= 4  # what makes sums exact
    assert np.isnan(out).all()


@pytest.mark.parametrize("case", SMALL, ids=name_of)
def test_any_single_wrong_element_is_found(case):
    a, b, out = operands(case)
    with pytest.raises(ArithmeticError, match="wrong answer"):
        check(a, b, out)
    out[...] = np.matmul(a, b)
    check(a, b, out)
    for index in np.ndindex(out.shape):
        before = out[index]
        out[index] += 1
        with pytest.raises(ArithmeticError, match="wrong answer"):
            check(a, b, out)
        out[index] = before


@pytest.mark.parametrize("quick", [True, False])
def test_cases_are_exact_and_told_apart(quick):
    cases = product_cases(quick=quick, threads=2)
    assert len({case.key for case in cases}) == len(cases)
    assert {case.threads for case in cases} == {1, 2}
    assert {case.dtype for case in cases} == {"float32", "float64"}
    assert all(16 * case.a[-1] < 2**24 for case in cases)  # 4 * 4, as often as there are terms
    assert {case.threads for case in product_cases(quick=quick, threads=1)} == {1}


@pytest.mark.parametrize(
    ("case", "flops", "items"),
    [
        (Case("", (2, 3), (3, 5), "float32"), 60, 6 + 15 + 10),
        (Case("", (4, 2, 3), (4, 3, 5), "float32"), 240, 24 + 60 + 40),
        (Case("", (2, 3), (3,), "float32"), 12, 6 + 3 + 2),
        (Case("", (3,), (3, 5), "float32"), 30, 3 + 15 + 5),
        (Case("", (3,), (3,), "float32"), 6, 3 + 3 + 1),
    ],
)
def test_work_is_counted(case, flops, items):
    assert (case.flops, case.bytes) == (flops, 4 * items)


@pytest.fixture
def gradients_afterwards():
    """Undo for other tests what the rival torch does to its process."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_grad_enabled(True)


@pytest.mark.parametrize("case", SMALL, ids=name_of)
@pytest.mark.parametrize("name", RIVALS)
def test_contestants_are_right(name, case, gradients_afterwards):
    try:
        rival = RIVALS[name]()
        a, b, out = operands(case)
        call = rival.prepare(a, b, out)
    except (ImportError, UnsupportedError) as reason:
        pytest.skip(str(reason))
    call()
    check(a, b, out)


def test_worker_measures_and_says_why_it_cannot():
    worker = Worker("tilewise")
    try:
        assert worker.about["kernels"]
        assert worker.load(SMALL[0]) > 0
        assert worker.sample(3) > 0
        assert worker.peak("float32") > 0
    finally:
        worker.close()
    with pytest.raises(SkippedError, match="TILEWISE_ISA"):
        Worker("tilewise", {"TILEWISE_ISA": "abacus"})


class Fake:
    """A worker that writes down its turns."""

    def __init__(self, name, log, failure=None):
        self.name, self.log, self.failure = name, log, failure

    def load(self, case):
        if self.failure:
            raise self.failure
        return 1e-3

    def sample(self, repeats):
        self.log.append((self.name, repeats))
        return 2.0 if self.name == "rival" else 1.0

    def peak(self, dtype):
        self.log.append(("peak", dtype))
        return 100.0


def test_contestants_take_turns():
    log = []
    field = Field([Fake("tilewise", log), Fake("rival", log)])
    samples, peaks, skipped = measure(SMALL[0], field, Plan(seconds=0.024, rounds=3))
    assert log == [("peak", "float32"), ("tilewise", 4), ("rival", 4)] * 3
    assert (samples["rival"], peaks, skipped) == ([2.0] * 3, [100.0] * 3, {})


def test_a_wrong_rival_is_left_out_and_a_wrong_tilewise_ends_the_run():
    wrong = ArithmeticError("wrong answer")
    field = Field(
        [Fake("tilewise", []), Fake("rival", [], wrong), Fake("no", [], SkippedError("x"))]
    )
    samples, _, skipped = measure(SMALL[0], field, Plan(seconds=0.01, rounds=2))
    assert (set(samples), skipped) == ({"tilewise"}, {"rival": "wrong answer", "no": "x"})
    with pytest.raises(ArithmeticError, match="wrong answer"):
        measure(SMALL[0], Field([Fake("tilewise", [], wrong)]), Plan(seconds=0.01, rounds=2))


def record_of(tilewise, rival, *, cpu="CPU (R) 1"):
    """Return the record of a run with one case."""
    case = Case("square", (100, 100), (100, 100), "float32")
    figures = summary(case, {"tilewise": tilewise, "rival": rival})
    about = {"version": "1", "kernels": "good", "settings": "as installed"}
    machine = dict.fromkeys(("python", "compiler", "commit", "when", "load"), "?")
    return {
        "format": results.FORMAT,
        "quick": False,
        "machine": machine | {"cpu": cpu, "isa": "avx2", "cpus": 1},
        "peaks": {"float32": 8.0},
        "peak_method": "a guess",
        "contestants": {"tilewise": about, "rival": about},
        "skipped": {"other": "not installed"},
        "cases": [figures | {"of_peak": 0.25, "skipped": {}}],
    }


def test_summary_has_medians_quartiles_rates_and_ratios():
    record = record_of([1e-3, 1.1e-3, 1e-3, 0.9e-3, 5e-3], [4e-4, 5e-4, 6e-4])
    figures = record["cases"][0]["results"]
    assert figures["tilewise"]["seconds"] == 1e-3
    assert (figures["tilewise"]["q1"], figures["tilewise"]["q3"]) == (1e-3, 1.1e-3)
    assert figures["tilewise"]["gflops"] == pytest.approx(2.0)
    assert figures["rival"]["gbytes"] == pytest.approx(0.24)
    assert figures["rival"]["ratio"] == 0.5


def test_table_shows_wins_and_losses():
    lost, won = record_of([1e-3] * 3, [5e-4] * 3), record_of([1e-3] * 3, [3e-3] * 3)
    assert "| 100x100 @ 100x100 | 2 | 25% |  | 0.0% | **0.50** |" in tables.markdown(lost)
    assert "| 100x100 @ 100x100 | 2 | 25% |  | 0.0% | 3.00 |" in tables.markdown(won)
    assert "Not here: other (not installed)." in tables.markdown(won)
    assert tables.losses(won) == []
    assert tables.losses(lost) == [
        "square 100x100 @ 100x100 float32 1t: rival takes 0.50 of the time"
    ]


def test_picture_has_a_line_for_each_contestant():
    from benchmarks.draw import picture

    speed, ratio = picture(record_of([1e-3] * 3, [3e-3] * 3)).axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in speed.lines}
    assert lines["tilewise"] == [[100, pytest.approx(2.0)]]
    assert [100, pytest.approx(3.0)] in [line.get_xydata().tolist()[0] for line in ratio.lines]


@pytest.mark.parametrize(
    ("then", "now", "found"),
    [
        ([1.0, 1.0, 1.0], [1.04, 1.04, 1.04], False),
        ([1.0, 1.0, 1.0], [1.06, 1.06, 1.06], True),
        ([1.0, 1.0, 1.3], [1.06, 1.06, 1.06], False),  # within what was seen before
        ([1.0, 1.0, 1.0], [0.5, 0.5, 0.5], False),
    ],
)
def test_slower_is_beyond_the_noise(then, now, found):
    old, new = record_of(then, [1.0] * 3), record_of(now, [1.0] * 3)
    assert bool(results.slower(old, new, "tilewise")) is found
    new["cases"][0]["key"] = "another"
    assert results.slower(old, new, "tilewise") == []


def test_runs_of_different_cpus_are_not_compared():
    old, new = (record_of([1.0] * 3, [1.0] * 3, cpu=cpu) for cpu in "ab")
    with pytest.raises(ValueError, match="cpu 'a', not 'b'"):
        results.slower(old, new, "tilewise")


def test_command_writes_draws_and_compares(tmp_path, monkeypatch, capsys):
    runs = [record_of([seconds] * 3, [1.0] * 3) for seconds in (1.0, 1.0, 2.0)]
    monkeypatch.setattr(command, "_measure_all", lambda quick: runs.pop(0))
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    assert command.main(["gemm"]) == 0
    path = tmp_path / "results" / "cpu-r-1-avx2.json"
    assert json.loads(path.read_text())["cases"][0]["results"]["rival"]["ratio"] == 1.0
    assert sorted(p.suffix for p in path.parent.iterdir()) == [".json", ".md", ".png"]
    assert command.main(["gemm", "--compare", str(path)]) == 0
    assert "nothing got slower" in capsys.readouterr().out
    assert command.main(["gemm", "--compare", str(path)]) == 1
    assert "float32 1t: 2.00 times 1 s" in capsys.readouterr().out
    assert command.main(["draw", str(path)]) == 0


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"format": 0}'])
def test_a_file_that_is_no_record_is_refused_before_measuring(text, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "_measure_all", lambda quick: pytest.fail("measured"))
    (tmp_path / "old.json").write_text(text)
    for name in ("old.json", "missing.json"):
        assert command.main(["gemm", "--compare", str(tmp_path / name)]) == 2
        assert name in capsys.readouterr().err
