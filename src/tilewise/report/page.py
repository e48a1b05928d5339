"""The page of the report: its sections, and the HTML with the pictures inside."""

import base64
import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Any

from tilewise import plots
from tilewise._format import counted
from tilewise.experiments.exercises import Curve
from tilewise.report import captions, experiment_tables, glossary, machine_table, tables
from tilewise.report.results import Results
from tilewise.report.tables import Table

__all__ = ["PICTURES", "Section", "load_sentence", "sections", "subtitle", "to_html"]

PICTURES = (
    "loss_vs_time",
    "loss_vs_examples",
    "concise_form",
    "strategies",
    "size_sweep",
    "roofline",
    "frameworks",
    "sweep_loss",
    "sweep_seconds",
    "rate_decay",
    "replacement",
    "duplicated_data",
    "gradient_noise",
)

_SWEEP = (
    "Each cell is a run of two epochs from the same initial weights. A larger batch takes fewer "
    "steps in an epoch and can bear a larger learning rate; a rate that is too large makes the "
    "loss grow without end, and the run diverges."
)


@dataclass(frozen=True)
class Section:
    """A picture with what to see in it, and the tables of its numbers.

    Attributes
    ----------
    name : str
        Of ``PICTURES``.
    title : str
    draw : callable
        Returns the Axes.
    picture_title : str
    caption : str
    tables : tuple of Table
    names : mapping of str to str
        What stands in the picture and the tables, and what it is.
    text : str
        What else to know before the picture.
    """

    name: str
    title: str
    draw: Callable[[], Any]
    picture_title: str
    caption: str
    tables: tuple[Table, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    text: str = ""


def sections(results: Results) -> list[Section]:
    """Return the sections in the order of the page; a new picture gets its place here."""
    return [*_of_training(results), *_of_products(results), *_of_exercises(results)]


def _of_training(results: Results) -> list[Section]:
    runs, concise, title = results.runs, results.concise_form, results.dataset.title
    return [
        Section(
            "loss_vs_time",
            "Training runs: loss against time",
            lambda: plots.loss_vs_time(runs),
            title,
            captions.of_time(runs),
            (tables.of_runs(runs), tables.of_published_runs()),
            glossary.RUNS,
            tables.step_sentences(runs[0], results.step_limit),
        ),
        Section(
            "loss_vs_examples",
            "Loss against rows seen",
            lambda: plots.loss_vs_examples(runs),
            title,
            captions.of_examples(runs, len(results.dataset.X)),
        ),
        Section(
            "concise_form",
            "From scratch and concise",
            lambda: plots.loss_vs_time(concise),
            title,
            captions.of_time(concise),
            (experiment_tables.of_concise_form(concise),),
            glossary.CONCISE,
        ),
    ]


def _of_products(results: Results) -> list[Section]:
    speeds, sizes, loops = results.strategies, results.size_sweep, results.frameworks
    table = tables.of_strategies(speeds)
    return [
        Section(
            "strategies",
            "Ways to compute a matrix product",
            lambda: plots.strategies(speeds),
            table.title,
            captions.of_strategies(speeds),
            (table,),
            glossary.STRATEGIES,
        ),
        Section(
            "size_sweep",
            "The same at several sizes",
            lambda: plots.size_sweep(sizes),
            "Product of two n x n matrices, float32",
            captions.of_sizes(sizes),
            (experiment_tables.of_sizes(sizes),),
        ),
        Section(
            "roofline",
            "What the machine allows",
            lambda: plots.roofline(results.limits, results.roofline),
            "One core, float32",
            captions.of_roofline(results.limits, results.roofline),
            (experiment_tables.of_points(results.roofline),),
        ),
        Section(
            "frameworks",
            "The same as loops in Python",
            lambda: plots.frameworks(loops),
            f"Product of two {loops[0].n} x {loops[0].n} matrices, float32",
            captions.of_frameworks(loops),
            (experiment_tables.of_frameworks(loops),),
        ),
    ]


def _of_exercises(results: Results) -> list[Section]:
    sweep, noise = results.batch_rate_sweep, results.gradient_noise
    return [
        Section(
            "sweep_loss",
            "Batch size and learning rate",
            lambda: plots.sweep(sweep, "loss"),
            "Loss at the end",
            captions.of_losses(sweep),
            text=_SWEEP,
        ),
        Section(
            "sweep_seconds",
            "What the batch sizes cost",
            lambda: plots.sweep(sweep, "seconds"),
            "Training time",
            captions.of_seconds(sweep),
            (experiment_tables.of_sweep(sweep),),
        ),
        _of_curves(
            "rate_decay", "Rate divided by ten after each epoch", results.rate_decay, glossary.RATES
        ),
        _of_curves(
            "replacement", "With and without replacement", results.replacement, glossary.REPLACEMENT
        ),
        _of_curves(
            "duplicated_data", "Each row twice", results.duplicated_data, glossary.DUPLICATED
        ),
        Section(
            "gradient_noise",
            "Noise of the minibatch gradient",
            lambda: plots.gradient_noise(noise),
            "Distance from the gradient of all rows",
            captions.of_noise(noise),
            (experiment_tables.of_noise(noise),),
        ),
    ]


def _of_curves(
    name: str, title: str, curves: Sequence[Curve], meanings: Mapping[str, str]
) -> Section:
    return Section(
        name,
        title,
        lambda: plots.excess_loss(curves),
        title,
        captions.of_curves(curves),
        (experiment_tables.of_curves(title, curves),),
        meanings,
    )


def to_html(results: Results, shown: Sequence[Section], folder: Path) -> str:
    """Return the page, with the pictures of the folder inside."""
    template = resources.files("tilewise.report").joinpath("template.html")
    return Template(template.read_text(encoding="utf-8")).substitute(
        subtitle=html.escape(subtitle(results)),
        load_sentence=html.escape(load_sentence(results)),
        data=html.escape(f"{results.dataset.title}. {results.dataset.note}"),
        machine_facts=html.escape(machine_table.facts_sentence(results.limits)),
        machine_table=_table(machine_table.of_machine(results.limits)),
        spread_sentence=html.escape(machine_table.spread_sentence(results.limits)),
        sections="\n".join(_section(section, folder) for section in shown),
    )


def _section(section: Section, folder: Path) -> str:
    picture = base64.b64encode((folder / f"{section.name}.png").read_bytes()).decode("ascii")
    title, caption = html.escape(section.title), html.escape(section.caption)
    return "\n".join(
        [
            f"<h2>{title}</h2>",
            _names(section.names),
            f"<p>{html.escape(section.text)}</p>" if section.text else "",
            f'<figure><img alt="{title}" src="data:image/png;base64,{picture}">',
            f"<figcaption>{caption}</figcaption></figure>",
            *(_table(table) for table in section.tables),
        ]
    )


def _names(meanings: Mapping[str, str]) -> str:
    if not meanings:
        return ""
    entries = [
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(meaning)}</dd>"
        for name, meaning in meanings.items()
    ]
    return "\n".join(["<dl>", *entries, "</dl>"])


def _table(table: Table) -> str:
    return f"<h3>{html.escape(table.title)}</h3>\n{table.to_html()}"


def subtitle(results: Results) -> str:
    """Name the machine, the versions and the data."""
    about = results.machine
    threads = counted(about["threads"], "thread")
    return (
        f"{about['cpu']}, {about['isa']} kernels on up to {threads}. "
        f"tilewise {version('tilewise')}, NumPy {about['numpy']}, Python {about['python']}. "
        f"{about['date']}. {results.dataset.title}, {len(results.dataset.X)} rows of "
        f"{results.dataset.X.shape[1]} features; seed {results.seed}."
    )


def load_sentence(results: Results) -> str:
    """Warn of a machine that was busy."""
    return tables.load_sentence(results.machine["load_average"], results.machine["system_cpus"])
