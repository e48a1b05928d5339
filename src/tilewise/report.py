"""The report: the section's experiments on this machine, as tables, pictures, JSON and HTML."""

import importlib.util
import os
import platform
import sys
import textwrap
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tilewise import chapter, get_num_threads, hardware, page, tables
from tilewise.data import DataUnavailableError, load_airfoil, synthetic
from tilewise.machine import measured_again
from tilewise.output_files import check_outputs, outputs
from tilewise.results import Dataset, Results, to_json

__all__ = ["DATA", "FILES", "Dataset", "Results", "create", "text"]

DATA = ("auto", "airfoil", "synthetic")
FILES = ("results.json", *(f"{name}.png" for name in page.PICTURES), "report.html")

_ROWS, _FEATURES = 1500, 5


def create(
    out: str | os.PathLike[str],
    data: str = "auto",
    seed: int = 0,
    force: bool = False,
    quick: bool = False,
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
    quick : bool, default False
        Fewer sizes, rates and repetitions.

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
    ...     results = create(folder, data="synthetic", quick=True)
    ...     sorted(path.name for path in Path(folder).iterdir()) == sorted(FILES)
    True
    """
    out = Path(out)
    _check_extras()
    check_outputs(out, FILES, force)
    dataset = _load(data, seed)
    with outputs(out, FILES, force) as unfinished:
        results = _measure(dataset, seed, quick)
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


def _measure(dataset: Dataset, seed: int, quick: bool) -> Results:
    from tqdm import tqdm

    def bar(name: str) -> Callable[[Iterable[Any]], Iterable[Any]]:
        return partial(tqdm, delay=2, disable=None, leave=False, desc=name)

    X, y = dataset.X, dataset.y
    sizes = (32, 64, 128, 256) if quick else (32, 64, 128, 256, 512, 1024)
    rates = (0.01, 0.1, 1.0) if quick else (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
    batch_sizes = (1, 10, 100) if quick else (1, 3, 10, 30, 100, 300, 1000)
    return Results(
        machine=_describe_machine(),
        dataset=dataset,
        seed=seed,
        runs=chapter.four_runs(X, y, seed, progress=bar("training")),
        step_limit=chapter.step_limit(X),
        strategies=chapter.strategies(progress=bar("strategies")),
        size_sweep=chapter.size_sweep(sizes, repeats=1 if quick else 3, progress=bar("sizes")),
        frameworks=chapter.frameworks(16 if quick else 64, progress=bar("frameworks")),
        concise_form=chapter.concise_form(X, y, seed),
        batch_rate_sweep=chapter.batch_rate_sweep(
            X, y, batch_sizes, rates, seed=seed, progress=bar("batch sizes and rates")
        ),
        rate_decay=chapter.rate_decay(X, y, seed=seed),
        replacement=chapter.replacement(X, y, seed=seed),
        duplicated_data=chapter.duplicated_data(X, y, seed=seed),
        gradient_noise=chapter.gradient_noise(X, y, seed=seed),
        limits=measured_again(),
    )


def _describe_machine() -> dict[str, Any]:
    return {
        "cpu": hardware.cpu_name(),
        "system_cpus": os.cpu_count() or 1,  # the load average is that of the system
        "load_average": os.getloadavg()[0],
        "threads": get_num_threads(),
        "isa": hardware.isa(),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _write(results: Results, folder: Path) -> None:
    """Write ``FILES`` into an empty folder."""
    sections = page.sections(results)
    for section in sections:
        plot = section.draw()
        plot.set_title(section.picture_title, fontsize=10)
        plot.figure.canvas.print_figure(folder / f"{section.name}.png", dpi=160)
    (folder / "results.json").write_text(to_json(results), encoding="utf-8")
    html = page.to_html(results, sections, folder)
    (folder / "report.html").write_text(html, encoding="utf-8")
