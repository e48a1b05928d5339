"""The machine's figures are kept, found again, and measured again when the file is no good."""

import dataclasses
import importlib
import itertools
import json
import os
import stat

import pytest

import tilewise as tw
from tilewise.commands import cli
from tilewise.hardware import limits
from tilewise.hardware.limits import Limits, Measured
from tilewise.report.machine_table import facts_sentence, of_machine, spread_sentence

pytestmark = pytest.mark.once

module = importlib.import_module("tilewise.hardware.measured")  # tw.machine is the function

STEADY = Limits(*(Measured(10.0 * i, 9.9 * i, 10.1 * i, 10.2 * i) for i in range(1, 7)))


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Start with an empty cache; count measurements, which take no time."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    calls = []

    def measure(cpus):
        calls.append(cpus)
        fma = Measured(5.0 + len(calls), 1.0, 50.0, 60.0 + len(calls))
        one = dataclasses.replace(STEADY, fma_float32=fma)
        return one, STEADY, Measured(2e-7, 1e-7, 3e-7, 0.9e-7)

    monkeypatch.setattr(module, "measure", measure)
    return calls


def kept(tmp_path):
    (path,) = (tmp_path / "tilewise").iterdir()
    return path


def test_kept_in_the_home_folder_where_no_cache_is_named(measured, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    tw.machine()
    assert len(list((tmp_path / ".cache/tilewise").iterdir())) == 1


def test_the_function_is_an_attribute_of_the_package():
    assert tw.machine is module.machine
    assert isinstance(tw.machine(), tw.Machine)


def test_facts_are_those_of_the_cpu():
    found = tw.machine()
    assert (found.cpu, found.isa) == (tw.hardware.cpu_name(), tw.isa())
    assert found.available_isas == tw.available_isas()
    assert 1 <= found.cpus <= len(os.sched_getaffinity(0))
    assert 0 < found.l1 <= found.l2 <= found.l3


def test_measured_once_and_kept(measured, tmp_path):
    first = tw.machine()
    assert tw.machine() == first
    assert measured == [first.cpus]
    assert stat.S_ISREG(kept(tmp_path).stat().st_mode)  # and nothing unfinished beside it


def test_refresh_measures_again_and_replaces(measured):
    first = tw.machine()
    second = tw.machine(refresh=True)
    assert second != first
    assert tw.machine() == second
    assert len(measured) == 2


def times(factor, figure):
    return Measured(*(factor * number for number in vars(figure).values()))


def test_measured_again_keeps_the_faster_of_each_figure(measured, monkeypatch):
    quiet = tw.machine()
    slow = Limits(*(times(0.4, figure) for figure in vars(STEADY).values()))
    busy = dataclasses.replace(slow, read_l3=times(2, STEADY.read_l3))
    call = times(3, quiet.call_seconds)
    monkeypatch.setattr(module, "measure", lambda cpus: (busy, slow, call))
    found = module.measured_again()
    assert found.one_core == dataclasses.replace(quiet.one_core, read_l3=busy.read_l3)
    assert (found.all_cores, found.call_seconds) == (STEADY, quiet.call_seconds)
    assert tw.machine() == found
    assert found.date >= quiet.date
    monkeypatch.setattr(module, "measure", lambda cpus: (STEADY, STEADY, times(0.1, call)))
    assert module.measured_again().call_seconds == times(0.1, call)


def test_measured_again_where_nothing_was_kept(measured):
    found = module.measured_again()
    assert tw.machine() == found
    assert len(measured) == 1


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        (module, "cpu_name", lambda: "another CPU"),
        (module, "isa", lambda: "another"),
        (module, "version", lambda package: "9.9"),
        (module.os, "sched_getaffinity", lambda pid: {0, 1, 2}),
    ],
)
def test_another_cpu_isa_or_version_is_measured_anew(measured, monkeypatch, owner, name, value):
    monkeypatch.setattr(module._core, "usable_cpus", lambda: 3)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    tw.machine()
    monkeypatch.setattr(owner, name, value)
    tw.machine()
    tw.machine()
    assert len(measured) == 2


def damage_figure(text, **change):
    content = json.loads(text)
    content["one_core"]["read_l1"].update(change)
    return json.dumps(content)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[1, 2]",
        lambda text: "[" * 100_000,
        lambda text: '{"one_core": 3}',
        lambda text: text.replace("read_l1", "read_l9"),
        lambda text: text.replace('"date": "', '"date": "x'),
        lambda text: damage_figure(text, median=float("nan")),
        lambda text: damage_figure(text, low=-1.0),
        lambda text: damage_figure(text, high=float("inf")),
        lambda text: damage_figure(text, median="20"),
        lambda text: damage_figure(text, median=1e9),
        lambda text: damage_figure(text, best=30.0),  # between the quartiles
        lambda text: damage_figure(text, best=0.0),
        lambda text: damage_figure(text, best=float("inf")),
        lambda text: text.replace('"best"', '"most"'),
    ],
)
def test_a_damaged_file_is_measured_again_and_mended(measured, tmp_path, damage):
    tw.machine()
    path = kept(tmp_path)
    path.write_text(damage(path.read_text()))
    second = tw.machine()
    assert len(measured) == 2
    assert tw.machine() == second
    assert len(measured) == 2


def test_bytes_that_are_no_text(measured, tmp_path):
    tw.machine()
    kept(tmp_path).write_bytes(b"\xff\xfe\x00")
    tw.machine()
    assert len(measured) == 2


