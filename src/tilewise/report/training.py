"""The sections of the training runs."""

from collections.abc import Sequence

import numpy as np

from tilewise import plots
from tilewise._format import duration
from tilewise.experiments.published import PUBLISHED_RUNS
from tilewise.experiments.runs import Run
from tilewise.experiments.stability import StepLimit
from tilewise.report.results import Results
from tilewise.report.section import Section
from tilewise.report.table import Table


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
        picture_title=results.dataset.title,
        caption=_slowest_and_fastest(results.runs),
        table=_table(
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
    runs, rows = results.runs, len(results.dataset.X)
    losses, found = {}, []
    for run in runs:
        record = int(np.searchsorted(run.history.examples, rows))
        losses[run.name] = loss = float(run.history.losses[record])
        found.append(f"{run.name} {loss:.4f} ({run.history.examples[record]} rows)")
    return Section(
        title="Loss against rows seen",
        draw=lambda: plots.loss_vs_examples(runs),
        picture_title=results.dataset.title,
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
        picture_title=results.dataset.title,
        caption=_slowest_and_fastest(runs),
        table=_table("From scratch and concise", runs, caption),
    )


SECTIONS = (loss_vs_time, loss_vs_examples, concise_form)


def _slowest_and_fastest(runs: Sequence[Run]) -> str:
    fast = min(runs, key=lambda run: run.seconds_per_epoch)
    slow = max(runs, key=lambda run: run.seconds_per_epoch)
    return (
        "Lower is better, and further left is sooner. An epoch of "
        f"{slow.name} took {duration(slow.seconds_per_epoch)}, the longest, and one of "
        f"{fast.name} {duration(fast.seconds_per_epoch)}, the shortest."
    )


def _table(title: str, runs: Sequence[Run], caption: str) -> Table:
    rows = [
        [
            run.name,
            str(run.batch_size),
            f"{run.learning_rate:g}",
            str(run.epochs),
            f"{run.loss:.4f}",
            duration(run.seconds_per_epoch),
        ]
        for run in runs
    ]
    return Table(title, ["run", "batch", "rate", "epochs", "loss", "time / epoch"], rows, caption)


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
