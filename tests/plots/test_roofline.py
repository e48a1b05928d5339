"""The roofline picture: its ceilings and points are the numbers, and each is named."""

import dataclasses

import numpy as np
import pytest

import tilewise as tw
from tilewise.experiments import Run, StrategyResult, four_runs, strategies
from tilewise.experiments.roofline import RooflinePoint, roofline_points
from tilewise.hardware.limits import Limits, Measured
from tilewise.hardware.measured import Machine

pytestmark = pytest.mark.once
Figure = pytest.importorskip("matplotlib.figure").Figure

STRATEGIES = ("element", "row", "column", "block", "full")


def made_machine(peak, *bandwidths):
    figures = [Measured(x, x, x, x) for x in (peak, peak / 2, *bandwidths)]
    limits = Limits(*figures)
    isas = ("avx2", "portable")
    call = Measured(1e-7, 1e-7, 1e-7, 1e-7)
    return Machine("CPU", "avx2", isas, 1, 2**15, 2**20, 2**25, limits, limits, call, "2026-01-01")


def made_points(speeds, sgd):
    """Return those of all strategies at three sizes, growing a little, and of four batch sizes."""
    return [
        RooflinePoint(name, f"n = {n}", n / 6, speed * (1 + 0.1 * i))
        for name, speed in zip(STRATEGIES, speeds, strict=True)
        for i, n in enumerate((32, 128, 512))
    ] + [
        RooflinePoint("SGD", f"batch {b}", 1.0, speed)
        for b, speed in zip((1500, 1, 100, 10), sgd, strict=True)
    ]


SCENES = {
    "a server": (made_machine(117, 210, 114, 74, 31), ((1.3, 10, 6, 30, 100), (9, 1, 8, 4))),
    "steep": (made_machine(250, 500, 200, 60, 5), ((1, 30, 29, 31, 200), (4, 3.9, 3.8, 3.7))),
    "caches alike": (made_machine(20, 50, 48, 46, 44), ((2, 2.1, 2.2, 5, 18), (1, 1.1, 1.2, 1.3))),
    "all speeds alike": (made_machine(50, 99, 60, 30, 10), ((9, 9, 9, 9, 9), (2, 2, 2, 2))),
}


def legend_texts(ax):
    (legend,) = ax.figure.legends
    return [text.get_text() for text in legend.get_texts()]


def assert_texts_are_apart(ax):
    """Compare the names of the points with each other, the points, the axes and the legend."""
    ax.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])
        assert all(ax.bbox.contains(*corner) for corner in box.corners())
    for line in ax.get_lines():
        if line.get_label() in legend_texts(ax):
            path = line.get_transform().transform_path(line.get_path())
            assert not any(path.intersects_bbox(box, filled=False) for box in boxes)
    legend = ax.figure.legends[0].get_window_extent()
    assert not legend.overlaps(ax.get_tightbbox())
    assert all(ax.figure.bbox.contains(*corner) for corner in legend.corners())


@pytest.mark.parametrize("peak", [49, 117, 400])
def test_no_line_runs_through_a_name_however_high_the_ceiling(peak):
    rng = np.random.default_rng(peak)
    for _ in range(4):
        machine = made_machine(
            peak, *(peak * rng.uniform([1.2, 0.7, 0.4, 0.2], [2, 1.1, 0.7, 0.4]))
        )
        speeds = peak * rng.uniform([0.01, 0.2, 0.2, 0.5, 0.5], [0.05, 0.8, 0.8, 2.2, 2.2])
        points = made_points(speeds, peak * rng.uniform(0.005, 0.3, 4))
        ax = tw.plots.roofline(machine, points)
        ax.set_title("A title, set later", fontsize=10)
        assert_texts_are_apart(ax)


@pytest.mark.parametrize("scene", SCENES)
def test_no_name_lies_over_another_or_leaves_the_axes(scene):
    machine, (speeds, sgd) = SCENES[scene]
    assert_texts_are_apart(tw.plots.roofline(machine, made_points(speeds, sgd)))


def test_names_of_what_this_machine_does_are_apart():
    X, y, _, _ = tw.data.synthetic(1500, 5, seed=0)
    results = [result for n in (16, 64, 256) for result in strategies(n, repeats=1)]
    points = roofline_points(results, four_runs(X, y, seed=0, repeats=1))
    assert len(points) == 3 * 5 + 4
    assert_texts_are_apart(tw.plots.roofline(tw.machine(), points))