def test_a_cache_that_cannot_be_written_is_no_error(measured, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    assert tw.machine().one_core.read_l1.median == STEADY.read_l1.median
    tw.machine()
    assert len(measured) == 2


def test_refresh_is_a_boolean(measured):
    with pytest.raises(TypeError, match="refresh=1 is not a boolean"):
        tw.machine(refresh=1)


def test_measure_gives_every_figure_and_leaves_the_threads(monkeypatch):
    monkeypatch.setattr(limits, "_SECONDS", 1e-3)
    monkeypatch.setattr(limits, "_REPEATS", 2)
    before, affinity = tw.get_num_threads(), os.sched_getaffinity(0)
    one, every, call = limits.measure(2)
    for figure in (*vars(one).values(), *vars(every).values(), call):
        assert 0 < figure.low <= figure.median <= figure.high < 1e6
    assert all(figure.best >= figure.high for figure in vars(one).values())
    assert call.best <= call.low <= call.median < 1e-3
    assert tw.get_num_threads() == before
    assert os.sched_getaffinity(0) == affinity


def test_figures_are_summed_up_field_by_field(monkeypatch):
    rates = {("fma", dtype): rate for dtype, rate in (("float32", 1.0), ("float64", 2.0))}
    monkeypatch.setattr(limits, "_fma_gflops", lambda dtype, n: rates["fma", dtype.__name__] * n)
    monkeypatch.setattr(limits, "read_gbytes", lambda size, count, seconds: float(size * count))
    monkeypatch.setattr(limits, "_call_seconds", lambda: 3.0)
    one, every, call = limits.measure(2)
    assert (one.fma_float32.median, one.fma_float64.median) == (1, 2)
    assert (every.fma_float32.median, every.fma_float64.median) == (2, 4)
    sizes = limits._bytes_to_read(1)
    assert [one.read_l1.median, one.read_memory.median] == [sizes["l1"], sizes["memory"]]
    assert call.median == 3


def test_the_best_is_the_greatest_rate_and_the_shortest_call(monkeypatch):
    numbers = itertools.count(1)
    for name in ("_fma_gflops", "read_gbytes", "_call_seconds"):
        monkeypatch.setattr(limits, name, lambda *args: float(next(numbers)))
    one, every, call = limits.measure(2)
    of_a_round = 6 + 6 + 1
    last = limits._REPEATS * of_a_round  # before the last round; the first does not count
    assert [figure.best for figure in vars(one).values()] == [last + i for i in range(1, 7)]
    assert [figure.best for figure in vars(every).values()] == [last + i for i in range(7, 13)]
    assert call.best == 2 * of_a_round


def test_sizes_lie_between_the_caches(monkeypatch):
    monkeypatch.setattr(limits._core, "caches", lambda: {"l1": 32, "l2": 1024, "l3": 4096})
    monkeypatch.setattr(limits, "_cpus_on_cache", lambda level, count: 1 if level < 3 else count)
    assert limits._bytes_to_read(1) == {"l1": 16, "l2": 544, "l3": 3072, "memory": 16384}
    # Four threads share the L3: each reads a part of it that its own L2 cannot hold.
    assert limits._bytes_to_read(4) == {"l1": 16, "l2": 544, "l3": 1536, "memory": 4096}


def test_too_little_memory_says_how_much(monkeypatch):
    monkeypatch.setattr(limits, "_available_memory", lambda: 5 << 20)
    with pytest.raises(MemoryError, match=r"takes \d+ MiB to measure, .* 5 MiB are available"):
        limits.measure(1)


def test_available_memory_is_at_most_that_of_the_machine():
    assert 0 < limits._available_memory() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE")


def test_the_command_prints_every_figure(measured, capsys):
    assert cli.main(["machine"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    words = " ".join(out.split())
    cpus = tw.machine().cpus
    assert "quartiles FMA float32, GFLOP/s 1 61 6 1 to 50 FMA" in words
    assert "reading memory, GB/s 1 61.2 60 59.4 to 60.6 FMA" in words
    assert f"FMA float32, GFLOP/s {cpus} 10.2 10 9.9 to 10.1 FMA" in words
    assert "matmul 2 x 2, ns a call 1 90 200 100 to 300 Best, median" in words
    assert cli.main(["machine", "--refresh"]) == 0
    assert "float32, GFLOP/s 1 62 7 1 to 50" in " ".join(capsys.readouterr().out.split())
    assert len(measured) == 2


def test_a_wide_spread_is_named_and_a_small_one_is_not(measured):
    found = tw.machine()
    assert (
        "in FMA float32 on 1 thread (408 %), matmul 2 x 2 on 1 thread (50 %). "
        in spread_sentence(found)
    )
    steady = dataclasses.replace(found, one_core=STEADY, call_seconds=Measured(1.0, 1.0, 1.0, 1.0))
    assert spread_sentence(steady) == ""


def test_the_table_has_the_spread_beside_each_figure(measured):
    table = of_machine(tw.machine())
    assert table.header == ["limit", "threads", "best", "median", "quartiles"]
    assert table.rows[2] == ["reading L1, GB/s", "1", "30.6", "30", "29.7 to 30.3"]


def test_the_facts_name_the_cpu_its_instruction_sets_and_caches(measured):
    facts = {"cpu": "CPU 9", "isa": "avx2", "available_isas": ("avx512", "avx2"), "cpus": 1}
    sizes = {"l1": 48 << 10, "l2": 2 << 20, "l3": 1536}
    assert facts_sentence(dataclasses.replace(tw.machine(), **facts, **sizes)) == (
        "CPU 9: 1 CPU that this process may use. Its instruction sets: avx512, avx2; in use: avx2. "
        "The caches that a core sees: L1 48 KiB, L2 2048 KiB, L3 1.5 KiB."
    )
