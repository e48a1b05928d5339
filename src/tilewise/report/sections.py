"""The sections of the page in their order: a title, a picture, what to see in it, a table each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import numpy as np

from tilewise import plots
from tilewise._format import duration, three_digits
from tilewise.experiments.exercises import Curve
from tilewise.experiments.published import PUBLISHED_GFLOPS, PUBLISHED_RUNS
from tilewise.experiments.runs import Run
from tilewise.experiments.stability import StepLimit
from tilewise.report.results import Results
from tilewise.report.table import Table

_DATA = "Airfoil self-noise data"
_SHADES = "Cells grow lighter up to ten times the least, and no further."


@dataclass(frozen=True)
class Section:
    """A picture with what to see in it, and the table of its numbers."""

    title: str
    draw: Callable[[], Any]  # returns the Axes
    picture_title: str
    caption: str  # a sentence that holds for whatever was measured
    table: Table | None = None
    published: Table | None = None  # what d2l.ai prints, where it has a table of its own
    names: Mapping[str, str] = field(default_factory=dict)  # what names in them stand for
    text: str = ""  # what else to know before the picture


def loss_vs_time(results: Results) -> Section:
    """Return the section of the four runs over time, beside what d2l.ai prints."""
    published = [
        [framework, name, *figures]
        for framework, runs in PUBLISHED_RUNS.items()
        for name, figures in runs.items()
    ]
    return Section(
        title="Training runs: loss against time",
        names={
            "gd": "gradient descent: a step uses all rows, so an epoch is one step",
            "sgd": "stochastic gradient descent: a step uses one row",
            "batch 100": "minibatches: a step uses 100 rows, and averages their gradients",
            "batch 10": "the same with 10 rows",
        },
        text=_step_sentences(results.runs[0], results.step_limit),
        draw=lambda: plots.loss_vs_time(results.runs),
        picture_title=_DATA,
        caption=_slowest_and_fastest(results.runs),
        table=_of_runs(
            "Training runs",
            results.runs,
            "The loss is half the mean squared error, at the end. The time is that of the training "
            "alone, without evaluating the loss: the median of warm repetitions.",
        ),
        published=Table(
            "The same runs as published",
            ["framework", "run", "loss", "s / epoch"],
            published,
            "As printed in d2l.ai, section 12.5: the airfoil data on another machine, each run "
            "once.",
            names=2,
        ),
    )


def loss_vs_examples(results: Results) -> Section:
    """Return the section that compares the runs when each has seen all rows once, or soon after."""
    runs, rows = results.runs, results.shape[0]
    losses, found = {}, []
    for run in runs:
        record = int(np.searchsorted(run.history.examples, rows))
        losses[run.name] = loss = float(run.history.losses[record])
        found.append(f"{run.name} {loss:.4f} ({run.history.examples[record]} rows)")
    return Section(
        title="Loss against rows seen",
        draw=lambda: plots.loss_vs_examples(runs),
        picture_title=_DATA,
        caption="Here the cost of a step does not count, only the rows it reads. The first loss of "
        f"each at or after {rows} rows: {'; '.join(found)}. The lowest is that of "
        f"{min(losses, key=lambda name: losses[name])}.",
    )


def concise_form(results: Results) -> Section:
    """Return the section of the run from scratch and of the concise one."""
    runs = results.concise_form
    caption = "The loss is half the mean squared error, at the end. Each ran once."
    return Section(
        title="From scratch and concise",
        names={
            "from scratch": "each step written out in Python, with NumPy",
            "concise": "the same steps by tilewise.Trainer, whose loop is in C++",
        },
        draw=lambda: plots.loss_vs_time(runs),
        picture_title=_DATA,
        caption=_slowest_and_fastest(runs),
        table=_of_runs("From scratch and concise", runs, caption),
    )


def strategies(results: Results) -> Section:
    """Return the section of the strategies at one size, beside what d2l.ai prints."""
    measured = results.strategies
    slow, fast = (end(measured, key=attrgetter("gflops")) for end in (min, max))
    n = fast.n
    title = f"Product of two {n} x {n} matrices, {fast.dtype}, in GFLOP/s"
    columns = {
        "strategy": [result.name for result in measured],
        "here": [three_digits(result.gflops) for result in measured],
    }
    for framework, published in PUBLISHED_GFLOPS.items():
        columns[f"{framework}*"] = [published.get(result.name, "-") for result in measured]
    return Section(
        title="Ways to compute a matrix product",
        names={
            "element": "one element of the product at a time: a row of the first matrix times a "
            "column of the second, whose numbers lie far apart in memory",
            "row": "one row at a time: a row of the first matrix times all of the second",
            "column": "one column at a time: all of the first matrix times a column of the second",
            "block": "some columns at a time, in tiles that stay in the registers",
            "full": "tiles, from blocks that stay in the caches: what tilewise.matmul does unless "
            "told otherwise",
            "numpy": "numpy.matmul, as NumPy is installed here",
        },
        draw=lambda: plots.strategies(measured),
        picture_title=title,
        caption="All do the same arithmetic in another order. The fastest was "
        f"{fast.name} with {three_digits(fast.gflops)} GFLOP/s, the slowest {slow.name} with "
        f"{three_digits(slow.gflops)}.",
        table=_of_columns(
            title,
            columns,
            f"Here: 2 n^3 = {2 * n**3:,} operations over the median time, all on one thread; "
            "NumPy is as installed. * As printed in d2l.ai, section 12.5, which divides 0.03 "
            "GFLOP by the time where the true count for n = 256 is 0.03355, on another "
            "machine.",
        ),
    )


def size_sweep(results: Results) -> Section:
    """Return the section of the strategies at several sizes, with the best size of each."""
    sweep = results.size_sweep
    columns = {"n": [str(n) for n in dict.fromkeys(result.n for result in sweep)]}
    found = []
    for name in dict.fromkeys(result.name for result in sweep):
        own = [result for result in sweep if result.name == name]
        columns[name] = [three_digits(result.gflops) for result in own]
        found.append(f"{name} at n = {max(own, key=attrgetter('gflops')).n}")
    return Section(
        title="The same at several sizes",
        draw=lambda: plots.size_sweep(sweep),
        picture_title="Product of two n x n matrices, float32",
        caption="Each line against itself shows what size costs. Of these sizes, fastest were "
        f"{', '.join(found)}.",
        table=_of_columns(
            "Strategies by size",
            columns,
            "GFLOP/s of the product of two n x n matrices in float32, on one thread.",
        ),
    )


def roofline(results: Results) -> Section:
    """Return the section of the fastest points beside the limits, with what no limit allows."""
    machine, points = results.limits, results.roofline
    best = {name: figure.best for name, figure in vars(machine.one_core).items()}
    peak = best["fma_float32"]
    steepest = max(rate for name, rate in best.items() if name.startswith("read_"))
    fast = max(points, key=attrgetter("gflops"))
    above = [
        f"{point.series} at {point.name}"
        for point in points
        if point.gflops > min(peak, steepest * point.flops_per_byte)
    ]
    warning = (
        f" Above the lines: {'; '.join(above)}. The machine was busy when the lines were measured, "
        "or its clock slower; run the report again alone."
    )
    columns = {
        "what": [point.series for point in points],
        "on": [point.name for point in points],
        "flop / byte": [three_digits(point.flops_per_byte) for point in points],
        "GFLOP/s": [three_digits(point.gflops) for point in points],
    }
    return Section(
        title="What the machine allows",
        draw=lambda: plots.roofline(machine, points),
        picture_title="One core, float32",
        caption="The flat line is the most that multiply-adds alone have reached on one core, the "
        "sloping ones the most that reading alone has, from each cache and from memory. Where "
        "several names stand below one another, the fastest is at the top. The fastest point, "
        f"{fast.series} at {fast.name}, has {100 * fast.gflops / peak:.0f} % of the "
        f"{three_digits(peak)} GFLOP/s of the flat line, which the line of the memory meets at "
        f"{three_digits(peak / best['read_memory'])} operations a byte.{warning if above else ''}",
        table=_of_columns(
            "Points of the roofline",
            columns,
            "Operations over the bytes that must be moved at least: those of three matrices, "
            "or of the features of all rows once an epoch.",
            names=2,
        ),
    )


def frameworks(results: Results) -> Section:
    """Return the section of the loops in Python, with what an element costs in each framework."""
    loops, published = results.frameworks, PUBLISHED_GFLOPS["MXNet"]
    n = loops[0].n
    costs = [
        f"{loop.framework} {three_digits(loop.seconds / n**2 * 1e6)}"
        for loop in loops
        if loop.strategy == "element"
    ]
    columns = {"framework": [*dict.fromkeys(loop.framework for loop in loops), "MXNet*"]}
    for way in dict.fromkeys(loop.strategy for loop in loops):
        speeds = [three_digits(loop.gflops) for loop in loops if loop.strategy == way]
        columns[way] = [*speeds, published[way]]
    return Section(
        title="The same as loops in Python",
        draw=lambda: plots.frameworks(loops),
        picture_title=f"Product of two {n} x {n} matrices, float32",
        caption=f"The three matrices take {3 * 4 * n**2 / 1024:g} KiB together; tilewise loops in "
        "C++, the others in Python. Microseconds for one element, element by element: "
        f"{'; '.join(costs)}.",
        table=_of_columns(
            "Loops in Python",
            columns,
            f"GFLOP/s of the product of two {n} x {n} matrices in float32; the loop of "
            "tilewise is in C++. In Python a block has a quarter of the rows and of the "
            "columns. * As printed in d2l.ai, section 12.5, for n = 256 on another machine.",
        ),
    )


def sweep_loss(results: Results) -> Section:
    """Return the section of the losses by batch size and rate, with the best run."""
    runs = results.batch_rate_sweep
    finished = [run for run in runs if run.loss is not None]
    caption = f"{len(runs) - len(finished)} of {len(runs)} runs diverged."
    if finished:
        best = min(finished, key=attrgetter("loss"))
        caption = (
            f"The lowest loss, {best.loss:.4g}, is that of batch size {best.batch_size} with rate "
            f"{best.learning_rate:g}; {caption} {_SHADES}"
        )
    return Section(
        title="Batch size and learning rate",
        text="Each cell is a run of two epochs from the same initial weights. A larger batch takes "
        "fewer steps in an epoch and can bear a larger learning rate; a rate that is too large "
        "makes the loss grow without end, and the run diverges.",
        draw=lambda: plots.sweep(runs, "loss"),
        picture_title="Loss at the end",
        caption=caption,
    )


def sweep_seconds(results: Results) -> Section:
    """Return the section of the times by batch size and rate, with the shortest and the longest."""
    runs = results.batch_rate_sweep
    times = [(run.seconds, run) for run in runs if run.seconds is not None]
    caption = "No run came to its end."
    if times:
        (short, fast), (long, slow) = (end(times, key=lambda time: time[0]) for end in (min, max))
        caption = (
            f"The shortest run, {duration(short)}, had batch size {fast.batch_size}; the longest, "
            f"{duration(long)}, had batch size {slow.batch_size}. {_SHADES}"
        )
    columns = {
        "batch": [str(run.batch_size) for run in runs],
        "rate": [f"{run.learning_rate:g}" for run in runs],
        "loss": ["diverged" if run.loss is None else f"{run.loss:.4g}" for run in runs],
        "time": ["-" if run.seconds is None else duration(run.seconds) for run in runs],
    }
    return Section(
        title="What the batch sizes cost",
        draw=lambda: plots.sweep(runs, "seconds"),
        picture_title="Training time",
        caption=caption,
        table=_of_columns(
            "Batch size and learning rate",
            columns,
            "The loss is half the mean squared error, at the end. Each ran once.",
            names=2,
        ),
    )


def rate_decay(results: Results) -> Section:
    """Return the section of a constant rate and one that is divided by ten."""
    names = {
        "constant rate": "batches of 10 rows with learning rate 0.05 throughout",
        "divided by ten": "the same, but each epoch has a tenth of the rate of the epoch before",
    }
    return _of_curves("Rate divided by ten after each epoch", results.rate_decay, names)


def replacement(results: Results) -> Section:
    """Return the section of rows drawn without and with replacement."""
    names = {
        "without replacement": "an epoch uses each row once, in random order",
        "with replacement": "each batch draws its rows from all of them, so an epoch may use some "
        "rows several times and others not at all",
    }
    return _of_curves("With and without replacement", results.replacement, names)


def duplicated_data(results: Results) -> Section:
    """Return the section of data in which each row stands twice."""
    names = {
        "gd": "gradient descent with learning rate 0.5 on the rows as they are: one step an epoch",
        "gd, rows twice": "on data in which each row stands twice: still one step an epoch, along "
        "the same mean gradient",
        "batch 10": "batches of 10 rows with learning rate 0.05",
        "batch 10, rows twice": "the same where each row stands twice: an epoch has twice the "
        "steps",
    }
    return _of_curves("Each row twice", results.duplicated_data, names)


def _of_curves(title: str, curves: Sequence[Curve], names: Mapping[str, str]) -> Section:
    epochs = curves[0].epochs
    ends = "; ".join(f"{curve.name} {curve.excess_losses[-1]:.3g}" for curve in curves)
    columns = {"epoch": [str(epoch) for epoch in epochs]}
    columns |= {curve.name: [f"{loss:.3g}" for loss in curve.excess_losses] for curve in curves}
    caption = "Loss above that of the least squares solution after each epoch, averaged over seeds."
    return Section(
        title=title,
        names=names,
        draw=lambda: plots.excess_loss(curves),
        picture_title=title,
        caption=f"Loss above the least possible after epoch {epochs[-1]}: {ends}.",
        table=_of_columns(title, columns, caption),
    )


def gradient_noise(results: Results) -> Section:
    """Return the section of the gradient's noise, with the largest distance from the theory."""
    noise = results.gradient_noise
    first, last = noise[0], noise[-1]
    away = max((abs(r.measured / r.theory - 1) for r in noise if r.theory > 0), default=0.0)
    return Section(
        title="Noise of the minibatch gradient",
        draw=lambda: plots.gradient_noise(noise),
        picture_title="Distance from the gradient of all rows",
        caption=f"The noise was {first.measured:.3g} at batch size {first.batch_size} and "
        f"{last.measured:.3g} at {last.batch_size}. Measured and theory differ by at most "
        f"{100 * away:.2g} %.",
        table=_of_columns(
            "Noise of the gradient",
            {
                "batch": [str(r.batch_size) for r in noise],
                "measured": [f"{r.measured:.3g}" for r in noise],
                "theory": [f"{r.theory:.3g}" for r in noise],
            },
            "Root mean square distance of a minibatch's gradient from that of all rows, at "
            "w = 0, b = 0. The theory is sigma / sqrt(b) * sqrt((n - b) / (n - 1)).",
        ),
    )


