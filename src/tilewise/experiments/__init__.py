"""The experiments of "Minibatch Stochastic Gradient Descent" (d2l.ai, section 12.5), as data.

Each experiment is one function that measures and returns dataclasses; `tilewise.plots` draws them
and `tilewise.report` lays them out.
"""

from tilewise.experiments.exercises import (
    Curve,
    SweepResult,
    batch_rate_sweep,
    duplicated_data,
    rate_decay,
    replacement,
)
from tilewise.experiments.noise import NoiseResult, gradient_noise
from tilewise.experiments.products import StrategyResult, size_sweep, strategies
from tilewise.experiments.published import PUBLISHED_GFLOPS, PUBLISHED_RUNS
from tilewise.experiments.python_loops import FrameworkResult, frameworks
from tilewise.experiments.runs import Run, concise_form, four_runs
from tilewise.experiments.stability import StepLimit, step_limit

__all__ = [
    "PUBLISHED_GFLOPS",
    "PUBLISHED_RUNS",
    "Curve",
    "FrameworkResult",
    "NoiseResult",
    "Run",
    "StepLimit",
    "StrategyResult",
    "SweepResult",
    "batch_rate_sweep",
    "concise_form",
    "duplicated_data",
    "four_runs",
    "frameworks",
    "gradient_noise",
    "rate_decay",
    "replacement",
    "size_sweep",
    "step_limit",
    "strategies",
]
