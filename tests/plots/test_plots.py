"""The pictures show the numbers that were measured, and change nothing global."""

import sys

import numpy as np
import pytest

import tilewise as tw
from tilewise import experiments

pytestmark = pytest.mark.once
matplotlib = pytest.importorskip("matplotlib")
plt = pytest.importorskip("matplotlib.pyplot")  # imports matplotlib.figure too


def history(losses, seconds):
    return tw.History(
        losses=np.array(losses),
        seconds=np.array(seconds),
        examples=np.arange(len(losses)),
        seconds_per_epoch=1.0,
        weights=np.zeros(1),
        bias=0.0,
        seed=0,
    )


CURVE = history([3.0, 2.0, 1.0], [1e-5, 1e-4, 1e-3])
RESULTS = [
    experiments.StrategyResult(name, 256, "float32", gflops)
    for name, gflops in [("element", 1.234), ("full", 123.4), ("numpy", 1234.5)]
]
LOOPS = [
    experiments.FrameworkResult(name, strategy, 8, 1, seconds)
    for name in ("tilewise", "NumPy")
    for strategy, seconds in (("element", 1.0), ("full", 1e-6))
]
SWEEP = [
    experiments.SweepResult(batch, rate, loss, seconds)
    for batch, rate, loss, seconds in [
        (1, 0.001, 0.25, 2.5e-5),
        (1, 0.1, 1e30, 12.0),
        (1000, 0.001, 0.0, 1e-7),
        (1000, 0.1, None, None),
    ]
]
EXCESS = [
    experiments.Curve("a", (1, 2, 3), (0.1, 0.0, -1e-9)),
    experiments.Curve("b", (1, 2), (1.0, 0.1)),
]
NOISE = [experiments.NoiseResult(1, 2.0, 2.1), experiments.NoiseResult(1500, 1e-17, 0.0)]
DRAWINGS = {
    "loss_vs_time": lambda ax=None: tw.plots.loss_vs_time({"a": CURVE, "b": CURVE}, ax),
    "strategies": lambda ax=None: tw.plots.strategies(RESULTS, ax),
    "loss_vs_examples": lambda ax=None: tw.plots.loss_vs_examples({"a": CURVE}, ax),
    "size_sweep": lambda ax=None: tw.plots.size_sweep(RESULTS, ax),
    "frameworks": lambda ax=None: tw.plots.frameworks(LOOPS, ax),
    "sweep": lambda ax=None: tw.plots.sweep(SWEEP, ax=ax),
    "sweep of seconds": lambda ax=None: tw.plots.sweep(SWEEP, "seconds", ax),
    "sweep, all diverged": lambda ax=None: tw.plots.sweep(SWEEP[-1:], ax=ax),
    "excess_loss": lambda ax=None: tw.plots.excess_loss(EXCESS, ax),
    "gradient_noise": lambda ax=None: tw.plots.gradient_noise(NOISE, ax),
}


@pytest.fixture(params=DRAWINGS)
def draw(request):
    return DRAWINGS[request.param]


def test_a_new_figure_is_unknown_to_pyplot_and_settings_stay(draw):
    before = dict(matplotlib.rcParams)
    figure = draw().figure
    assert isinstance(figure, matplotlib.figure.Figure)
    assert plt.get_fignums() == []
    assert dict(matplotlib.rcParams) == before


def test_the_axes_given_are_drawn_on_and_returned(draw):
    ax = matplotlib.figure.Figure().subplots()
    assert draw(ax) is ax
    assert ax.get_xlabel()


def test_nothing_lies_outside_the_picture(draw):
    figure = draw().figure
    figure.draw_without_rendering()
    box, page = figure.get_tightbbox(), figure.bbox_inches
    assert box.x0 >= 0 and box.y0 >= 0
    assert box.x1 <= page.x1 and box.y1 <= page.y1


@pytest.mark.parametrize("decades", [0.2, 1, 2, 3, 4, 8])
def test_labels_do_not_overlap(draw, decades):
    check_labels(draw())
    seconds = np.logspace(-6, -6 + decades, 3)
    check_labels(tw.plots.loss_vs_time({"a": history([3.0, 2.0, 1.0], seconds)}))


def check_labels(ax):
    """Compare the boxes of the labels of each axis, and of the texts in the picture."""
    ax.figure.draw_without_rendering()
    for labels in (ax.get_xticklabels(), ax.get_yticklabels(), ax.texts):
        boxes = [label.get_window_extent() for label in labels if label.get_text()]
        boxes = [box for box in boxes if ax.figure.bbox.contains(*box.min)]
        for i, box in enumerate(boxes):
            assert not any(box.overlaps(other) for other in boxes[:i]), labels