def test_every_series_and_ceiling_is_in_the_legend_once():
    machine, (speeds, sgd) = SCENES["a server"]
    ceilings = ["L1 210 GB/s", "L2 114 GB/s", "L3 74 GB/s", "memory 31 GB/s"]
    assert legend_texts(tw.plots.roofline(machine, made_points(speeds, sgd))) == [
        "FMA float32 117 GFLOP/s",
        *ceilings,
        *STRATEGIES,
        "SGD",
    ]


def test_names_stand_below_their_points_the_fastest_first():
    machine, (speeds, sgd) = SCENES["a server"]
    texts = tw.plots.roofline(machine, made_points(speeds, sgd)).texts
    assert {text.get_position()[0]: text.get_text().split("\n") for text in texts} == {
        1.0: ["batch 1500", "batch 100", "batch 10", "batch 1"],
        32 / 6: ["n = 32"],
        128 / 6: ["n = 128"],
        512 / 6: ["n = 512"],
    }


def test_ceilings_are_bandwidth_times_intensity_up_to_the_peak():
    machine, (speeds, sgd) = SCENES["a server"]
    ax = tw.plots.roofline(machine, made_points(speeds, sgd))
    flat, *slopes = ax.get_lines()[:5]
    for line, bandwidth in zip(slopes, (210, 114, 74, 31), strict=True):
        x, y = line.get_data()
        np.testing.assert_allclose(y, bandwidth * np.array(x))
        assert y[-1] == pytest.approx(117)
    assert set(flat.get_ydata()) == {117}
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_ceilings_are_the_best_that_was_measured():
    machine, (speeds, sgd) = SCENES["a server"]
    busy = Limits(
        *(
            Measured(f.best / 3, f.best / 4, f.best / 2, f.best)
            for f in vars(machine.one_core).values()
        )
    )
    texts = [
        legend_texts(tw.plots.roofline(shown, made_points(speeds, sgd)))
        for shown in (machine, dataclasses.replace(machine, one_core=busy))
    ]
    assert texts[0] == texts[1]


def test_points_are_drawn_where_they_are_in_styles_of_their_own():
    machine, (speeds, sgd) = SCENES["a server"]
    points = made_points(speeds, sgd)
    lines = tw.plots.roofline(machine, points).get_lines()[5:11]
    drawn = [tuple(xy) for line in lines for xy in line.get_xydata()]
    assert drawn == [(point.flops_per_byte, point.gflops) for point in points]
    for style in ("get_color", "get_marker"):
        assert len({getattr(line, style)() for line in lines}) == 6


def test_the_axes_given_are_drawn_on():
    machine, (speeds, sgd) = SCENES["a server"]
    figure = Figure(figsize=(12, 5), layout="constrained")
    ax, other = figure.subplots(1, 2)
    assert tw.plots.roofline(machine, made_points(speeds, sgd), ax) is ax
    assert len(ax.get_legend().get_texts()) == 5 + 6 and not figure.legends
    figure.draw_without_rendering()
    box = ax.get_legend().get_window_extent()
    assert not box.overlaps(ax.bbox) and not box.overlaps(other.get_tightbbox())


def test_no_points_is_an_error():
    with pytest.raises(ValueError, match="points is empty; pass at least one"):
        tw.plots.roofline(SCENES["steep"][0], [])


def test_points_of_products():
    results = [
        StrategyResult("full", 60, "float32", 50.0),
        StrategyResult("full", 60, "float64", 20.0),
        StrategyResult("numpy", 60, "float32", 40.0),
    ]
    single, double = roofline_points(results, [])
    assert single == RooflinePoint("full", "n = 60", 2 * 60**3 / (3 * 60**2 * 4), 50.0)
    assert double.flops_per_byte == single.flops_per_byte / 2


def test_points_of_runs():
    history = tw.History(
        losses=np.array([1.0, 0.5]),
        seconds=np.array([0.0, 2.0]),
        examples=np.array([0, 2000]),
        seconds_per_epoch=1e-6,
        weights=np.zeros(5, np.float32),
        bias=0.0,
        seed=0,
    )
    (point,) = roofline_points([], [Run("batch 10", 10, 0.05, 2, history)])
    assert (point.series, point.name, point.flops_per_byte) == ("SGD", "batch 10", 1.0)
    assert point.gflops == pytest.approx(4 * 1000 * 5 / 1e-6 / 1e9)
