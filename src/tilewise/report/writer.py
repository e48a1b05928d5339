"""The report: the section's experiments on this machine, as tables, pictures, JSON and HTML."""

import os
import platform
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
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
from tilewise.data.generated import synthetic
from tilewise.hardware import facts
from tilewise.hardware.measured import measured_again
from tilewise.report import page, products, training
from tilewise.report.results import Dataset, Results, to_json

DATA = ("airfoil", "synthetic")
FILES = ("results.json", *(f"{name}.png" for name in page.SECTIONS), "report.html")

_EXTRAS = ("jinja2", "matplotlib", "threadpoolctl", "tqdm")
_ROWS, _FEATURES = 1500, 5


@dataclass(frozen=True)
class _Plan:
    """How much an experiment does."""

    sizes: tuple[int, ...]
    repeats: int
    loops_n: int
    batch_sizes: tuple[int, ...]
    rates: tuple[float, ...]


_QUICK = _Plan((32, 64, 128, 256), 1, 16, (1, 10, 100), (0.01, 0.1, 1.0))
_FULL = _Plan(
    (32, 64, 128, 256, 512, 1024),
    3,
    64,
    (1, 3, 10, 30, 100, 300, 1000),
    (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
)


def create(
    out: str | os.PathLike[str],
    data: str = "airfoil",
    seed: int = 0,
    force: bool = False,
    quick: bool = False,
) -> Results:
    """Run the experiments and leave ``FILES`` in the folder `out`, never half written."""
    out = Path(out)
    for module in _EXTRAS:
        required(module, "report", f"the report needs {module}")
    check_outputs(out, FILES, force)
    dataset = _load(data, seed)
    with outputs(out, FILES, force) as unfinished:
        results = _measure(dataset, seed, _QUICK if quick else _FULL)
        _write(results, unfinished)
    return results


def text(results: Results) -> str:
    """Return a report for a terminal of 80 columns."""
    about = f"{page.subtitle(results)} {page.load_sentence(results)}"
    runs, strategies = training.loss_vs_time(results), products.strategies(results)
    parts: list[Any] = [about, runs.table, runs.text, runs.published, strategies.table]
    return "\n\n".join(
        textwrap.fill(part, 80) if isinstance(part, str) else part.to_text() for part in parts
    )


def _load(data: str, seed: int) -> Dataset:
    if data not in DATA:
        raise ValueError(f"data={data!r} is unknown; choose one of {', '.join(DATA)}")
    if data == "airfoil":
        X, y = load_airfoil(_ROWS)
        title = "Airfoil self-noise data"
        note = (
            "T. Brooks, D. Pope, M. Marcolini (1989), Airfoil Self-Noise, UCI Machine Learning "
            "Repository, doi:10.24432/C5VW2C, CC BY 4.0; standardized."
        )
    else:
        X, y, _, _ = synthetic(_ROWS, _FEATURES, seed=seed)
        title = "Synthetic data"
        note = "Random rows of a known linear model with noise; the losses are not those of d2l.ai."
    return Dataset(data, title, note, X, y)


def _measure(dataset: Dataset, seed: int, plan: _Plan) -> Results:
    """Run each experiment, with a bar on stderr if that is a terminal."""
    from tqdm import tqdm

    X, y = dataset.X, dataset.y
    work: dict[str, Callable[[], Any]] = {
        "runs": partial(experiments.four_runs, X, y, seed),
        "step_limit": partial(experiments.step_limit, X),
        "strategies": experiments.strategies,
        "size_sweep": partial(experiments.size_sweep, plan.sizes, plan.repeats),
        "frameworks": partial(experiments.frameworks, plan.loops_n),
        "concise_form": partial(experiments.concise_form, X, y, seed),
        "batch_rate_sweep": partial(
            experiments.batch_rate_sweep, X, y, plan.batch_sizes, plan.rates, seed=seed
        ),
        "rate_decay": partial(experiments.rate_decay, X, y, seed=seed),
        "replacement": partial(experiments.replacement, X, y, seed=seed),
        "duplicated_data": partial(experiments.duplicated_data, X, y, seed=seed),
        "gradient_noise": partial(experiments.gradient_noise, X, y, seed=seed),
        "limits": measured_again,
    }
    results: dict[str, Any] = {"machine": _describe_machine(), "dataset": dataset, "seed": seed}
    with tqdm(work, disable=None, leave=False) as bar:
        for name in bar:
            bar.set_description(name.replace("_", " "))
            results[name] = work[name]()
    return Results(**results)


def _describe_machine() -> dict[str, Any]:
    return {
        "cpu": facts.cpu_name(),
        "system_cpus": os.cpu_count() or 1,  # the load average is that of the system
        "load_average": os.getloadavg()[0],
        "threads": get_num_threads(),
        "isa": facts.isa(),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _write(results: Results, folder: Path) -> None:
    """Write ``FILES`` into an empty folder."""
    for name, make in page.SECTIONS.items():
        section = make(results)
        plot = section.draw()
        plot.set_title(section.picture_title, fontsize=10)
        plot.figure.canvas.print_figure(folder / f"{name}.png", dpi=160)
    (folder / "results.json").write_text(to_json(results), encoding="utf-8")
    (folder / "report.html").write_text(page.to_html(results, folder), encoding="utf-8")