ZIGZAG = [1.0, 100.0] * 6  # leaves no place free, wherever a legend would stand
NAMES = ["first", "second, with a longer name", "third", "fourth", "fifth", "sixth"]
CROWDED = {
    "loss_vs_time": lambda ax=None: tw.plots.loss_vs_time(
        {name: history(ZIGZAG, np.logspace(-5, -2, 12)) for name in NAMES}, ax
    ),
    "loss_vs_examples": lambda ax=None: tw.plots.loss_vs_examples(
        {str(i): history(ZIGZAG, np.arange(12.0)) for i in range(20)}, ax
    ),
    "size_sweep": lambda ax=None: tw.plots.size_sweep(
        [
            experiments.StrategyResult(name, 2 ** (i // 2), "float32", gflops)
            for name in NAMES
            for i, gflops in enumerate(ZIGZAG)
        ],
        ax,
    ),
    "frameworks": lambda ax=None: tw.plots.frameworks(
        [
            experiments.FrameworkResult(name, str(i), 8, 1, seconds)
            for name in NAMES
            for i, seconds in enumerate(ZIGZAG)
        ],
        ax,
    ),
    "excess_loss": lambda ax=None: tw.plots.excess_loss(
        [experiments.Curve(name, tuple(range(12)), tuple(ZIGZAG)) for name in NAMES], ax
    ),
    "gradient_noise": lambda ax=None: tw.plots.gradient_noise(
        [experiments.NoiseResult(i + 1, noise, noise) for i, noise in enumerate(ZIGZAG)], ax
    ),
}


def check_legend(ax):
    """Compare the legend below the axes with the axes, their labels, and the figure."""
    ax.figure.draw_without_rendering()
    assert ax.get_legend() is None
    (legend,) = ax.figure.legends
    box = legend.get_window_extent()
    assert [text.get_text() for text in legend.get_texts()] == [
        line.get_label() for line in ax.get_lines()
    ]
    assert not box.overlaps(ax.get_tightbbox())
    assert all(ax.figure.bbox.contains(*corner) for corner in box.corners())
    assert ax.bbox.height > 0.3 * ax.figure.bbox.height, "the curves have their room"


@pytest.mark.parametrize("crowded", CROWDED)
def test_no_legend_covers_a_curve(crowded):
    check_legend(CROWDED[crowded]())


@pytest.mark.parametrize("crowded", CROWDED)
def test_axes_given_have_a_legend_of_their_own_and_keep_their_limits(crowded):
    figure = matplotlib.figure.Figure(layout="constrained")
    top, bottom = figure.subplots(2)
    CROWDED[crowded](top)
    figure.draw_without_rendering()
    assert not figure.legends and bottom.get_legend() is None
    lines = top.get_lines()
    assert len(top.get_legend().get_texts()) == len(lines)
    heights = np.concatenate([line.get_ydata() for line in lines])
    low, high = top.get_ylim()
    assert low <= np.nanmin(heights) and np.nanmax(heights) <= high
    top.plot([1, 2], [1, 1e5])
    assert top.get_ylim()[1] >= 1e5, "limits still follow the curves"


def test_a_curve_without_a_name_has_no_legend():
    ax = tw.plots.loss_vs_time({"": CURVE})
    assert ax.get_legend() is None and not ax.figure.legends


def test_sweep_labels_its_cells():
    texts = [text.get_text() for text in tw.plots.sweep(SWEEP).texts]
    assert texts == ["0.25", "1e+30", "0", "diverged"]
    texts = [text.get_text() for text in tw.plots.sweep(SWEEP, "seconds").texts]
    assert texts == ["25.0 µs", "12.0 s", "100.0 ns", "diverged"]


def test_excess_loss_leaves_out_what_a_log_axis_cannot_show():
    line = tw.plots.excess_loss(EXCESS).get_lines()[0]
    np.testing.assert_array_equal(line.get_ydata(), [0.1, np.nan, np.nan])


def test_gradient_noise_draws_measured_and_theory():
    theory, measured = tw.plots.gradient_noise(NOISE[:1]).get_lines()
    assert (*theory.get_ydata(), *measured.get_ydata()) == (2.1, 2.0)


def test_loss_vs_time_draws_the_records_on_a_log_axis():
    ax = tw.plots.loss_vs_time({"mine": CURVE})
    (line,) = ax.get_lines()
    np.testing.assert_array_equal(line.get_xdata(), CURVE.seconds)
    np.testing.assert_array_equal(line.get_ydata(), CURVE.losses)
    assert ax.get_xscale() == "log"
    assert "seconds" in ax.get_xlabel()
    assert [text.get_text() for text in ax.figure.legends[0].get_texts()] == ["mine"]


def test_loss_vs_time_takes_runs_and_labels_them():
    ax = tw.plots.loss_vs_time(iter([experiments.Run("sgd", 1, 0.005, 2, CURVE)]))
    assert ax.get_lines()[0].get_label() == "sgd: batch size 1, rate 0.005"


def test_loss_vs_time_leaves_out_what_the_axes_cannot_show():
    ax = tw.plots.loss_vs_time({"a": history([4.0, np.inf, np.nan, 1.0], [0.0, 1.0, 2.0, 3.0])})
    assert ax.get_lines()[0].get_xydata().tolist() == [[3.0, 1.0]]


def test_curves_differ_in_colour_line_and_marker():
    lines = tw.plots.loss_vs_time({str(i): CURVE for i in range(4)}).get_lines()
    for style in ("get_color", "get_linestyle", "get_marker"):
        assert len({getattr(line, style)() for line in lines}) == 4


def test_strategies_draws_a_bar_each_from_the_top_and_its_number():
    ax = tw.plots.strategies(RESULTS)
    assert [bar.get_width() for bar in ax.patches] == [1.234, 123.4, 1234.5]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["element", "full", "numpy"]
    assert ax.yaxis_inverted()
    assert [text.get_text() for text in ax.texts] == ["1.23", "123", "1230"]
    assert ax.get_xlabel() == "GFLOP/s"


def test_strategies_gives_numpy_a_colour_of_its_own():
    element, full, numpy = (bar.get_facecolor() for bar in tw.plots.strategies(RESULTS).patches)
    assert element == full != numpy


OF_RESULTS = [name for name in tw.plots.__all__ if name not in ("Animator", "roofline")]


@pytest.mark.parametrize("draw_nothing", [getattr(tw.plots, name) for name in OF_RESULTS])
def test_nothing_to_draw_is_an_error(draw_nothing):
    with pytest.raises(ValueError, match="is empty; pass at least one"):
        draw_nothing([])


def test_missing_matplotlib_names_the_extra(draw, monkeypatch):
    class Hidden:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == "matplotlib":
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(sys, "meta_path", [Hidden, *sys.meta_path])
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ImportError, match=r'pip install "tilewise\[report\]"'):
        draw()
