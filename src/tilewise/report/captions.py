"""What to see in each picture: sentences that hold for whatever was measured."""

from collections.abc import Sequence

import numpy as np

from tilewise._format import duration, three_digits
from tilewise.experiments.exercises import Curve, SweepResult
from tilewise.experiments.noise import NoiseResult
from tilewise.experiments.products import StrategyResult
from tilewise.experiments.python_loops import FrameworkResult
from tilewise.experiments.roofline import RooflinePoint
from tilewise.experiments.runs import Run
from tilewise.hardware.measured import Machine

__all__ = [
    "of_curves",
    "of_examples",
    "of_frameworks",
    "of_losses",
    "of_noise",
    "of_roofline",
    "of_seconds",
    "of_sizes",
    "of_strategies",
    "of_time",
]

_SHADES = "Cells grow lighter up to ten times the least, and no further."


def of_time(runs: Sequence[Run]) -> str:
    """Compare the slowest epoch with the fastest."""
    fast = min(runs, key=lambda run: run.seconds_per_epoch)
    slow = max(runs, key=lambda run: run.seconds_per_epoch)
    return (
        "Lower is better, and further left is sooner. An epoch of "
        f"{slow.name} took {duration(slow.seconds_per_epoch)}, the longest, and one of "
        f"{fast.name} {duration(fast.seconds_per_epoch)}, the shortest."
    )


def of_examples(runs: Sequence[Run], rows: int) -> str:
    """Compare the runs when each has seen all rows once, or as soon after as its loss is known."""
    losses, found = {}, []
    for run in runs:
        record = int(np.searchsorted(run.history.examples, rows))
        losses[run.name] = loss = float(run.history.losses[record])
        found.append(f"{run.name} {loss:.4f} ({run.history.examples[record]} rows)")
    lowest = min(losses, key=lambda name: losses[name])
    return (
        "Here the cost of a step does not count, only the rows it reads. The first loss of each at "
        f"or after {rows} rows: {'; '.join(found)}. The lowest is that of {lowest}."
    )


def of_strategies(results: Sequence[StrategyResult]) -> str:
    """Compare the fastest with the slowest."""
    fast = max(results, key=lambda result: result.gflops)
    slow = min(results, key=lambda result: result.gflops)
    return (
        "All do the same arithmetic in another order. The fastest was "
        f"{fast.name} with {three_digits(fast.gflops)} GFLOP/s, the slowest {slow.name} with "
        f"{three_digits(slow.gflops)}."
    )


def of_sizes(results: Sequence[StrategyResult]) -> str:
    """Give the size at which each strategy was fastest."""
    peaks: dict[str, StrategyResult] = {}
    for result in results:
        if result.name not in peaks or result.gflops > peaks[result.name].gflops:
            peaks[result.name] = result
    found = ", ".join(f"{name} at n = {result.n}" for name, result in peaks.items())
    return f"Each line against itself shows what size costs. Of these sizes, fastest were {found}."


def of_frameworks(results: Sequence[FrameworkResult]) -> str:
    """Give what an element costs in each framework."""
    costs = [
        f"{result.framework} {three_digits(result.seconds / result.n**2 * 1e6)}"
        for result in results
        if result.strategy == "element"
    ]
    kibibytes = 3 * 4 * results[0].n ** 2 / 1024
    return (
        f"The three matrices take {kibibytes:g} KiB together; tilewise loops in C++, the others in "
        f"Python. Microseconds for one element, element by element: {'; '.join(costs)}."
    )


def of_losses(results: Sequence[SweepResult]) -> str:
    """Name the best of the runs, and count those that diverged."""
    finished = [result for result in results if result.loss is not None]
    diverged = f"{len(results) - len(finished)} of {len(results)} runs diverged."
    if not finished:
        return diverged
    best = min(finished, key=lambda result: result.loss or 0.0)
    return (
        f"The lowest loss, {best.loss:.4g}, is that of batch size {best.batch_size} with rate "
        f"{best.learning_rate:g}; {diverged} {_SHADES}"
    )


def of_seconds(results: Sequence[SweepResult]) -> str:
    """Give the shortest and the longest time."""
    times = [result for result in results if result.seconds is not None]
    if not times:
        return "No run came to its end."
    fast = min(times, key=lambda result: result.seconds or 0.0)
    slow = max(times, key=lambda result: result.seconds or 0.0)
    return (
        f"The shortest run, {duration(fast.seconds or 0.0)}, had batch size "
        f"{fast.batch_size}; the longest, {duration(slow.seconds or 0.0)}, had batch size "
        f"{slow.batch_size}. {_SHADES}"
    )


def of_curves(curves: Sequence[Curve]) -> str:
    """Give the excess loss of each curve at the end."""
    ends = "; ".join(f"{curve.name} {curve.excess_losses[-1]:.3g}" for curve in curves)
    return f"Loss above the least possible after epoch {curves[0].epochs[-1]}: {ends}."


def of_noise(results: Sequence[NoiseResult]) -> str:
    """Give the ends of the curve and the largest distance from the theory."""
    first, last = results[0], results[-1]
    away = max((abs(r.measured / r.theory - 1) for r in results if r.theory > 0), default=0.0)
    return (
        f"The noise was {first.measured:.3g} at batch size {first.batch_size} and "
        f"{last.measured:.3g} at {last.batch_size}. Measured and theory differ by at most "
        f"{100 * away:.2g} %."
    )


def of_roofline(machine: Machine, points: Sequence[RooflinePoint]) -> str:
    """Compare the fastest point with the multiply-add units, and name what no line allows."""
    best = {name: figure.best for name, figure in vars(machine.one_core).items()}
    peak = best["fma_float32"]
    steepest = max(rate for name, rate in best.items() if name.startswith("read_"))
    fast = max(points, key=lambda point: point.gflops)
    above = [
        f"{point.series} at {point.name}"
        for point in points
        if point.gflops > min(peak, steepest * point.flops_per_byte)
    ]
    warning = (
        f" Above the lines: {'; '.join(above)}. The machine was busy when the lines were measured, "
        "or its clock slower; run the report again alone."
    )
    return (
        "The flat line is the most that multiply-adds alone have reached on one core, the sloping "
        "ones the most that reading alone has, from each cache and from memory. The fastest point, "
        f"{fast.series} at {fast.name}, has {100 * fast.gflops / peak:.0f} % of the "
        f"{three_digits(peak)} GFLOP/s of the flat line, which the line of the memory meets at "
        f"{three_digits(peak / best['read_memory'])} operations a byte."
        f"{warning if above else ''}"
    )
