"""Pictures of tilewise.d2l: the book's arguments, and limits that hide no curve."""

import inspect

import pytest

from tilewise import d2l, plots

pytestmark = pytest.mark.once

pytest.importorskip("matplotlib")


def test_plot_takes_a_size_and_keeps_what_was_set(pyplot):
    d2l.set_figsize((6, 3))
    sizes = [d2l.plot([1, 2], figsize=size).figure.get_size_inches() for size in (None, (4, 2))]
    assert [size.tolist() for size in sizes] == [[6, 3], [4, 2]]


def test_a_legend_covers_no_curve(pyplot):
    axes = d2l.plot([[0, 1] * 9, [1, 0] * 9], xlabel="x", legend=["a", "b"])
    axes.figure.draw_without_rendering()
    assert not axes.figure.legends[0].get_window_extent().overlaps(axes.get_tightbbox())
    limits = d2l.plot([1, 2], ylim=[0, 2], legend=["c"], axes=axes).get_ylim()
    assert limits == (0, 2), "of the caller"
    assert "c" in [text.get_text() for text in axes.get_legend().get_texts()]


def test_limits_stay_that_hide_no_curve(pyplot):
    axes = d2l.plot([[], [1]], [[], [2]], xlim=[0, 2], ylim=[1, 3])
    assert (axes.get_xlim(), axes.get_ylim()) == ((0, 2), (1, 3))
    axes = d2l.plot([0, 1], [4, 5], xlim=[2, 3], ylim=[1, 3])
    assert axes.get_xlim()[0] <= 0 and axes.get_ylim()[1] >= 5


def test_there_is_one_animator():
    assert d2l.Animator is plots.Animator


def test_an_animator_leaves_limits_out_while_they_hide_a_curve(pyplot):
    animator = d2l.Animator("x", "y", None, [0, 1], [0.2, 0.3])
    assert (animator.ax.get_xlim(), animator.ax.get_ylim()) == ((0, 1), (0.2, 0.3))
    animator.add(0.5, 3.0)
    assert animator.ax.get_xlim() == (0, 1)
    assert animator.ax.get_ylim()[0] < 3.0 < animator.ax.get_ylim()[1]
    animator.add(0.6, 0.25)
    assert animator.ax.get_ylim() == (0.2, 0.3)
    animator.add(0.7, (0.25, 0.1))
    assert animator.ax.get_ylim()[0] < 0.1, "the second curve is hidden"


@pytest.mark.parametrize(("limits", "kept"), [([0, 1], True), ([1, 0], True), ([2, 3], False)])
def test_limits_that_a_curve_starts_on_stay(limits, kept, pyplot):
    animator = d2l.Animator(xlim=limits, ylim=(0, None))
    animator.add(0, 5.0)
    assert (animator.ax.get_xlim() == tuple(limits)) is kept
    low, high = animator.ax.get_ylim()
    assert low == 0 and high > 5


def test_an_animator_takes_the_arguments_of_the_book_in_its_order(pyplot):
    names = inspect.signature(d2l.Animator).parameters
    book = "xlabel ylabel legend xlim ylim xscale yscale fmts nrows ncols figsize"
    assert list(names) == book.split()
    fmts = ("-", "m--", "g-.", "r:")
    assert [names[n].default for n in ("fmts", "nrows", "ncols", "figsize")] == [
        fmts,
        1,
        1,
        (3.5, 2.5),
    ]
    animator = d2l.Animator("x", "y", ["a"], [0, 9], [1, 9], "linear", "log", ("r:",), 2, 3, (9, 5))
    animator.add([1, 2], [3, 4])
    assert len(animator.axes) == 6 and animator.axes[0] is animator.ax
    assert [len(ax.lines) for ax in animator.axes] == [2, 0, 0, 0, 0, 0]
    assert animator.ax.get_yscale() == "log"
    assert animator.fig.get_size_inches().tolist() == [9, 5]
    rows = {ax.get_subplotspec().rowspan.start for ax in animator.axes[:3]}
    assert rows == {0}
    assert len(d2l.Animator().axes) == 1
