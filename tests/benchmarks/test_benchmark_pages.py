"""What the repository shows of a run is made from its file alone."""

import copy
import json
import shutil

import pytest

from benchmarks import __main__ as command
from benchmarks import model, page, results, tables
from benchmarks.epochs import Epochs
from benchmarks.machine import ROOT
from benchmarks.measure import Visit, summary
from benchmarks.products import Product
from benchmarks.rival import OURS

pytestmark = pytest.mark.once

SQUARE = Product("square", (100, 100), (100, 100))
EPOCH = Epochs("sgd-airfoil", 1500, 5, 10)


def samples(seconds):
    return [(second, 1.0) for second in seconds]


def record_of(tilewise, rival, *, cpu="CPU (R) 1"):
    """Return the record of a run with two cases."""
    about = {"version": "1", "kernels": "good", "settings": "as installed"}
    machine = dict.fromkeys(("system", "python", "compiler", "flags", "commit", "when"), "?")
    names = ("read_l1", "read_l2", "read_l3", "read_memory", "fma_float32", "fma_float64")
    level = {name: {"median": 9.0, "high": 9.5, "best": 10.0} for name in names}
    cases = [
        summary(case, [Visit({OURS: samples(tilewise), "rival": samples(rival)}, [8.0], {}, {})])
        for case in (SQUARE, EPOCH)
    ]
    return {
        "format": results.FORMAT,
        "quick": False,
        "machine": machine | {"cpu": cpu, "isa": "avx2", "cpus": 1, "load": 0.1},
        "limits": {"l1": 2**15, "l2": 2**20, "l3": 2**25, "one_core": level, "all_cores": level},
        "peaks": {"float32": 8.0},
        "contestants": {OURS: about, "rival": about},
        "skipped": {"other": "not installed"},
        "failed": {},
        "cases": cases,
    }


def test_a_summary_has_medians_quartiles_rates_and_ratios():
    record = record_of([1e-3, 1.1e-3, 1e-3, 0.9e-3, 5e-3], [4e-4, 5e-4, 6e-4])
    figures = record["cases"][0]["results"]
    assert figures[OURS]["seconds"] == 1e-3
    assert (figures[OURS]["q1"], figures[OURS]["q3"]) == (1e-3, 1.1e-3)
    assert figures[OURS]["gflops"] == pytest.approx(2.0)
    assert figures["rival"]["gbytes"] == pytest.approx(0.24)
    assert figures["rival"]["ratio"] == 0.5  # of the medians, as the rival took fewer turns


def test_the_page_shows_wins_and_losses():
    lost, won = record_of([1e-3] * 3, [5e-4] * 3), record_of([1e-3] * 3, [3e-3] * 3)
    assert "| 100x100 @ 100x100 | 2 | 25% |  | 25% | 0.0% | **0.50** |" in page.page(lost, "a.json")
    text = page.page(won, "a.json")
    assert "| 100x100 @ 100x100 | 2 | 25% |  | 25% | 0.0% | 3.00 |" in text
    assert "Not here: other (not installed)." in text
    assert "In 0 of 2 comparisons, those in bold." in text
    assert tables.losses(won) == []
    assert tables.losses(lost)[0] == (
        "sgd-airfoil 1500 x 5, batch 10, sequential float32 1t: rival takes 0.50 of the time"
    )


def case_of(case, seconds=(1e-3, 1e-3, 1e-3), cpus=1.0):
    taken = [(second, cpus) for second in seconds]
    return summary(case, [Visit({OURS: taken, "rival": taken}, [], {}, {})])


def page_of(*cases):
    record = record_of([1e-3] * 3, [1e-3] * 3)
    record["peaks"]["float64"] = 4.0
    return page.page(record | {"cases": list(cases)}, "a.json")


def test_tables_of_several_dtypes_name_them():
    def product(dtype, group="dtypes"):
        return case_of(Product(group, (100, 100), (100, 100), dtype))

    text = page_of(product("int8"), product("float16"), product("float64", "call-overhead"))
    assert "| 100x100 @ 100x100, int8 | 2 |  |  |  | 0.0% | 1.00 |" in text  # no peak, no model
    assert "| 100x100 @ 100x100, float16 |" in text
    assert "## Calls, float64\n" in text
    assert "## Other dtypes\n" in text
    text = page_of(case_of(Epochs("growth-rows", 1500, 5, 10)))
    assert "### With rows, float32\n" in text


def test_the_page_warns_of_a_load_and_of_spreads():
    record = record_of([1e-3, 1e-3, 1e-3, 2e-3, 2e-3], [1e-3] * 5)
    record["cases"][0]["results"]["rival"]["ratio_q3"] = 1.5
    record["cases"][1]["results"][OURS] |= {"q1": 1.0, "q3": 1.0}
    text = page.page(record, "a.json")
    assert "above 5 % in 50% of the cases" in text
    assert "That of a ratio is at most 50.0% in half of them, 50.0% in nine of ten." in text
    assert "do not trust" not in text
    record["machine"]["load"] = 0.6
    warning = "**Load 0.6 before the run: others used this machine; do not trust the figures.**"
    assert warning in page.page(record, "a.json")
    marks = "<!-- figures of b.json -->\n<!-- end of figures -->"
    assert warning in page.readme(marks, record, "a.json")


