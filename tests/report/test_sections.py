"""What the sections say of fixed results, word for word."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import tilewise as tw
from tilewise import experiments
from tilewise.experiments.roofline import RooflinePoint
from tilewise.hardware.limits import Limits, Measured
from tilewise.hardware.measured import Machine
from tilewise.report import sections

pytestmark = pytest.mark.once


def run(name, losses, seconds):
    losses = np.array(losses)
    history = tw.History(
        losses=losses,
        seconds=np.linspace(0, seconds, len(losses)),
        examples=10 * np.arange(1, len(losses) + 1),
        seconds_per_epoch=seconds,
        weights=np.zeros(1),
        bias=0.0,
        seed=0,
    )
    return experiments.Run(name, 1, 0.1, 1, history)


RUNS = [run("a", [3.0, 1.0], 2.0), run("b", [2.0, 1.5], 1.0)]
SPEEDS = [
    experiments.StrategyResult(name, n, "float32", gflops)
    for name, n, gflops in (("x", 8, 9.0), ("y", 8, 2.0), ("x", 16, 3.0), ("y", 16, 4.0))
]


@pytest.fixture
def caption(made):
    """Return what gives the caption of a section, of results of which some are replaced."""
    return lambda section, **results: section(replace(made.results, **results)).caption


def test_time(caption):
    for shown in (RUNS, RUNS[::-1]):
        assert caption(sections.concise_form, concise_form=shown) == (
            "Lower is better, and further left is sooner. An epoch of a took 2 s, the longest, and "
            "one of b 1 s, the shortest."
        )


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (10, "a 3.0000 (10 rows); b 2.0000 (10 rows). The lowest is that of b."),
        (11, "a 1.0000 (20 rows); b 1.5000 (20 rows). The lowest is that of a."),
        (20, "a 1.0000 (20 rows); b 1.5000 (20 rows). The lowest is that of a."),
    ],
)
def test_examples_are_those_of_the_first_record_at_or_after_an_epoch(rows, found, caption, made):
    assert caption(sections.loss_vs_examples, runs=RUNS, shape=(rows, 1)) == (
        "Here the cost of a step does not count, only the rows it reads. The first loss of each at "
        f"or after {rows} rows: {found}"
    )


def test_strategies(caption):
    for shown in (SPEEDS[:2], SPEEDS[1::-1]):
        assert caption(sections.strategies, strategies=shown) == (
            "All do the same arithmetic in another order. The fastest was x with 9 GFLOP/s, the "
            "slowest y with 2."
        )


def test_sizes_give_each_strategy_its_best(caption):
    assert caption(sections.size_sweep, size_sweep=SPEEDS) == (
        "Each line against itself shows what size costs. Of these sizes, fastest were x at n = 8, "
        "y at n = 16."
    )


def test_frameworks(caption):
    results = [
        experiments.FrameworkResult(framework, strategy, 16, 256, seconds)
        for framework, element in (("tilewise", 256e-9), ("NumPy", 256e-6))
        for strategy, seconds in (("element", element), ("full", 1.0))
    ]
    assert caption(sections.frameworks, frameworks=results) == (
        "The three matrices take 3 KiB together; tilewise loops in C++, the others in Python. "
        "Microseconds for one element, element by element: tilewise 0.001; NumPy 1."
    )


SHADES = "Cells grow lighter up to ten times the least, and no further."


def test_the_sweep_where_none_some_or_all_diverged(caption):
    bad = experiments.SweepResult(1, 1.0, None, None)
    slow, fast = (
        experiments.SweepResult(2, 0.1, 0.5, 9.0),
        experiments.SweepResult(4, 0.2, 0.0, 1.0),
    )
    assert caption(sections.sweep_loss, batch_rate_sweep=[bad]) == "1 of 1 runs diverged."
    assert caption(sections.sweep_seconds, batch_rate_sweep=[bad]) == "No run came to its end."
    for shown in ([slow, bad, fast], [fast, slow, bad]):
        assert caption(sections.sweep_loss, batch_rate_sweep=shown) == (
            f"The lowest loss, 0, is that of batch size 4 with rate 0.2; 1 of 3 runs diverged. "
            f"{SHADES}"
        )
        assert caption(sections.sweep_seconds, batch_rate_sweep=shown) == (
            f"The shortest run, 1 s, had batch size 4; the longest, 9 s, had batch size 2. {SHADES}"
        )


def test_curves_can_be_told_apart_though_names_have_commas(caption):
    curves = [
        experiments.Curve("gd", (1, 2), (0.5, 0.25)),
        experiments.Curve("gd, rows twice", (1, 2), (0.5, 0.12345)),
    ]
    assert caption(sections.duplicated_data, duplicated_data=curves) == (
        "Loss above the least possible after epoch 2: gd 0.25; gd, rows twice 0.123."
    )


def test_noise_gives_the_ends_and_the_largest_distance(caption):
    noise = [experiments.NoiseResult(1, 2.2, 2.0), experiments.NoiseResult(9, 0.0, 0.0)]
    assert caption(sections.gradient_noise, gradient_noise=noise) == (
        "The noise was 2.2 at batch size 1 and 0 at 9. Measured and theory differ by at most 10 %."
    )
    assert caption(sections.gradient_noise, gradient_noise=noise[1:]).endswith(
        "differ by at most 0 %."
    )


def made_machine(peak, *bandwidths):
    """Return a machine whose limits are these; what was usual is half of them."""
    figures = (Measured(x / 2, x / 3, x / 1.5, x) for x in (peak, peak / 2, *bandwidths))
    one, isas = Limits(*figures), ("avx2", "portable")
    call = Measured(2e-7, 1e-7, 3e-7, 1e-7)
    return Machine("CPU", "avx2", isas, 2, 2**15, 2**20, 2**25, one, one, call, "2026-01-01")


def roofline(machine, points):
    """Return the caption of the roofline; the points are computed from other results otherwise."""
    return sections.roofline(SimpleNamespace(limits=machine, roofline=points)).caption


def test_the_roofline():
    machine = made_machine(100.0, 400.0, 200.0, 100.0, 50.0)
    points = [
        RooflinePoint("block", "n = 64", 16.0, 60.0),
        RooflinePoint("full", "n = 8", 2.0, 90.0),
    ]
    assert roofline(machine, points) == (
        "The flat line is the most that multiply-adds alone have reached on one core, the sloping "
        "ones the most that reading alone has, from each cache and from memory. Where several "
        "names stand below one another, the fastest is at the top. The fastest point, full at "
        "n = 8, has 90 % of the 100 GFLOP/s of the flat line, which the line of the memory meets "
        "at 2 operations a byte."
    )


def test_the_roofline_names_points_above_the_lines():
    machine = made_machine(100.0, 400.0, 200.0, 100.0, 50.0)
    points = [
        RooflinePoint("full", "n = 8", 2.0, 161.0),  # above the multiply-adds
        RooflinePoint("SGD", "batch 9", 0.1, 41.0),  # above L1
        RooflinePoint("SGD", "batch 1", 0.1, 40.0),
    ]
    text = roofline(machine, points)
    assert "full at n = 8, has 161 % of the 100 GFLOP/s" in text
    assert text.endswith(
        "Above the lines: full at n = 8; SGD at batch 9. The machine was busy when the lines were "
        "measured, or its clock slower; run the report again alone."
    )
