"""The roofline picture: its ceilings and points are the numbers, and no label lies over another."""

import dataclasses
import itertools

import numpy as np
import pytest

import tilewise as tw
from tilewise.experiments import Run, StrategyResult, four_runs, strategies
from tilewise.experiments.roofline import RooflinePoint, roofline_points
from tilewise.hardware.limits import Limits, Measured
from tilewise.hardware.measured import Machine
from tilewise.plots.labels import Label, place

pytestmark = pytest.mark.once
FigureCanvasAgg = pytest.importorskip("matplotlib.backends.backend_agg").FigureCanvasAgg
Figure = pytest.importorskip("matplotlib.figure").Figure
Text = pytest.importorskip("matplotlib.text").Text

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


def label_boxes(ax):
    FigureCanvasAgg(ax.figure).draw()
    return {text.get_text(): Text.get_window_extent(text) for text in ax.texts}


def assert_labels_are_apart(ax):
    boxes = label_boxes(ax)
    for (a, box), (b, other) in itertools.combinations(boxes.items(), 2):
        assert not box.overlaps(other), (a, b)
    for name, box in boxes.items():
        assert box.x0 >= ax.bbox.x0 and box.x1 <= ax.bbox.x1, name
        assert box.y0 >= ax.bbox.y0 and box.y1 <= ax.bbox.y1, name


def assert_no_line_crosses_a_label(ax):
    boxes = label_boxes(ax)
    for text in ax.texts:
        line = text.arrow_patch.get_path().interpolated(50).vertices
        line = text.arrow_patch.get_transform().transform(line)
        for name, box in boxes.items():
            if name != text.get_text():
                assert not any(box.contains(*point) for point in line), (text.get_text(), name)


def assert_no_label_lies_on_a_line(ax):
    boxes = label_boxes(ax)
    for line in ax.get_lines():
        path = line.get_transform().transform_path(line.get_path())
        for name, box in boxes.items():
            assert not path.intersects_bbox(box, filled=False), name


@pytest.mark.parametrize("peak", [49, 117, 400])
def test_no_line_runs_through_a_label_however_high_the_ceiling(peak):
    rng = np.random.default_rng(peak)
    for _ in range(4):
        machine = made_machine(
            peak, *(peak * rng.uniform([1.2, 0.7, 0.4, 0.2], [2, 1.1, 0.7, 0.4]))
        )
        speeds = peak * rng.uniform([0.01, 0.2, 0.2, 0.5, 0.5], [0.05, 0.8, 0.8, 2.2, 2.2])
        points = made_points(speeds, peak * rng.uniform(0.02, 0.3, 4))
        ax = tw.plots.roofline(machine, points)
        ax.set_title("A title, set later", fontsize=10)
        assert_labels_are_apart(ax)
        assert_no_label_lies_on_a_line(ax)
        assert_no_line_crosses_a_label(ax)


def test_the_line_to_a_label_goes_round_the_lines_of_the_picture():
    ax = Figure((4, 4), dpi=72).add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 288), ylim=(0, 288))  # points
    ax.plot([134, 134, 154, 154], [132, 154, 154, 132])  # round the anchor, open below
    place([Label("a wide label", "black", [(144, 144)])], ax)
    across, up = ax.texts[0].xyann
    assert across == 0 and up < 0


@pytest.mark.parametrize("scene", SCENES)
def test_no_label_lies_over_another_or_leaves_the_axes(scene):
    machine, (speeds, sgd) = SCENES[scene]
    ax = tw.plots.roofline(machine, made_points(speeds, sgd))
    assert_labels_are_apart(ax)
    assert_no_label_lies_on_a_line(ax)
    if scene != "all speeds alike":  # too many names beside one point
        assert_no_line_crosses_a_label(ax)


def test_labels_of_what_this_machine_does_are_apart():
    X, y, _, _ = tw.data.synthetic(1500, 5, seed=0)
    results = [result for n in (16, 64, 256) for result in strategies(n, repeats=1)]
    points = roofline_points(results, four_runs(X, y, seed=0, repeats=1))
    assert len(points) == 3 * 5 + 4
    ax = tw.plots.roofline(tw.machine(), points)
    assert_labels_are_apart(ax)
    assert_no_line_crosses_a_label(ax)


def test_every_series_name_and_ceiling_is_labelled_once():
    machine, (speeds, sgd) = SCENES["a server"]
    texts = [text.get_text() for text in tw.plots.roofline(machine, made_points(speeds, sgd)).texts]
    ceilings = ["L1 210 GB/s", "L2 114 GB/s", "L3 74 GB/s", "memory 31 GB/s"]
    names = ["n = 32", "n = 128", "n = 512", "batch 1500", "batch 1", "batch 100", "batch 10"]
    wanted = [*ceilings, "FMA float32 117 GFLOP/s", *STRATEGIES, "SGD", *names]
    assert sorted(texts) == sorted(wanted)


def test_ceilings_are_bandwidth_times_intensity_up_to_the_peak():
    machine, (speeds, sgd) = SCENES["a server"]
    ax = tw.plots.roofline(machine, made_points(speeds, sgd))
    *slopes, flat = ax.get_lines()[:5]
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
        [text.get_text() for text in tw.plots.roofline(shown, made_points(speeds, sgd)).texts]
        for shown in (machine, dataclasses.replace(machine, one_core=busy))
    ]
    assert texts[0] == texts[1]


def test_points_are_drawn_where_they_are_in_styles_of_their_own():
    machine, (speeds, sgd) = SCENES["a server"]
    points = made_points(speeds, sgd)
    lines = tw.plots.roofline(machine, points).get_lines()[5:]
    drawn = [tuple(xy) for line in lines for xy in line.get_xydata()]
    assert drawn == [(point.flops_per_byte, point.gflops) for point in points]
    for style in ("get_color", "get_marker"):
        assert len({getattr(line, style)() for line in lines}) == 6


def test_the_axes_given_are_drawn_on_and_the_picture_is_the_same_again():
    machine, (speeds, sgd) = SCENES["a server"]
    figures = [Figure(figsize=(12, 5)) for _ in range(2)]
    axes = [figure.subplots(1, 2)[1] for figure in figures]
    for ax in axes:
        assert tw.plots.roofline(machine, made_points(speeds, sgd), ax) is ax
    first, second = ([text.xyann for text in ax.texts] for ax in axes)
    assert first == second


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
