"""Pictures of what was measured.

Each function takes ``ax=None``, draws and returns the Axes. Without `ax` it makes a new figure
that pyplot does not know, so nothing global changes: ``ax.figure.savefig("picture.png")``.
"""

from tilewise.plots.animator import Animator
from tilewise.plots.exercises import excess_loss, gradient_noise, sweep
from tilewise.plots.products import frameworks, size_sweep, strategies
from tilewise.plots.roofline_model import roofline
from tilewise.plots.training import loss_vs_examples, loss_vs_time

__all__ = [
    "Animator",
    "excess_loss",
    "frameworks",
    "gradient_noise",
    "loss_vs_examples",
    "loss_vs_time",
    "roofline",
    "size_sweep",
    "strategies",
    "sweep",
]
