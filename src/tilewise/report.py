"""The report: the section's experiments on this machine, as tables, pictures, JSON and HTML."""

import base64
import html
import importlib.util
import json
import os
import platform
import sys
import textwrap
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise import __version__, chapter, get_num_threads, hardware, plots, tables
from tilewise.data import DataUnavailableError, load_airfoil, synthetic
from tilewise.output_files import check_outputs, outputs

__all__ = ["DATA", "FILES", "Dataset", "Results", "create", "text"]

DATA = ("auto", "airfoil", "synthetic")
FILES = ("results.json", "loss_vs_time.png", "strategies.png", "report.html")

_ROWS, _FEATURES = 1500, 5


@dataclass(frozen=True)
class Dataset:
    """What the runs train on.

    Attributes
    ----------
    name : str
        "airfoil" or "synthetic".
    title, note : str
        What it is and where it comes from, for people.
    X : ndarray of float32, shape (n, d)
    y : ndarray of float32, shape (n,)
    """

    name: str
    title: str
    note: str
    X: NDArray[Any]
    y: NDArray[Any]


@dataclass(frozen=True)
class Results:
    """Everything that a report shows.

    Attributes
    ----------
    machine : dict
        As in ``results.json``.
    dataset : Dataset
    seed : int
        Of the runs, and of synthetic data.
    runs : list of Run
    step_limit : StepLimit
    strategies : list of StrategyResult
    """

    machine: dict[str, Any]
    dataset: Dataset
    seed: int
    runs: list[chapter.Run]
    step_limit: chapter.StepLimit
    strategies: list[chapter.StrategyResult]


def create(
    out: str | os.PathLike[str], data: str = "auto", seed: int = 0, force: bool = False
) -> Results:
    """Run the experiments and leave their results in a folder.

    The files of ``FILES`` are written elsewhere in the folder and then renamed, never half written.
    A progress bar appears on stderr for work of over two seconds, if that is a terminal.

    Parameters
    ----------
    out : path
        The folder; made if it does not exist.
    data : {'auto', 'airfoil', 'synthetic'}, default 'auto'
        'auto' takes the airfoil data, or says on stderr why not and takes synthetic data.
    seed : int, default 0
        Fixes the initial weights, the order of the rows, and synthetic data.
    force : bool, default False
        Replace the files of an earlier report.

    Returns
    -------
    Results

    Raises
    ------
    OSError
        A file is there already (FileExistsError), the folder cannot be written to, or the airfoil
        data was asked for and cannot be had (DataUnavailableError).
    ImportError
        Matplotlib or tqdm is not installed.
    TypeError, ValueError
        `data` or `seed` is not one of those above.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     results = create(folder, data="synthetic")
    ...     print(*sorted(path.name for path in Path(folder).iterdir()))
    loss_vs_time.png report.html results.json strategies.png
    """
    out = Path(out)
    _check_extras()
    check_outputs(out, FILES, force)
    dataset = _load(data, seed)
    with outputs(out, FILES, force) as unfinished:
        results = _measure(dataset, seed)
        _write(results, unfinished)
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
            textwrap.fill(f"{_subtitle(results)} {_load_sentence(results)}", 80),
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
    """Return the data asked for, or on 'auto' what can be had."""
    if data not in DATA:
        raise ValueError(f"data={data!r} is unknown; choose one of {', '.join(DATA)}")
    title = "Synthetic data"
    if data != "synthetic":
        try:
            X, y = load_airfoil(_ROWS)
        except DataUnavailableError as error:
            if data == "airfoil":
                raise
            print(f"tilewise: using synthetic data, because {error}", file=sys.stderr)
            title = "Synthetic data (the airfoil data was not available)"
        else:
            note = (
                "T. Brooks, D. Pope, M. Marcolini (1989), Airfoil Self-Noise, UCI Machine Learning "
                "Repository, doi:10.24432/C5VW2C, CC BY 4.0; standardized."
            )
            return Dataset("airfoil", "Airfoil self-noise data", note, X, y)
    X, y, _, _ = synthetic(_ROWS, _FEATURES, seed=seed)
    note = "Random rows of a known linear model with noise; the losses are not those of d2l.ai."
    return Dataset("synthetic", title, note, X, y)


