"""Results of the chapter as tables and sentences, for a terminal and for HTML."""

import html
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tilewise._format import counted, duration, three_digits
from tilewise.experiments.products import StrategyResult
from tilewise.experiments.published import PUBLISHED_GFLOPS, PUBLISHED_RUNS
from tilewise.experiments.runs import Run
from tilewise.experiments.stability import StepLimit

__all__ = [
    "Table",
    "load_sentence",
    "of_published_runs",
    "of_runs",
    "of_strategies",
    "step_sentences",
]

_WIDTH = 80  # of a terminal


@dataclass(frozen=True)
class Table:
    """A table of text: the first columns name a row, the others hold its numbers.

    Attributes
    ----------
    title : str
    header : sequence of str
    rows : sequence of sequence of str
        Each as long as the header.
    caption : str
        How the numbers came about.
    names : int, default 1
        Columns that name the row.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str
    names: int = 1

    def to_text(self) -> str:
        """Return it for a terminal of 80 columns.

        Examples
        --------
        >>> print(Table("Sizes", ["name", "n"], [["small", "8"]], "Measured.").to_text())
        Sizes
        name   n
        small  8
        Measured.
        """
        columns = []
        for i, column in enumerate(zip(self.header, *self.rows, strict=True)):
            align = str.ljust if i < self.names else str.rjust
            width = max(map(len, column))
            columns.append([align(cell, width) for cell in column])
        lines = ["  ".join(cells) for cells in zip(*columns, strict=True)]
        return "\n".join([self.title, *lines, textwrap.fill(self.caption, _WIDTH)])

    def to_html(self) -> str:
        """Return it as a table element, in a box that scrolls on a narrow screen.

        Examples
        --------
        >>> print(Table("Sizes", ["name", "n"], [["small", "<8"]], "Measured.").to_html())
        <div class="table"><table>
        <thead><tr><th class="name">name</th><th>n</th></tr></thead>
        <tbody>
        <tr><th class="name">small</th><td>&lt;8</td></tr>
        </tbody></table></div>
        <p class="caption">Measured.</p>
        """

        def row(cells: Sequence[str], tag: str) -> str:
            marked = [
                f'<th class="name">{html.escape(cell)}</th>'
                if i < self.names
                else f"<{tag}>{html.escape(cell)}</{tag}>"
                for i, cell in enumerate(cells)
            ]
            return f"<tr>{''.join(marked)}</tr>"

        return "\n".join(
            [
                '<div class="table"><table>',
                f"<thead>{row(self.header, 'th')}</thead>",
                "<tbody>",
                *(row(cells, "td") for cells in self.rows),
                "</tbody></table></div>",
                f'<p class="caption">{html.escape(self.caption)}</p>',
            ]
        )


def of_runs(runs: Sequence[Run]) -> Table:
    """Return the table of training runs.

    Parameters
    ----------
    runs : sequence of Run

    Returns
    -------
    Table
    """
    return Table(
        "Training runs",
        ["run", "batch", "rate", "epochs", "loss", "time / epoch"],
        [
            [
                run.name,
                str(run.batch_size),
                f"{run.learning_rate:g}",
                str(run.epochs),
                f"{run.loss:.4f}",
                duration(run.seconds_per_epoch),
            ]
            for run in runs
        ],
        "The loss is half the mean squared error, at the end. The time is that of the training "
        "alone, without evaluating the loss: the median of warm repetitions.",
    )


def of_published_runs() -> Table:
    """Return the table of the runs that d2l.ai prints.

    Returns
    -------
    Table
    """
    return Table(
        "The same runs as published",
        ["framework", "run", "loss", "s / epoch"],
        [
            [framework, name, loss, seconds]
            for framework, runs in PUBLISHED_RUNS.items()
            for name, (loss, seconds) in runs.items()
        ],
        "As printed in d2l.ai, section 12.5: the airfoil data on another machine, each run once.",
        names=2,
    )


def of_strategies(results: Sequence[StrategyResult]) -> Table:
    """Return the table of the ways to compute a product, beside what d2l.ai prints.

    Parameters
    ----------
    results : sequence of StrategyResult
        All of one size and dtype.

    Returns
    -------
    Table
    """
    n, dtype = results[0].n, results[0].dtype
    return Table(
        f"Product of two {n} x {n} matrices, {dtype}, in GFLOP/s",
        ["strategy", "here", *(f"{framework}*" for framework in PUBLISHED_GFLOPS)],
        [
            [
                result.name,
                three_digits(result.gflops),
                *(published.get(result.name, "-") for published in PUBLISHED_GFLOPS.values()),
            ]
            for result in results
        ],
        f"Here: 2 n^3 = {2 * n**3:,} operations over the median time, all on one "
        "thread; NumPy is as installed. "
        "* As printed in d2l.ai, section 12.5, which divides 0.03 GFLOP by the time where the "
        "true count for n = 256 is 0.03355, on another machine.",
    )


def step_sentences(gd: Run, limit: StepLimit) -> str:
    """Say whether gradient descent converges at its learning rate, and what it did.

    Parameters
    ----------
    gd : Run
        Of full batches.
    limit : StepLimit
        Of the same data.

    Returns
    -------
    str

    Examples
    --------
    >>> import tilewise as tw
    >>> from tilewise.experiments import four_runs, step_limit
    >>> X, y, _, _ = tw.data.synthetic(1500, 5, seed=0)
    >>> print(step_sentences(four_runs(X, y, seed=0, repeats=1)[0], step_limit(X)))
    ... # doctest: +ELLIPSIS
    Full-batch descent ... is below this limit, so it converges. Its loss was lowest after step ...
    """
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


def load_sentence(load_average: float, cpus: int) -> str:
    """Warn of other programs that ran before the measurement; empty if there were few.

    Parameters
    ----------
    load_average : float
        Of the minute before, as `os.getloadavg` gives it.
    cpus : int
        Of the machine.

    Returns
    -------
    str

    Examples
    --------
    >>> load_sentence(0.1, cpus=2)
    ''
    >>> load_sentence(3.25, cpus=2)[:60]
    'In the minute before, the load average was 3.2 on 2 CPUs. If'
    """
    if load_average <= cpus / 4:
        return ""
    return (
        f"In the minute before, the load average was {load_average:.1f} on "
        f"{counted(cpus, 'CPU')}. If other programs still ran, speeds can be far below what the "
        "machine does at rest, most of all those of code on several threads: run the report again "
        "on an idle machine."
    )
