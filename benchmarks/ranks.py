"""A step of minibatch SGD on one rank and on two of this machine.

Needs the extra mpi. Writes JSON, and from it the table and the picture of docs/scale.md.

    python -m benchmarks.ranks          # measures first
    python -m benchmarks.ranks --draw   # from the JSON of the last run
"""

import json
import platform
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tilewise as tw
from benchmarks.page import digits, table
from tilewise.plots.style import line_style, new_axes

Array = NDArray[np.float32]

ROOT = Path(__file__).parents[1]
RESULT = Path(__file__).parent / "results" / "ranks.json"
PAGE = ROOT / "docs" / "scale.md"
PICTURE = ROOT / "docs" / "images" / "ranks.png"
ROUNDS = 3
MARKS = ("<!-- figures of ranks.json -->\n", "<!-- end of figures -->")


@dataclass(frozen=True)
class Shape:
    """Rows and features of the whole data, and rows in a step of all ranks together."""

    rows: int
    features: int
    batch_size: int

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-self.rows // self.batch_size)


SHAPES = [
    Shape(rows, features, batch)
    for rows, features in ((200_000, 16), (1_000_000, 128), (100_000, 1024))
    for batch in (64, 1024, 16384)
]


def rows_of(rank: int, ranks: int, shape: Shape) -> tuple[Array, Array]:
    """Return the rank's part of each batch of the same data, which one rank has whole."""
    random = np.random.default_rng(0)
    X = random.standard_normal((shape.rows, shape.features), np.float32)
    rows = np.arange(shape.rows)
    first = rows // shape.batch_size * shape.batch_size
    size = np.minimum(shape.batch_size, shape.rows - first)
    X = X[(rows - first) * ranks // size == rank]
    return X, X @ np.ones(shape.features, np.float32)


def measured_steps() -> None:
    """Print seconds per step and weights of each shape, and of an Allreduce by size.

    Run by mpiexec.
    """
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    tw.set_num_threads(1)
    found: dict[str, Any] = {"steps": [], "weights": [], "allreduce": {}}
    for shape in SHAPES:
        X, y = rows_of(comm.rank, comm.size, shape)
        settings = {"batch_size": shape.batch_size, "learning_rate": 1e-4, "seed": 0}
        history = tw.fit(X, y, epochs=4, sampling="sequential", comm=comm, **settings)
        found["steps"].append(float(np.diff(history.seconds).min()) / shape.steps)
        found["weights"].append(history.weights.tolist())
    for size in (8, 2**20):
        array, seconds = np.ones(size, np.float32), []
        for _ in range(200):
            comm.Barrier()
            begun = time.perf_counter()
            comm.Allreduce(MPI.IN_PLACE, array)
            seconds.append(time.perf_counter() - begun)
        found["allreduce"][4 * size] = float(np.median(seconds))
    if comm.rank == 0:
        print(json.dumps(found))


def run(ranks: int) -> dict[str, Any]:
    """Measure on so many ranks."""
    mpiexec = Path(sys.executable).with_name("mpiexec")
    code = "from benchmarks.ranks import measured_steps; measured_steps()"
    command = [str(mpiexec), "-n", str(ranks), sys.executable, "-c", code]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, cwd=ROOT)
    return dict(json.loads(done.stdout))


def apart(weights: list[float], others: list[float]) -> float:
    """Return the greatest difference, over the greatest weight."""
    difference = np.abs(np.subtract(weights, others)).max()
    return float(difference / np.abs(weights).max())


def measure() -> dict[str, Any]:
    """Measure one rank and two in turns."""
    runs: dict[int, list[dict[str, Any]]] = {1: [], 2: []}
    for _ in range(ROUNDS):
        for ranks, found in runs.items():
            found.append(run(ranks))
    medians = {
        ranks: np.median([one["steps"] for one in found], axis=0).tolist()
        for ranks, found in runs.items()
    }
    return {
        "cpu": tw.hardware.cpu_name(),
        "isa": tw.isa(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "tilewise": tw.__version__,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "allreduce_seconds": {
            size: float(np.median([one["allreduce"][size] for one in runs[2]]))
            for size in runs[2][0]["allreduce"]
        },
        "steps": [
            {
                **asdict(shape),
                "seconds": {ranks: medians[ranks][i] for ranks in medians},
                "weights_apart": apart(*(found[0]["weights"][i] for found in runs.values())),
            }
            for i, shape in enumerate(SHAPES)
        ],
    }


def times_as_fast(entry: dict[str, Any]) -> float:
    """Return the time of a step on one rank over that on two."""
    return float(entry["seconds"]["1"] / entry["seconds"]["2"])


def figures(results: dict[str, Any]) -> str:
    """Return what the page has between its marks."""
    messages = " and ".join(
        f"{digits(1e6 * seconds)} us for {int(size):,} bytes"
        for size, seconds in results["allreduce_seconds"].items()
    )
    rows = [
        [
            f"{entry['rows']:,} x {entry['features']:,}",
            f"{entry['batch_size']:,}",
            *(digits(1e6 * seconds) for seconds in entry["seconds"].values()),
            f"{times_as_fast(entry):.2f}",
        ]
        for entry in results["steps"]
    ]
    header = ["rows x features", "batch size", "us, one rank", "us, two ranks", "times as fast"]
    return (
        f"On {results['cpu']}, {results['isa']}, {results['date'][:10]}. An Allreduce of two ranks "
        f"takes {messages}.\n\n{table(header, rows)}\n"
    )


def draw(results: dict[str, Any]) -> None:
    """Draw how many times as fast two ranks are, over the batch size."""
    axes = new_axes()
    for i, features in enumerate(dict.fromkeys(entry["features"] for entry in results["steps"])):
        shown = [entry for entry in results["steps"] if entry["features"] == features]
        sizes, ratios = zip(*((e["batch_size"], times_as_fast(e)) for e in shown), strict=True)
        axes.plot(sizes, ratios, label=f"{features:,} features", **line_style(i))
    axes.axhline(1, color="black", linewidth=0.8)
    axes.set(xlabel="batch size, of both ranks together", ylabel="one rank's time / two ranks'")
    axes.set(xscale="log", xticks=sizes, xticklabels=[f"{size:,}" for size in sizes], ylim=(0, 2))
    axes.minorticks_off()
    axes.legend(loc="lower right")
    axes.figure.canvas.print_figure(PICTURE, dpi=150)


def main() -> None:
    """Measure unless told not to, and write."""
    if sys.argv[1:] != ["--draw"]:
        RESULT.write_text(json.dumps(measure(), indent=1) + "\n")
    results = json.loads(RESULT.read_text())
    draw(results)
    before, _, rest = PAGE.read_text().partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    PAGE.write_text(before + MARKS[0] + figures(results) + MARKS[1] + after)


if __name__ == "__main__":
    main()
