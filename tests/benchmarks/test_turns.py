"""Contestants take turns in processes of their own; who fails in one is left out and named."""

import os
import re
import signal
from contextlib import closing
from dataclasses import replace
from itertools import chain, repeat
from types import SimpleNamespace

import pytest

from benchmarks import clock as clocks
from benchmarks import run as runs
from benchmarks import worker as workers
from benchmarks.cases.products import Product
from benchmarks.rivals.rival import OURS
from benchmarks.turns import Plan, Visit, rows, visit
from benchmarks.worker import EndedError, SkippedError, Worker

pytestmark = pytest.mark.once

CASE = Product("square", a=(5, 7), b=(7, 3))


@pytest.mark.parametrize(
    ("seconds", "warm", "sample"),
    [
        ((0.05, 0.03, 0.01, 0.02, 0.09, 0.04), 0.01, 0.04),  # not the first after others' turns
        ((3.0, 5.0), 3.0, 5.0),  # a long call needs no warm one
    ],
)
def test_a_call_is_timed_warm_and_per_unit(monkeypatch, seconds, warm, sample):
    now, left = [0.0], chain(seconds, repeat(seconds[-1]))
    monkeypatch.setattr(clocks, "perf_counter", lambda: now[-1])
    monkeypatch.setattr(workers, "neighbour", lambda case: None)
    monkeypatch.setattr(workers, "start", lambda *_: lambda: now.append(now[-1] + next(left)))
    server = workers.Server(OURS)
    assert server.load(SimpleNamespace(units=4), None) == pytest.approx(warm)
    assert server.sample(5) == pytest.approx(sample / 4)


class Fake:
    """A worker that writes down its turns, and fails after some."""

    def __init__(self, name, log, seconds=1e-3, failure=None, turns=0):
        self.name, self.log, self.seconds = name, log, seconds
        self.failures = chain([None] * turns, repeat(failure))

    def ask(self, task, *arguments):
        if failure := next(self.failures):
            raise failure
        if task == "load":
            return self.seconds
        self.log.append(self.name)
        return 2.0 if self.name == "rival" else 1.0

    def rest(self):
        self.log.append("rest")

    def close(self):
        self.log.append("closed")


PLAN = Plan(visits=1, rounds=5, seconds=0.01)


@pytest.mark.parametrize(
    ("threads", "seconds", "turns"),
    [
        (1, 0.001, [OURS, "rival"] * 5),
        (2, 0.001, [OURS, "rest", "rival", "rest"] * 5),
        (1, 0.5, [OURS, "rival"] * 2),  # who is slow makes the rounds fewer
        (1, 2.0, [OURS, "rival"]),
    ],
)
def test_turns_alternate_and_threads_rest_between_them(threads, seconds, turns):
    log = []
    fakes = [Fake(OURS, log), Fake("rival", log, seconds)]
    found = visit(replace(CASE, threads=threads), fakes, PLAN)
    assert log == turns
    assert rows([found])["rival"].ratio == pytest.approx(2)


FAILURES = [EndedError("it ended"), SkippedError("broken"), ArithmeticError("wrong answer")]


@pytest.mark.parametrize("reason", FAILURES, ids=lambda reason: type(reason).__name__)
@pytest.mark.parametrize("turns", [0, 1, 3])
def test_a_rival_that_fails_is_left_out_and_a_tilewise_that_fails_ends_the_run(reason, turns):
    log = []
    fakes = [Fake(OURS, log), Fake("rival", log, failure=reason, turns=turns)]
    found = visit(CASE, fakes, PLAN)
    assert list(rows([found])) == [OURS]
    assert found.skipped == {"rival": str(reason)}
    ended = isinstance(reason, EndedError)  # else it may take part in the next case
    assert [fake.name for fake in fakes] == ([OURS] if ended else [OURS, "rival"])
    assert log.count("closed") == ended
    with pytest.raises(type(reason), match=str(reason)):
        visit(CASE, [Fake(OURS, [], failure=reason)], PLAN)


def found(*ours, **rivals):
    all_of = {OURS: ours} | rivals
    return Visit({name: [1e-6 * s for s in taken] for name, taken in all_of.items()}, {})


def test_quartiles_are_the_outer_ones_of_the_visits_and_ratios_those_of_a_round():
    visits = [found(1.0, 2.0, 3.0, jax=[6.0] * 3), found(2.0, 2.0, 2.0, jax=[6.0] * 3)]
    taken = rows([*visits, found(4.0, jax=[6.0])])
    assert taken[OURS][:3] == pytest.approx((1.5, 2.0, 4.0))
    assert taken["jax"][3:6] == pytest.approx((1.5, 3.0, 18**0.5))
    assert rows([found(1.0, 2.0, jax=[2.0, 1.0])])["jax"].ratio == pytest.approx(1.0)  # noise
    assert list(rows([*visits, found(1.0)])) == [OURS]  # who misses a visit is left out


def test_a_worker_measures_and_says_why_it_cannot():
    with closing(Worker(OURS)) as worker:
        assert set(worker.ask("about")) == {"version", "kernels", "settings"}
        assert worker.ask("load", CASE, None) > 0
        assert worker.ask("sample", 3) > 0
        with pytest.raises(SkippedError, match="has no complex64"):
            worker.ask("load", replace(CASE, dtype="complex64"), None)
        os.kill(worker._pid.result(), signal.SIGKILL)
        with pytest.raises(EndedError, match="tilewise ended"):
            worker.ask("sample", 1)


def test_a_run_visits_all_cases_in_fresh_processes_before_any_again(monkeypatch, capsys):
    visits, started, together = [], [], replace(CASE, group="neighbours", only=(OURS,), threads=2)

    class Started(Fake):
        def __init__(self, name, threads):
            super().__init__(name, [])
            started.append((name, threads))

        def ask(self, task):
            if self.name == "mkl":
                raise SkippedError("not installed")
            return {"version": "1"}

    def visit(case, fakes, plan):
        visits.append((case, [fake.name for fake in fakes], started[-1]))
        return found(1.0)._replace(skipped={"jax": "wrong answer"})

    machine = {"load": 0.6, "cpus": 2}
    new = {"Worker": Started, "RIVALS": ["mkl", OURS], "visit": visit, "machine": lambda: machine}
    new |= {"limits": lambda refresh: {"l3": 1}, "all_cases": lambda cpus, quick: [CASE, together]}
    for name, value in new.items():
        monkeypatch.setattr(runs, name, value)
    run = runs.run(quick=False, only=re.compile("@").search)  # all but the shapes
    assert visits == [(CASE, [OURS], ("mkl", 1)), (together, [OURS], (OURS, 2))] * 2
    assert started == [(OURS, 1), ("mkl", 1), (OURS, 2)] * 2
    assert (run.contestants, run.skipped) == ({OURS: {"version": "1"}}, {"mkl": "not installed"})
    assert run.left_out["jax"] == {CASE.key: "wrong answer", together.key: "wrong answer"}
    assert "load 0.6: others use this machine" in capsys.readouterr().out
    runs.run(quick=True, only=lambda key: key.startswith("square"))
    assert [case for case, *_ in visits[4:]] == [CASE]
