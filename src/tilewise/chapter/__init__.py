"""The experiments of "Minibatch Stochastic Gradient Descent" (d2l.ai, section 12.5), as data.

Each experiment is one function that measures and returns dataclasses; `tilewise.plots` draws them
and `tilewise.report` lays them out.
"""

from tilewise.chapter.exercises import (
    Curve,
    SweepResult,
    batch_rate_sweep,
    duplicated_data,
    rate_decay,
    replacement,
)
from tilewise.chapter.noise import NoiseResult, gradient_noise
from tilewise.chapter.products import StrategyResult, size_sweep, strategies
from tilewise.chapter.published import PUBLISHED_GFLOPS, PUBLISHED_RUNS
from tilewise.chapter.python_loops import FrameworkResult, frameworks
from tilewise.chapter.runs import Run, concise_form, four_runs
from tilewise.chapter.stability import StepLimit, step_limit

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