# What makes each section, by the name of its picture.
SECTIONS = {
    make.__name__: make
    for make in (
        loss_vs_time,
        loss_vs_examples,
        concise_form,
        strategies,
        size_sweep,
        roofline,
        frameworks,
        sweep_loss,
        sweep_seconds,
        rate_decay,
        replacement,
        duplicated_data,
        gradient_noise,
    )
}


def _slowest_and_fastest(runs: Sequence[Run]) -> str:
    fast, slow = (end(runs, key=attrgetter("seconds_per_epoch")) for end in (min, max))
    return (
        "Lower is better, and further left is sooner. An epoch of "
        f"{slow.name} took {duration(slow.seconds_per_epoch)}, the longest, and one of "
        f"{fast.name} {duration(fast.seconds_per_epoch)}, the shortest."
    )


def _of_runs(title: str, runs: Sequence[Run], caption: str) -> Table:
    columns = {
        "run": [run.name for run in runs],
        "batch": [str(run.batch_size) for run in runs],
        "rate": [f"{run.learning_rate:g}" for run in runs],
        "epochs": [str(run.epochs) for run in runs],
        "loss": [f"{run.loss:.4f}" for run in runs],
        "time / epoch": [duration(run.seconds_per_epoch) for run in runs],
    }
    return _of_columns(title, columns, caption)


def _of_columns(
    title: str, columns: Mapping[str, Sequence[str]], caption: str, names: int = 1
) -> Table:
    return Table(title, list(columns), list(zip(*columns.values(), strict=True)), caption, names)


def _step_sentences(gd: Run, limit: StepLimit) -> str:
    """Say whether gradient descent converges at its learning rate, and what it did."""
    verdict = (
        "is below this limit, so it converges"
        if gd.learning_rate < limit.learning_rate
        else "is not below this limit, so it does not converge, however long it runs"
    )
    lowest = int(np.argmin(gd.history.losses))
    step = int(gd.history.examples[lowest]) // gd.batch_size
    return (
        "Full-batch descent converges from every start if and only if the learning rate is below "
        f"2 / lambda_max = {limit.learning_rate:.4g}, where lambda_max = {limit.lambda_max:.4g} is "
        f"the largest eigenvalue of the loss's second derivative on these data. "
        f"The learning rate of gd, {gd.learning_rate:g}, {verdict}. "
        f"Its loss was lowest after step {step} of {gd.epochs}, {gd.history.losses[lowest]:.5f}, "
        f"and {gd.loss:.5f} at the end."
    )
