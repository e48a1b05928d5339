"""What the benchmarks measure with, on a clock that only the calls move."""

import importlib
import sys
from dataclasses import dataclass
from itertools import chain, repeat
from types import SimpleNamespace

import pytest

from benchmarks import field, machine, rival, worker
from benchmarks.machine import ROOT
from benchmarks.products import Product
from benchmarks.rival import Rival
from benchmarks.worker import EndedError, SkippedError

pytestmark = pytest.mark.once
pytest.importorskip("threadpoolctl")
check = importlib.import_module("benchmarks.check")

UNITS, THREADS = 4, 3


class Clock:
    """Seconds that pass in calls alone; two CPUs are busy in them."""

    def __init__(self):
        self.now = 0.0

    def spend(self, seconds):
        self.now += seconds

    def perf_counter(self):
        return self.now

    def process_time(self):
        return 2 * self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(worker, "perf_counter", clock.perf_counter)
    monkeypatch.setattr(worker, "process_time", clock.process_time)
    monkeypatch.setattr(check, "time", clock)
    return clock


@dataclass
class Case:
    """Calls that take given seconds, one after the other, the last for ever."""

    clock: Clock
    seconds: tuple[float, ...]
    units: int = UNITS
    threads: int = THREADS
    made: int = 0

    def start(self, rival, reference):
        left = chain(self.seconds, repeat(self.seconds[-1]))

        def call():
            self.made += 1
            self.clock.spend(next(left))

        return [call]


@pytest.fixture
def server(monkeypatch):
    class Timed(Rival):
        name, package, settings = "timed", "numpy", "none"

        def set_threads(self, n):
            self.threads = n

    monkeypatch.setattr(worker, "RIVALS", {"timed": Timed})
    yield worker._Server("timed")
    del rival.RIVALS["timed"]


def test_a_short_call_is_timed_warm_and_per_unit(server, clock):
    case = Case(clock, (0.05, 0.03, 0.01, 0.02, 0.09, 0.04))
    assert server.load(case, None) == pytest.approx(0.01)  # the least of three after a first
    assert server.rival.threads == THREADS
    seconds, cpus = server.sample(5)
    assert seconds == pytest.approx(0.04 / UNITS)  # without the 0.09 of the warm call
    assert cpus == pytest.approx(2)
    assert case.made == 4 + 1 + 5


def test_a_long_call_is_not_made_more_often_than_asked(server, clock):
    case = Case(clock, (3.0, 5.0))
    assert server.load(case, None) == 3.0
    assert server.sample(2) == (pytest.approx(5.0 / UNITS), pytest.approx(2))
    assert case.made == 1 + 2


def test_a_rule_compares_the_other_with_ours(clock, capsys):
    def rule(floor):
        return check.Rule("r", lambda: clock.spend(0.001), lambda: clock.spend(0.003), floor)

    assert rule(2).ratio() == pytest.approx(3)
    assert rule(2).holds()
    assert not rule(4).holds()
    assert capsys.readouterr().out.count("SLOW") == check._TRIES


@pytest.mark.parametrize(("found", "status"), [((True, True), 0), ((True, False), 1)])
def test_one_broken_rule_is_enough(found, status, monkeypatch):
    rules = [SimpleNamespace(holds=lambda held=held: held) for held in found]
    monkeypatch.setattr(check, "rules", lambda: rules)
    assert check.main() == status


def test_rates_are_of_a_unit_and_the_peak_of_all_threads(monkeypatch):
    pytest.importorskip("pytest_benchmark")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.environ", {})  # which it sets for libraries
        from benchmarks import conftest
    monkeypatch.setattr(conftest, "_peak", lambda dtype: 100.0)
    case = SimpleNamespace(units=4, threads=2, flops=1e9, bytes=2e9, dtype="float32")
    rates = conftest._rates(case, 0.4)
    assert rates == pytest.approx({"gflops": 10, "gbytes": 20, "of_peak": 0.05})


def judged(speeds):
    """Return a worker for each core of OpenBLAS: its kernels and its seconds, or an end."""

    class Judged:
        def __init__(self, name, environment):
            self.kernels, self.seconds = speeds.get(
                environment.get("OPENBLAS_CORETYPE", ""), (None, None)
            )

        def wait(self):
            if self.kernels is None:
                raise EndedError("no such instructions")

        def about(self):
            return {"kernels": self.kernels}

        def load(self, case):
            return self.seconds

        def sample(self, repeats):
            return self.seconds, 1.0

        def close(self):
            pass

    return Judged


def test_the_best_core_is_the_fastest(monkeypatch):
    cores = {"": ("openblas a", 2.0), "Haswell": ("openblas b", 1.0), "Zen": ("openblas c", 3.0)}
    monkeypatch.setattr(field, "Worker", judged(cores))
    assert field.best_core() == {"OPENBLAS_CORETYPE": "Haswell"}
    monkeypatch.setattr(field, "Worker", judged(cores | {"": ("openblas a", 0.5)}))
    with pytest.raises(SkippedError, match="picks its best already: openblas a"):
        field.best_core()
    monkeypatch.setattr(field, "Worker", judged({"": ("mkl", 1.0)}))
    with pytest.raises(SkippedError, match="no OpenBLAS: mkl"):
        field.best_core()


def test_all_threads_are_those_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 2, 5})
    assert machine.all_threads() == 3


def test_the_commit_is_marked_by_changes_of_known_files_alone(tmp_path, monkeypatch):
    def git(*words):
        name = ["-c", "user.name=a", "-c", "user.email=a@b"]
        machine.subprocess.run(["git", "-C", str(tmp_path), *name, *words], check=True)

    monkeypatch.setattr(machine, "ROOT", tmp_path)
    assert machine._commit() == "unknown"
    git("init", "-q")
    (tmp_path / "known").write_text("1")
    git("add", "known")
    git("commit", "-qm", "first")
    (tmp_path / "quick.json").write_text("1")
    assert not machine._commit().endswith("+")
    (tmp_path / "known").write_text("2")
    assert machine._commit().endswith("+")


def test_a_rival_that_cannot_start_gives_the_reason(monkeypatch):
    sent = []

    def broken():
        raise OSError("libfast.so: cannot open")

    monkeypatch.setattr(worker, "RIVALS", {"broken": broken})
    monkeypatch.setattr(worker.gc, "disable", lambda: None)
    worker._serve("broken", SimpleNamespace(send=sent.append))
    assert [str(reason) for reason in sent] == ["OSError: libfast.so: cannot open"]
    assert isinstance(sent[0], SkippedError)


def test_the_example_of_a_rival_works_as_printed(monkeypatch):
    text = (ROOT / "benchmarks" / "README.md").read_text()
    (example,) = [part.split("```")[0] for part in text.split("```python\n")[1:]]
    library = SimpleNamespace(multiply=lambda a, b, into: a.dot(b, into))
    monkeypatch.setitem(sys.modules, "fast", library)
    monkeypatch.setattr(rival, "RIVALS", {})
    exec(example, {"__name__": "fast_rival"})
    case = Product("square", (5, 7), (7, 3))
    for call in case.start(rival.RIVALS["fast"]()):
        call()
