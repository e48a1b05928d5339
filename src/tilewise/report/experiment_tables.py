"""Results of the further experiments as tables."""

from collections.abc import Sequence
from dataclasses import replace

from tilewise._format import duration, three_digits
from tilewise.experiments.exercises import Curve, SweepResult
from tilewise.experiments.noise import NoiseResult
from tilewise.experiments.products import StrategyResult
from tilewise.experiments.published import PUBLISHED_GFLOPS
from tilewise.experiments.python_loops import FrameworkResult
from tilewise.experiments.roofline import RooflinePoint
from tilewise.experiments.runs import Run
from tilewise.report.tables import Table, of_runs

__all__ = [
    "of_concise_form",
    "of_curves",
    "of_frameworks",
    "of_noise",
    "of_points",
    "of_sizes",
    "of_sweep",
]


def of_sizes(results: Sequence[StrategyResult]) -> Table:
    """Return the table of the strategies at several sizes."""
    speeds = {(result.n, result.name): three_digits(result.gflops) for result in results}
    names = list(dict.fromkeys(result.name for result in results))
    return Table(
        "Strategies by size",
        ["n", *names],
        [
            [str(n), *(speeds[n, name] for name in names)]
            for n in dict.fromkeys(result.n for result in results)
        ],
        "GFLOP/s of the product of two n x n matrices in float32, on one thread.",
    )


def of_points(points: Sequence[RooflinePoint]) -> Table:
    """Return the table of the points of the roofline."""
    return Table(
        "Points of the roofline",
        ["what", "on", "flop / byte", "GFLOP/s"],
        [
            [
                point.series,
                point.name,
                three_digits(point.flops_per_byte),
                three_digits(point.gflops),
            ]
            for point in points
        ],
        "Operations over the bytes that must be moved at least: those of three matrices, or of the "
        "features of all rows once an epoch.",
        names=2,
    )


def of_frameworks(results: Sequence[FrameworkResult]) -> Table:
    """Return the table of the loops in Python, beside what d2l.ai prints of MXNet."""
    published = PUBLISHED_GFLOPS["MXNet"]
    speeds = {(r.framework, r.strategy): three_digits(r.gflops) for r in results}
    frameworks = dict.fromkeys(result.framework for result in results)
    strategies = list(dict.fromkeys(result.strategy for result in results))
    return Table(
        "Loops in Python",
        ["framework", *strategies],
        [
            *([name, *(speeds[name, strategy] for strategy in strategies)] for name in frameworks),
            ["MXNet*", *(published[strategy] for strategy in strategies)],
        ],
        f"GFLOP/s of the product of two {results[0].n} x {results[0].n} matrices in float32; the "
        "loop of tilewise is in C++. In Python a block has a quarter of the rows and of the "
        "columns. * As printed in d2l.ai, section 12.5, for n = 256 on another machine.",
    )


def of_concise_form(runs: Sequence[Run]) -> Table:
    """Return the table of the run from scratch and of the concise one."""
    caption = "The loss is half the mean squared error, at the end. Each ran once."
    return replace(of_runs(runs), title="From scratch and concise", caption=caption)


def of_sweep(results: Sequence[SweepResult]) -> Table:
    """Return the table of batch sizes and learning rates."""
    return Table(
        "Batch size and learning rate",
        ["batch", "rate", "loss", "time"],
        [
            [
                str(result.batch_size),
                f"{result.learning_rate:g}",
                "diverged" if result.loss is None else f"{result.loss:.4g}",
                "-" if result.seconds is None else duration(result.seconds),
            ]
            for result in results
        ],
        "The loss is half the mean squared error, at the end. Each ran once.",
        names=2,
    )


def of_curves(title: str, curves: Sequence[Curve]) -> Table:
    """Return the table of curves, a row an epoch."""
    return Table(
        title,
        ["epoch", *(curve.name for curve in curves)],
        [
            [str(epoch), *(f"{curve.excess_losses[i]:.3g}" for curve in curves)]
            for i, epoch in enumerate(curves[0].epochs)
        ],
        "Loss above that of the least squares solution after each epoch, averaged over seeds.",
    )


def of_noise(results: Sequence[NoiseResult]) -> Table:
    """Return the table of the gradient's noise."""
    return Table(
        "Noise of the gradient",
        ["batch", "measured", "theory"],
        [[str(r.batch_size), f"{r.measured:.3g}", f"{r.theory:.3g}"] for r in results],
        "Root mean square distance of a minibatch's gradient from that of all rows, at w = 0, "
        "b = 0. The theory is sigma / sqrt(b) * sqrt((n - b) / (n - 1)).",
    )