def test_cpus_busy_are_the_median_of_the_cases():
    cases = [
        case_of(Product("square", (n, n), (n, n)), cpus=cpus)
        for n, cpus in enumerate((1.0, 1.1, 9.0), 2)
    ]
    assert "| rival | 1 | good | 1.1 of 1 |" in page_of(*cases)


def test_the_model_knows_that_cores_slow_each_other_down():
    record = record_of([1e-3] * 3, [1e-3] * 3)
    record["limits"]["all_cores"] = {
        name: {"median": 14.0, "high": 15.0} for name in record["limits"]["all_cores"]
    }
    case = record["cases"][0]
    assert model.peak(record, case) == 8.0
    assert model.peak(record, case | {"threads": 2}) == pytest.approx(12.0)  # 15 / 10 times
    assert model.read_gbytes(record["limits"], case) == 10.0  # the best, not the median
    assert model.read_gbytes(record["limits"], case | {"threads": 2}) == 15.0
    assert model.of_peak(record, case | {"threads": 2}, OURS) == pytest.approx(2 / 12)


def test_pictures_have_a_line_for_each_contestant():
    pytest.importorskip("matplotlib")
    from benchmarks.pictures import products

    speed, ratio = products(record_of([1e-3] * 3, [3e-3] * 3)).axes
    lines = {line.get_label(): line.get_xydata().tolist() for line in speed.lines}
    assert lines[OURS] == [[100, pytest.approx(2.0)]]
    assert [100, pytest.approx(3.0)] in [line.get_xydata().tolist()[0] for line in ratio.lines]


SAME, MORE, TWICE = [1.0] * 3, [1.04] * 3, [2.0] * 3


@pytest.mark.parametrize(
    ("then", "now", "agree", "slower"),
    [  # times of tilewise and of the rival; whether times and ratios agree
        ((SAME, SAME), (MORE, SAME), (True, True), False),
        ((SAME, SAME), (TWICE, SAME), (False, False), True),
        ((SAME, SAME), (TWICE, TWICE), (False, True), False),  # the machine got slower
        ((SAME, SAME), (SAME, [0.5] * 3), (True, False), True),
        (([1.0, 1.0, 1.3], SAME), ([1.06] * 3, SAME), (True, True), False),  # seen before
        ((TWICE, SAME), (SAME, SAME), (False, False), False),
        ((MORE, SAME), (SAME, SAME), (True, True), False),
    ],
)
def test_runs_agree_or_differ_beyond_the_noise(then, now, agree, slower):
    old, new = record_of(*then), record_of(*now)
    assert bool(results.slower(old, new)) is slower
    both = dict(zip(("times", "ratios"), ([2 * held, 2] for held in agree), strict=True))
    found = {"commit": "?", "when": "?"}
    assert results.agreement(old, new) == both | found
    for case in new["cases"]:
        case["key"] = "another"
    assert results.slower(old, new) == {}
    assert results.agreement(old, new) == {"times": [0, 0], "ratios": [0, 0]} | found


def test_alone_tilewise_is_slower_where_its_time_is():
    old, new = record_of(SAME, SAME), record_of(TWICE, SAME)
    for case in (*old["cases"], *new["cases"]):
        del case["results"]["rival"]
    key = SQUARE.key
    assert results.slower(old, new)[key] == f"{key}: 2.00 times (1 s, now 2 s)"
    assert results.slower(new, old) == {}


def test_slower_is_said_where_most_rivals_say_so():
    old, new = record_of(SAME, SAME), record_of(SAME, [0.5] * 3)
    for record in (old, new):
        taken = record["cases"][0]["results"]
        taken["steady"] = taken[OURS]
        record["contestants"]["steady"] = record["contestants"][OURS]
    assert SQUARE.key not in results.slower(old, new)  # one of two: that rival got faster
    del new["cases"][0]["results"]["steady"]
    line = f"{SQUARE.key}: 2.00 times, beside rival (1 s, now 1 s)"
    assert results.slower(old, new)[SQUARE.key] == line
    assert results.agreement(old, new)["ratios"] == results.agreement(new, old)["ratios"] == [0, 2]


@pytest.mark.parametrize("what", ["version", "kernels"])
def test_a_rival_that_was_changed_says_nothing(what):
    old, new = record_of(SAME, SAME), record_of(SAME, [0.5] * 3)
    new["contestants"] = new["contestants"] | {"rival": new["contestants"][OURS] | {what: "2"}}
    assert results.slower(old, new) == {}
    assert results.agreement(old, new)["ratios"] == [0, 0]


def test_quick_runs_are_compared_with_quick_ones():
    old, new = record_of(SAME, SAME) | {"quick": True}, record_of(SAME, SAME)
    with pytest.raises(ValueError, match="give two of a kind"):
        results.agreement(old, new)


