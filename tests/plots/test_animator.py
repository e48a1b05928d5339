"""The plot that grows: in a script. tests/test_notebook.py has it in a notebook."""

import numpy as np
import pytest

import tilewise as tw

pytestmark = pytest.mark.once

pytest.importorskip("matplotlib")


def test_animator_in_a_script_without_windows(pyplot):
    animator = tw.plots.Animator(yscale="log")
    animator.add([1, 2], [3, 4])
    animator.add([2, 3], [5, 6])
    assert animator.X == [[1, 2], [2, 3]]
    assert [line.get_ydata() for line in animator.ax.lines] == [[3, 5], [4, 6]]
    assert not pyplot.get_fignums()
    with pytest.raises(ValueError, match="x has 3 numbers and y 2"):
        animator.add([1, 2, 3], [2, 3])
    with pytest.raises(TypeError, match="y='high' is not a number"):
        animator.add(1, "high")


def test_animator_takes_numbers_of_any_library_and_skips_none(pyplot):
    animator = tw.plots.Animator(legend=["train", "test"])
    animator.extend([(0, (1, 2)), (np.array(1), (np.float32(3), None)), (2, np.array([5, 6]))])
    assert (animator.X, animator.Y) == ([[0, 1, 2], [0, 2]], [[1, 3, 5], [2, 6]])
    animator.add(3, np.array(7.0))
    assert animator.Y[0][-1] == 7.0


def test_the_legend_of_an_animator_covers_no_curve(pyplot):
    animator = tw.plots.Animator("epoch", legend=["train", "validation", "test"])
    animator.extend([(i, [i % 2, (i + 1) % 2, 0.5]) for i in range(20)])
    animator.fig.draw_without_rendering()
    (legend,) = animator.fig.legends
    assert [text.get_text() for text in legend.get_texts()] == ["train", "validation", "test"]
    box = legend.get_window_extent()
    assert not box.overlaps(animator.ax.get_tightbbox())
    assert all(animator.fig.bbox.contains(*corner) for corner in box.corners())


def test_animator_shows_a_window_once_and_draws_until_it_is_closed(monkeypatch, pyplot):
    from matplotlib.backend_bases import FigureCanvasBase

    events = []
    monkeypatch.setattr(FigureCanvasBase, "required_interactive_framework", "tk")
    monkeypatch.setattr("matplotlib.figure.Figure.show", lambda self: events.append("show"))
    monkeypatch.setattr(FigureCanvasBase, "draw_idle", lambda self: events.append("draw"))
    monkeypatch.setattr(FigureCanvasBase, "flush_events", lambda self: None)
    animator = tw.plots.Animator()
    animator.add(1, 1)
    animator.add(2, 2)
    animator.fig.canvas.callbacks.process("close_event", None)  # as a window does
    animator.add(3, 3)
    assert events == ["show", "draw", "draw"]
    assert animator.Y == [[1, 2, 3]]
