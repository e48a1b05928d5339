"""A run visits every case several times, each time in fresh processes."""

import pytest

from benchmarks import run as runs
from benchmarks.field import Field
from benchmarks.measure import Plan, Visit, summary
from benchmarks.products import Product
from benchmarks.rival import OURS
from benchmarks.worker import SkippedError

pytestmark = pytest.mark.once

CASE, OTHER, GROWING = (Product("square", (n, n), (n, n)) for n in (5, 6, 7))
LIMITS = {"l3": 2**25}


class Workers:
    """Fields of fake processes, and what was done in which of them."""

    def __init__(self):
        self.fields = []
        self.visits = []

    def field(self):
        workers = self

        class Fresh(Field):
            def enter(self, names, threads=1, core=None):
                workers.fields.append((list(names), threads, core))
                self.skipped = {"blis": "not installed"}

            def about(self):
                return {OURS: {"version": str(len(workers.fields))}}

            @property
            def ours(self):
                return self

            def limits(self, kept):
                workers.kept = kept
                return LIMITS

        return Fresh()

    def visit(self, case, field, plan):
        self.visits.append((case, len(self.fields)))
        field.failed["jax"] = f"ended in visit {len(self.visits)}"
        return Visit({OURS: [(1.0, 1.0)] * 3}, [float(len(self.visits))], {}, {})


@pytest.fixture
def workers(monkeypatch):
    workers = Workers()
    monkeypatch.setattr(runs, "Field", workers.field)
    monkeypatch.setattr(runs, "visit", workers.visit)
    monkeypatch.setattr(runs, "machine", lambda: {"load": 0.0})
    monkeypatch.setattr(runs, "all_threads", lambda: 1)
    monkeypatch.setattr(runs, "best_core", lambda: {"A": "B"})
    monkeypatch.setattr(runs, "product_cases", lambda quick, threads, last_cache: [CASE, OTHER])
    monkeypatch.setattr(runs, "epoch_cases", lambda quick, threads: [])
    monkeypatch.setattr(runs, "growth_cases", lambda quick, threads: [GROWING])
    monkeypatch.setattr(runs, "FULL", Plan(visits=2, rounds=3, seconds=0.1))
    return workers


def test_all_cases_are_visited_in_fresh_processes_before_any_is_again(workers):
    record = runs.run(quick=False)
    once = [(CASE, 1), (OTHER, 1), (GROWING, 2)]
    assert workers.visits == [*once, *((case, number + 2) for case, number in once)]
    assert [case["key"] for case in record["cases"]] == [CASE.key, OTHER.key, GROWING.key]
    names = list(runs.RIVALS)
    assert workers.fields == [(names, 1, {"A": "B"}), ([OURS], 1, None)] * 2
    assert record["contestants"] == {OURS: {"version": "1"}}  # said once
    assert (record["limits"], record["skipped"]) == (LIMITS, {"blis": "not installed"})
    assert not workers.kept
    assert record["failed"] == {"jax": "ended in visit 2"}  # of the first field
    assert record["peaks"] == {"float32": 6.0, "float64": 0.0}


def test_a_run_of_some_cases_visits_no_others(workers):
    record = runs.run(quick=False, only=[OTHER.key])
    assert [case for case, _ in workers.visits] == [OTHER] * 2
    assert len(record["cases"]) == 1


def test_without_a_better_core_numpy_takes_part_once(workers, monkeypatch):
    def none():
        raise SkippedError("picks its best already")

    monkeypatch.setattr(runs, "best_core", none)
    record = runs.run(quick=True)
    assert record["skipped"]["numpy-best"] == "picks its best already"
    assert "numpy-best" not in workers.fields[0][0]


@pytest.mark.parametrize(("load", "warned"), [(0.5, False), (0.6, True)])
def test_a_busy_machine_is_said(workers, monkeypatch, capsys, load, warned):
    monkeypatch.setattr(runs, "machine", lambda: {"load": load})
    runs.run(quick=True)
    assert workers.kept
    assert ("do not trust" in capsys.readouterr().out) == warned


def found(*ours, form="matmul", **rivals):
    turns = {name: [(s, 1.0) for s in taken] for name, taken in ({OURS: ours} | rivals).items()}
    return Visit(turns, [ours[0]], {"jax": form}, {})


def quartiles(figures, of=""):
    return figures[f"{of}q1"], figures[of.rstrip("_") or "seconds"], figures[f"{of}q3"]


def test_the_spread_is_from_the_lowest_to_the_highest_quartile_of_a_visit():
    jax = [6.0, 6.0, 6.0]
    visits = [found(1.0, 2.0, 3.0, jax=jax), found(2.0, 2.0, 2.0, jax=jax), found(4.0, jax=jax)]
    record = summary(CASE, visits)
    assert quartiles(record["results"][OURS]) == (1.5, 2.0, 4.0)
    assert quartiles(record["results"]["jax"], "ratio_") == pytest.approx((1.5, 3.0, 18**0.5))
    assert record["peaks"] == [1.0, 2.0, 4.0]


def test_a_ratio_is_that_of_the_turns_of_a_round():
    record = summary(CASE, [found(1.0, 2.0, 4.0, jax=[2.0, 4.0, 8.0], mkl=[6.0])])
    assert quartiles(record["results"]["jax"], "ratio_") == pytest.approx((2.0, 2.0, 2.0))
    assert quartiles(record["results"]["jax"]) == (3.0, 4.0, 6.0)
    assert record["results"]["mkl"]["ratio"] == pytest.approx(3.0)  # beside the median of ours
    record = summary(CASE, [found(4.0, jax=[1.0, 2.0, 9.0])])
    assert record["results"]["jax"]["ratio"] == pytest.approx(0.5)


def test_a_ratio_of_noise_alone_is_one():
    record = summary(CASE, [found(1.0, 2.0, jax=[2.0, 1.0])])
    assert record["results"]["jax"]["ratio"] == pytest.approx(1.0)


def test_who_misses_a_visit_is_left_out_of_the_case():
    late = found(1.0)
    late.skipped["jax"] = "wrong answer"
    for visits in ([found(1.0, jax=[1.0]), late], [late, found(1.0, jax=[1.0])]):
        record = summary(CASE, visits)
        assert list(record["results"]) == [OURS]
        assert record["skipped"] == {"jax": "wrong answer"}
    record = summary(CASE, [found(1.0), found(1.0, jax=[1.0])])
    assert record["skipped"] == {"jax": "not in every visit"}


def test_the_forms_of_all_visits_are_named_once():
    record = summary(CASE, [found(1.0, form=form) for form in ("matmul", "einsum", "matmul")])
    assert record["forms"] == {"jax": "matmul or einsum"}