def test_runs_without_quartiles_of_ratios_are_not_compared():
    old, new = record_of(SAME, SAME), record_of(SAME, SAME)
    del old["cases"][0]["results"]["rival"]["ratio_q1"]
    for pair in ((old, new), (new, old)):
        with pytest.raises(ValueError, match="no quartiles of ratios; measure again"):
            results.agreement(*pair)


def test_runs_of_different_cpus_are_not_compared():
    old, new = (record_of([1.0] * 3, [1.0] * 3, cpu=cpu) for cpu in "ab")
    with pytest.raises(ValueError, match="cpu 'a', not 'b'"):
        results.slower(old, new)


def test_runs_of_different_cpus_are_refused_before_measuring(repository, monkeypatch, capsys):
    monkeypatch.setattr(command, "run", lambda quick: pytest.fail("measured"))
    results.save(record_of([1.0] * 3, [1.0] * 3, cpu="another"), path := repository / "old.json")
    assert command.main(["--compare", str(path)]) == 2
    assert "the old run is of cpu 'another'" in capsys.readouterr().err


def test_drawing_is_not_quick(capsys):
    with pytest.raises(SystemExit, match="2"):
        command.main(["--quick", "--draw", "a.json"])
    assert "not allowed with argument --quick" in capsys.readouterr().err


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """Return a folder that the command takes for the repository."""
    shutil.copy(ROOT / "README.md", tmp_path)
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    monkeypatch.setattr(command, "machine", lambda: {"cpu": "CPU (R) 1", "isa": "avx2"})
    return tmp_path


def test_the_command_writes_and_compares(repository, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    runs = [record_of([s] * 3, [1.0] * 3) for s in (1.0, 1.0, 2.0, 1.0, 2.0, 2.0)]
    keys = [case["key"] for case in runs[0]["cases"]]
    asked = []

    def run(quick, only=None):
        asked.append(only and list(only))
        return copy.deepcopy(runs.pop(0))

    monkeypatch.setattr(command, "run", run)
    assert command.main([]) == 0
    path = repository / "results" / "cpu-r-1-avx2.json"
    assert json.loads(path.read_text())["cases"][0]["results"]["rival"]["ratio"] == 1.0
    drawn = sorted(p.name for p in (repository / "docs").rglob("*.*"))
    assert drawn == sorted(["performance.md", *[f"performance-{n}.png" for n in page.PICTURES]])
    assert "cpu-r-1-avx2.json" in (repository / "README.md").read_text()
    assert command.main(["--compare", str(path)]) == 0
    both = "2 of 2 ratios and 2 of 2 times of tilewise agree"
    agree = f"{both}, within their quartiles and 5 %, with the run of ?, commit ?"
    assert f"{agree}\n\nnothing got slower" in capsys.readouterr().out
    assert f"{agree}. CPUs busy" in (repository / "docs" / "performance.md").read_text()
    shutil.copy(path, old := repository / "old.json")
    assert command.main(["--compare", str(old)]) == 0  # slower in the first run only
    assert "nothing got slower" in capsys.readouterr().out
    assert command.main(["--compare", str(old)]) == 1
    assert "float32 1t: 2.00 times, beside rival" in capsys.readouterr().out
    assert asked == [None, None, None, keys, None, keys]
    assert command.main(["--draw", str(path)]) == 0


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"format": 0}', '{"format": 2}'])
def test_a_file_that_is_no_record_is_refused_before_measuring(text, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "run", lambda quick: pytest.fail("measured"))
    (tmp_path / "old.json").write_text(text)
    for name in ("old.json", "missing.json"):
        assert command.main(["--compare", str(tmp_path / name)]) == 2
        assert name in capsys.readouterr().err


def test_records_are_written_whole(tmp_path):
    path = tmp_path / "results" / "cpu.json"
    record = dict.fromkeys(results._KEYS, 1)
    results.save(record, path)
    assert json.loads(path.read_text()) == {"format": results.FORMAT} | record
    assert results.load(path)["cases"] == 1
    assert [p.name for p in path.parent.iterdir()] == ["cpu.json"]


def test_a_quick_run_replaces_nothing_that_is_shown(repository, monkeypatch):
    record = record_of([1.0] * 3, [1.0] * 3) | {"quick": True}
    monkeypatch.setattr(command, "run", lambda quick: record)
    before = (repository / "README.md").read_text()
    assert command.main(["--quick"]) == 0
    assert (repository / "results" / "cpu-r-1-avx2-quick.json").exists()
    assert (repository / "README.md").read_text() == before
    assert not (repository / "docs").exists()


def test_readme_and_page_are_those_of_the_file():
    text = (ROOT / "README.md").read_text()
    source = page.source_of(text)
    record = results.load(ROOT / "benchmarks" / "results" / source)
    assert not record["quick"]
    assert page.readme(text, record, source) == text
    assert page.page(record, source) == (ROOT / "docs" / "performance.md").read_text()
