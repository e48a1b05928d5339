"""The sections of the exercises."""

from collections.abc import Mapping, Sequence

from tilewise import plots
from tilewise._format import duration
from tilewise.experiments.exercises import Curve
from tilewise.report.results import Results
from tilewise.report.section import Section
from tilewise.report.table import Table

_SHADES = "Cells grow lighter up to ten times the least, and no further."


def sweep_loss(results: Results) -> Section:
    """Return the section of the losses by batch size and rate, with the best run."""
    runs = results.batch_rate_sweep
    ends = [(run.loss, run) for run in runs if run.loss is not None]
    caption = f"{len(runs) - len(ends)} of {len(runs)} runs diverged."
    if ends:
        loss, best = min(ends, key=lambda end: end[0])
        caption = (
            f"The lowest loss, {loss:.4g}, is that of batch size {best.batch_size} with rate "
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
    times = [(run.seconds, run) for run in results.batch_rate_sweep if run.seconds is not None]
    caption = "No run came to its end."
    if times:
        (short, fast), (long, slow) = (end(times, key=lambda time: time[0]) for end in (min, max))
        caption = (
            f"The shortest run, {duration(short)}, had batch size {fast.batch_size}; the longest, "
            f"{duration(long)}, had batch size {slow.batch_size}. {_SHADES}"
        )
    rows = [
        [
            str(run.batch_size),
            f"{run.learning_rate:g}",
            "diverged" if run.loss is None else f"{run.loss:.4g}",
            "-" if run.seconds is None else duration(run.seconds),
        ]
        for run in results.batch_rate_sweep
    ]
    return Section(
        title="What the batch sizes cost",
        draw=lambda: plots.sweep(results.batch_rate_sweep, "seconds"),
        picture_title="Training time",
        caption=caption,
        table=Table(
            "Batch size and learning rate",
            ["batch", "rate", "loss", "time"],
            rows,
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
    rows = [
        [str(epoch), *(f"{curve.excess_losses[i]:.3g}" for curve in curves)]
        for i, epoch in enumerate(epochs)
    ]
    caption = "Loss above that of the least squares solution after each epoch, averaged over seeds."
    return Section(
        title=title,
        names=names,
        draw=lambda: plots.excess_loss(curves),
        picture_title=title,
        caption=f"Loss above the least possible after epoch {epochs[-1]}: {ends}.",
        table=Table(title, ["epoch", *(curve.name for curve in curves)], rows, caption),
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
        table=Table(
            "Noise of the gradient",
            ["batch", "measured", "theory"],
            [[str(r.batch_size), f"{r.measured:.3g}", f"{r.theory:.3g}"] for r in noise],
            "Root mean square distance of a minibatch's gradient from that of all rows, at "
            "w = 0, b = 0. The theory is sigma / sqrt(b) * sqrt((n - b) / (n - 1)).",
        ),
    )


SECTIONS = (sweep_loss, sweep_seconds, rate_decay, replacement, duplicated_data, gradient_noise)
