"""Contestants take turns; who fails in one is left out and named."""

from dataclasses import replace

import pytest

from benchmarks.field import Field
from benchmarks.measure import Plan, summary, visit
from benchmarks.products import Product
from benchmarks.rival import OURS
from benchmarks.worker import EndedError, SkippedError

pytestmark = pytest.mark.once

CASE = Product("square", (5, 7), (7, 3))


class Fake:
    """A worker that writes down its turns."""

    def __init__(self, name, log, failure=None, *, ends=None, turns=0):
        self.name, self.log, self.failure, self.ends = name, log, failure, ends
        self.turns = turns  # before it ends

    def about(self):
        if self.failure:
            raise self.failure
        return {"version": "1"}

    def load(self, case):
        if self.failure:
            raise self.failure
        return 1e-3

    def form(self):
        return f"form of {self.name}" if self.name == "rival" else None

    def sample(self, repeats):
        self.log.append((self.name, repeats))
        if self.ends and self.log.count((self.name, repeats)) > self.turns:
            raise self.ends
        return (2.0 if self.name == "rival" else 1.0), 1.0

    def peak(self, dtype):
        self.log.append(("peak", dtype))
        return 100.0

    def close(self):
        self.log.append((self.name, "closed"))


def visited(field, rounds):
    """Return the record of one visit of one case."""
    found = visit(CASE, field, Plan(visits=1, rounds=rounds, seconds=0.008 * rounds))
    return summary(CASE, [found])


def test_contestants_take_turns():
    log = []
    record = visited(Field([Fake(OURS, log), Fake("rival", log)]), 3)
    assert log == [("peak", "float32"), (OURS, 4), ("rival", 4)] * 3
    assert record["results"]["rival"]["ratio"] == 2
    assert (record["peaks"], record["skipped"]) == ([100.0] * 3, {})
    assert record["forms"] == {"rival": "form of rival"}


def test_a_wrong_rival_is_left_out_and_a_wrong_tilewise_ends_the_run():
    wrong = ArithmeticError("wrong answer")
    field = Field([Fake(OURS, []), Fake("rival", [], wrong), Fake("no", [], SkippedError("x"))])
    record = visited(field, 2)
    assert set(record["results"]) == {OURS}
    assert record["skipped"] == {"rival": "wrong answer", "no": "x"}
    assert len(field.workers) == 3  # they may take part in the next case
    with pytest.raises(ArithmeticError, match="wrong answer"):
        visited(Field([Fake(OURS, [], wrong)]), 2)


ENDS = [
    EndedError("it ended"),
    SkippedError("RuntimeError: broken"),
    ArithmeticError("it overflowed"),
]


@pytest.mark.parametrize("reason", ENDS, ids=lambda reason: type(reason).__name__)
@pytest.mark.parametrize("turns", [0, 2])
def test_a_rival_that_fails_in_its_turn_does_not_end_the_run(reason, turns):
    log = []
    field = Field([Fake(OURS, log), Fake("rival", log, ends=reason, turns=turns)])
    record = visited(field, 3)
    assert set(record["results"]) == {OURS}
    assert record["skipped"] == {"rival": str(reason)}
    assert log.count(("rival", "closed")) == 1
    assert [worker.name for worker in field.workers] == [OURS]
    assert field.failed == {"rival": f"{reason}, in {CASE.key}"}


def test_a_rival_that_ends_before_it_names_its_form_is_left_out_once():
    class Formless(Fake):
        def form(self):
            raise EndedError("it ended")

    record = visited(field := Field([Fake(OURS, []), Formless("rival", [])]), 2)
    assert (list(record["results"]), record["skipped"]) == ([OURS], {"rival": "it ended"})
    assert [worker.name for worker in field.workers] == [OURS]


@pytest.mark.parametrize("reason", ENDS, ids=lambda reason: type(reason).__name__)
def test_a_rival_that_cannot_say_what_it_is_takes_no_part(reason):
    log = []
    field = Field([Fake(OURS, log), Fake("rival", log, reason)])
    assert field.about() == {OURS: {"version": "1"}}
    assert [worker.name for worker in field.workers] == [OURS]
    assert field.failed == {"rival": f"{reason}, in its first product"}
    assert log == [("rival", "closed")]


class Turned:
    """A worker that writes down its turns, and its rests."""

    def __init__(self, name, seconds, log):
        self.name, self.seconds, self.log = name, seconds, log

    def load(self, case):
        return self.seconds

    def form(self):
        return None

    def sample(self, repeats):
        self.log.append(self.name)
        return self.seconds, 1.0

    def peak(self, dtype):
        return 1.0

    def rest(self):
        self.log.append("rest")


@pytest.mark.parametrize(
    ("threads", "seconds", "turns"),
    [
        (1, 0.001, [OURS, "rival"] * 5),
        (2, 0.001, [OURS, "rest", "rival", "rest"] * 5),
        (1, 0.5, [OURS, "rival", OURS, OURS, OURS, "rival", OURS]),  # whoever is slow has fewer
        (1, 2.0, [OURS, "rival"] + [OURS] * 4),
    ],
)
def test_turns_alternate_and_threads_rest_between_them(threads, seconds, turns):
    log = []
    workers = [Turned(OURS, 0.001, log), Turned("rival", seconds, log)]
    visit(replace(CASE, threads=threads), Field(workers), Plan(visits=1, rounds=5, seconds=0.01))
    assert log == turns
