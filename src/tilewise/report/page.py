"""The page of the report: its sections in their order, rendered with the pictures inside."""

import base64
from importlib.metadata import version
from pathlib import Path

from tilewise._extras import required
from tilewise._format import counted
from tilewise.report import machine_table
from tilewise.report.results import Results
from tilewise.report.sections import SECTIONS


def to_html(results: Results, folder: Path) -> str:
    """Return the page, with the pictures of the folder inside."""
    jinja2 = required("jinja2", "report", "the page needs Jinja2")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tilewise", "report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page: str = environment.get_template("report.html.jinja").render(
        subtitle=subtitle(results),
        load_sentence=load_sentence(results),
        machine_facts=machine_table.facts_sentence(results.limits),
        machine_table=machine_table.of_machine(results.limits),
        spread_sentence=machine_table.spread_sentence(results.limits),
        sections=[
            (base64.b64encode((folder / f"{name}.png").read_bytes()).decode("ascii"), make(results))
            for name, make in SECTIONS.items()
        ],
    )
    return page


def subtitle(results: Results) -> str:
    """Name the machine, the versions and the data."""
    about, (rows, features) = results.machine, results.shape
    threads = counted(about["threads"], "thread")
    return (
        f"{results.limits.cpu}, {results.limits.isa} kernels on up to {threads}. "
        f"tilewise {version('tilewise')}, NumPy {about['numpy']}, Python {about['python']}. "
        f"{about['date']}. Airfoil self-noise data, {rows} rows of {features} "
        f"features; seed {results.seed}."
    )


def load_sentence(results: Results) -> str:
    """Warn of other programs that ran before the measurement; empty if there were few."""
    load_average, cpus = results.machine["load_average"], results.machine["system_cpus"]
    if load_average <= cpus / 4:
        return ""
    return (
        f"In the minute before, the load average was {load_average:.1f} on "
        f"{counted(cpus, 'CPU')}. If other programs still ran, speeds can be far below what the "
        "machine does at rest, most of all those of code on several threads: run the report again "
        "on an idle machine."
    )
