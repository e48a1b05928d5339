"""The report: the section's experiments on this machine, as tables, pictures, JSON and HTML."""

import importlib.util
import os
import platform
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

from tilewise import experiments
from tilewise._files import check_outputs, outputs
from tilewise._threads import get_num_threads
from tilewise.data.airfoil import load_airfoil
from tilewise.data.generated import synthetic
from tilewise.hardware import facts
from tilewise.hardware.measured import measured_again
from tilewise.report import page, tables
from tilewise.report.progress import ExperimentBar
from tilewise.report.results import Dataset, Results, to_json

__all__ = ["DATA", "FILES", "Dataset", "Results", "create", "text"]

DATA = ("airfoil", "synthetic")
FILES = ("results.json", *(f"{name}.png" for name in page.PICTURES), "report.html")

_ROWS, _FEATURES = 1500, 5


@dataclass(frozen=True)
class _Plan:
    """How much an experiment does."""

    sizes: tuple[int, ...]
    repeats: int
    loops_n: int
    batch_sizes: tuple[int, ...]
    rates: tuple[float, ...]

    def usual_seconds(self) -> dict[str, list[float]]:
        """Return how long each loop of the experiments takes on a machine of 2026."""
        turns = 2 + self.repeats
        return {
            "four_runs": [0.05],
            "strategies": [0.5],
            "size_sweep": [turns * (0.05 + 3.6 * (n / 1024) ** 3) for n in self.sizes],
            "frameworks": [0.1],
            "concise_form": [0.05],
            "batch_rate_sweep": [0.05],
            "rate_decay": [0.1],
            "replacement": [0.1],
            "duplicated_data": [0.2],
            "gradient_noise": [0.3],
            "machine": [2.5],
            "pictures": [3.0],
        }


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
    """Run the experiments and leave their results in a folder.

    The files of ``FILES`` are written elsewhere in the folder and then renamed, never half written.
    A progress bar goes over all experiments and the pictures, on stderr if that is a terminal.

    Parameters
    ----------
    out : path
        The folder; made if it does not exist.
    data : {'airfoil', 'synthetic'}, default 'airfoil'
        What the runs train on.
    seed : int, default 0
        Fixes the initial weights, the order of the rows, and synthetic data.
    force : bool, default False
        Replace the files of an earlier report.
    quick : bool, default False
        Fewer sizes, rates and repetitions.

    Returns
    -------
    Results

    Raises
    ------
    OSError
        A file is there already (FileExistsError), or the folder cannot be written to.
    ImportError
        Matplotlib or tqdm is not installed.
    TypeError, ValueError
        `data` or `seed` is not one of those above.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     results = create(folder, data="synthetic", quick=True)
    ...     sorted(path.name for path in Path(folder).iterdir()) == sorted(FILES)
    True
    """
    out = Path(out)
    _check_extras()
    check_outputs(out, FILES, force)
    dataset = _load(data, seed)
    with outputs(out, FILES, force) as unfinished:
        plan = _QUICK if quick else _FULL
        with ExperimentBar(plan.usual_seconds()) as bar:
            results = _measure(dataset, seed, plan, bar)
            _write(results, unfinished, bar)
    return results


def text(results: Results) -> str:
    """Return a report for a terminal of 80 columns.

    Parameters
    ----------
    results : Results

    Returns
    -------
    str
    """
    return "\n\n".join(
        [
            textwrap.fill(f"{page.subtitle(results)} {page.load_sentence(results)}", 80),
            tables.of_runs(results.runs).to_text(),
            textwrap.fill(tables.step_sentences(results.runs[0], results.step_limit), 80),
            tables.of_published_runs().to_text(),
            tables.of_strategies(results.strategies).to_text(),
        ]
    )


def _check_extras() -> None:
    for module in ("matplotlib", "threadpoolctl", "tqdm"):
        if importlib.util.find_spec(module) is None:
            raise ImportError(f'the report needs {module}; pip install "tilewise[report]"')


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


def _measure(dataset: Dataset, seed: int, plan: _Plan, bar: ExperimentBar) -> Results:
    X, y = dataset.X, dataset.y

    def train(experiment: Callable[..., Any]) -> Any:
        (result,) = [experiment(X, y, seed=seed) for _ in bar.of(experiment.__name__)([0])]
        return result

    return Results(
        machine=_describe_machine(),
        dataset=dataset,
        seed=seed,
        runs=experiments.four_runs(X, y, seed, progress=bar.of("four_runs")),
        step_limit=experiments.step_limit(X),
        strategies=experiments.strategies(progress=bar.of("strategies")),
        size_sweep=experiments.size_sweep(plan.sizes, plan.repeats, progress=bar.of("size_sweep")),
        frameworks=experiments.frameworks(plan.loops_n, progress=bar.of("frameworks")),
        concise_form=train(experiments.concise_form),
        batch_rate_sweep=experiments.batch_rate_sweep(
            X, y, plan.batch_sizes, plan.rates, seed=seed, progress=bar.of("batch_rate_sweep")
        ),
        rate_decay=train(experiments.rate_decay),
        replacement=train(experiments.replacement),
        duplicated_data=train(experiments.duplicated_data),
        gradient_noise=train(experiments.gradient_noise),
        limits=measured_again(bar.of("machine")),
    )


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


def _write(results: Results, folder: Path, bar: ExperimentBar) -> None:
    """Write ``FILES`` into an empty folder."""
    sections = page.sections(results)
    for section in bar.of("pictures")(sections):
        plot = section.draw()
        plot.set_title(section.picture_title, fontsize=10)
        plot.figure.canvas.print_figure(folder / f"{section.name}.png", dpi=160)
    (folder / "results.json").write_text(to_json(results), encoding="utf-8")
    html = page.to_html(results, sections, folder)
    (folder / "report.html").write_text(html, encoding="utf-8")
