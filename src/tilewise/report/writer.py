"""The report: the section's experiments on this machine, as tables, pictures, JSON and HTML."""

import os
import platform
import textwrap
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tilewise import experiments
from tilewise._extras import required
from tilewise._files import check_outputs, outputs
from tilewise._threads import get_num_threads
from tilewise.data.airfoil import load_airfoil
from tilewise.hardware.measured import measured_again
from tilewise.report import page, sections
from tilewise.report.results import Results, to_json

FILES = ("results.json", *(f"{name}.png" for name in sections.SECTIONS), "report.html")

_EXTRAS = ("jinja2", "matplotlib", "threadpoolctl", "tqdm")
# What an experiment does, where that is not what it does by default.
_FULL: dict[str, dict[str, Any]] = {
    "batch_rate_sweep": {
        "batch_sizes": (1, 3, 10, 30, 100, 300, 1000),
        "learning_rates": (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
    },
}
_QUICK: dict[str, dict[str, Any]] = {
    "size_sweep": {"sizes": (32, 64, 128, 256), "repeats": 1},
    "frameworks": {"n": 16},
    "batch_rate_sweep": {"batch_sizes": (1, 10, 100), "learning_rates": (0.01, 0.1, 1.0)},
}


def create(
    out: str | os.PathLike[str], seed: int = 0, force: bool = False, quick: bool = False
) -> Results:
    """Run the experiments and leave ``FILES`` in the folder `out`, never half written."""
    out = Path(out)
    for module in _EXTRAS:
        required(module, "report", f"the report needs {module}")
    check_outputs(out, FILES, force)
    with outputs(out, FILES, force) as unfinished:
        results = _measure(seed, _QUICK if quick else _FULL)
        _write(results, unfinished)
    return results


def text(results: Results) -> str:
    """Return a report for a terminal of 80 columns."""
    about = f"{page.subtitle(results)} {page.load_sentence(results)}"
    runs, strategies = sections.loss_vs_time(results), sections.strategies(results)
    parts: list[Any] = [about, runs.table, runs.text, runs.published, strategies.table]
    return "\n\n".join(
        textwrap.fill(part, 80) if isinstance(part, str) else part.to_text() for part in parts
    )


def _measure(seed: int, settings: Mapping[str, Mapping[str, Any]]) -> Results:
    """Run each experiment, with a bar on stderr if that is a terminal."""
    from tqdm import tqdm

    rows = load_airfoil()
    work: dict[str, Callable[..., Any]] = {
        "runs": partial(experiments.four_runs, *rows, seed=seed),
        "step_limit": partial(experiments.step_limit, rows[0]),
        "strategies": experiments.strategies,
        "size_sweep": experiments.size_sweep,
        "frameworks": experiments.frameworks,
        "concise_form": partial(experiments.concise_form, *rows, seed=seed),
        "batch_rate_sweep": partial(experiments.batch_rate_sweep, *rows, seed=seed),
        "rate_decay": partial(experiments.rate_decay, *rows, seed=seed),
        "replacement": partial(experiments.replacement, *rows, seed=seed),
        "duplicated_data": partial(experiments.duplicated_data, *rows, seed=seed),
        "gradient_noise": partial(experiments.gradient_noise, *rows, seed=seed),
        "limits": measured_again,
    }
    machine = {
        "system_cpus": os.cpu_count() or 1,  # the load average is that of the system
        "load_average": os.getloadavg()[0],
        "threads": get_num_threads(),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    found = {}
    with tqdm(work, disable=None, leave=False) as bar:
        for name in bar:
            bar.set_description(name.replace("_", " "))
            found[name] = work[name](**settings.get(name, {}))
    return Results(machine=machine, shape=rows[0].shape, seed=seed, **found)


def _write(results: Results, folder: Path) -> None:
    """Write ``FILES`` into an empty folder."""
    for name, make in sections.SECTIONS.items():
        section = make(results)
        plot = section.draw()
        plot.set_title(section.picture_title, fontsize=10)
        plot.figure.canvas.print_figure(folder / f"{name}.png", dpi=160)
    (folder / "results.json").write_text(to_json(results), encoding="utf-8")
    (folder / "report.html").write_text(page.to_html(results, folder), encoding="utf-8")