def _measure(dataset: Dataset, seed: int) -> Results:
    from tqdm import tqdm

    bar = partial(tqdm, delay=2, disable=None, leave=False)
    return Results(
        machine=_describe_machine(),
        dataset=dataset,
        seed=seed,
        runs=chapter.four_runs(dataset.X, dataset.y, seed, progress=partial(bar, desc="training")),
        step_limit=chapter.step_limit(dataset.X),
        strategies=chapter.strategies(progress=partial(bar, desc="strategies")),
    )


def _describe_machine() -> dict[str, Any]:
    return {
        "cpu": hardware.cpu_name(),
        "cpus": os.cpu_count() or 1,
        "load_average": os.getloadavg()[0],
        "threads": get_num_threads(),
        "isa": hardware.isa(),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _write(results: Results, folder: Path) -> None:
    """Write ``FILES`` into an empty folder."""
    loss_plot = plots.loss_vs_time(results.runs)
    loss_plot.set_title(results.dataset.title, fontsize=10)
    speed_plot = plots.strategies(results.strategies)
    speed_plot.set_title(tables.of_strategies(results.strategies).title, fontsize=10)
    for name, plot in (("loss_vs_time", loss_plot), ("strategies", speed_plot)):
        plot.figure.canvas.print_figure(folder / f"{name}.png", dpi=200)
    (folder / "results.json").write_text(_json(results), encoding="utf-8")
    (folder / "report.html").write_text(_page(results, folder), encoding="utf-8")


def _json(results: Results) -> str:
    limit = results.step_limit
    content = {
        "tilewise": __version__,
        "machine": results.machine,
        "data": results.dataset.name,
        "seed": results.seed,
        "step_limit": {"lambda_max": limit.lambda_max, "learning_rate": limit.learning_rate},
        "runs": [
            {
                "name": run.name,
                "batch_size": run.batch_size,
                "learning_rate": run.learning_rate,
                "epochs": run.epochs,
                "loss": run.loss,
                "seconds_per_epoch": run.seconds_per_epoch,
                "examples": run.history.examples.tolist(),
                "seconds": run.history.seconds.tolist(),
                "losses": run.history.losses.tolist(),
            }
            for run in results.runs
        ],
        "strategies": [vars(result) for result in results.strategies],
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _page(results: Results, folder: Path) -> str:
    """Return the HTML, with the pictures of the folder inside."""
    template = resources.files("tilewise").joinpath("templates/report.html")
    return Template(template.read_text(encoding="utf-8")).substitute(
        subtitle=html.escape(_subtitle(results)),
        load_sentence=html.escape(_load_sentence(results)),
        data_title=html.escape(results.dataset.title),
        data_note=html.escape(results.dataset.note),
        step_sentences=html.escape(tables.step_sentences(results.runs[0], results.step_limit)),
        runs=tables.of_runs(results.runs).to_html(),
        published_runs=tables.of_published_runs().to_html(),
        strategies=tables.of_strategies(results.strategies).to_html(),
        loss_picture=_base64(folder / "loss_vs_time.png"),
        strategies_picture=_base64(folder / "strategies.png"),
    )


def _subtitle(results: Results) -> str:
    about = results.machine
    return (
        f"{about['cpu']}, {about['isa']} kernels on up to {about['threads']} threads. "
        f"tilewise {__version__}, NumPy {about['numpy']}, Python {about['python']}. "
        f"{about['date']}. {results.dataset.title}, {len(results.dataset.X)} rows of "
        f"{results.dataset.X.shape[1]} features; seed {results.seed}."
    )


def _load_sentence(results: Results) -> str:
    return tables.load_sentence(results.machine["load_average"], results.machine["cpus"])


def _base64(picture: Path) -> str:
    return base64.b64encode(picture.read_bytes()).decode("ascii")
