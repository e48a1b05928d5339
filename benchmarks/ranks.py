"""A step of minibatch SGD on one rank and on two of this machine.

Needs the extra mpi. Writes JSON, and from it the table and the picture of docs/scale.md.

    python -m benchmarks.ranks          # measures first
    python -m benchmarks.ranks --draw   # from the JSON of the last run
"""

import json
import subprocess
import sys
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import tilewise as tw
from benchmarks.clock import clock
from benchmarks.machine import ROOT, machine
from benchmarks.page import digits, table
from tilewise.plots.style import line_style, new_axes

Array = NDArray[np.float32]

RESULT = Path(__file__).parent / "results" / "ranks.json"
PAGE = ROOT / "docs" / "scale.md"
PICTURE = ROOT / "docs" / "images" / "ranks.png"
ROUNDS = 3
MARKS = ("<!-- figures of ranks.json -->\n", "<!-- end of figures -->")


class Shape(NamedTuple):
    """Rows and features of the whole data, and rows in a step of all ranks together."""

    rows: int
    features: int
    batch_size: int


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
    """Print, run by mpiexec, seconds per step and weights of each shape, and of an Allreduce."""
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    tw.set_num_threads(1)
    found: dict[str, Any] = {"steps": [], "weights": [], "allreduce": {}}
    for shape in SHAPES:
        X, y = rows_of(comm.rank, comm.size, shape)
        settings = {"batch_size": shape.batch_size, "learning_rate": 1e-4, "seed": 0}
        history = tw.fit(X, y, epochs=4, sampling="sequential", comm=comm, **settings)
        steps = -(-shape.rows // shape.batch_size)
        found["steps"].append(float(np.diff(history.seconds).min()) / steps)
        found["weights"].append(history.weights.tolist())
    for size in (8, 2**20):
        array = np.ones(size, np.float32)
        calls = repeat(lambda array=array: comm.Allreduce(MPI.IN_PLACE, array))
        seconds = [clock(calls, 1, comm.Barrier) for _ in range(200)]
        found["allreduce"][4 * size] = float(np.median(seconds))
    if comm.rank == 0:
        print(json.dumps(found))


def run(ranks: int) -> dict[str, Any]:
    """Measure on so many ranks."""
    mpiexec = Path(sys.executable).with_name("mpiexec")
    code = "from benchmarks.ranks import measured_steps; measured_steps()"
    command = [str(mpiexec), "-n", str(ranks), sys.executable, "-c", code]
    return dict(json.loads(subprocess.check_output(command, cwd=ROOT)))


def apart(weights: list[float], others: list[float]) -> float:
    """Return the greatest difference, over the greatest weight."""
    return float(np.abs(np.subtract(weights, others)).max() / np.abs(weights).max())


def measure() -> dict[str, Any]:
    """Measure one rank and two in turns."""
    turns = [{ranks: run(ranks) for ranks in (1, 2)} for _ in range(ROUNDS)]

    def median(ranks: int, figure: str, which: Any) -> float:
        return float(np.median([turn[ranks][figure][which] for turn in turns]))

    return machine() | {
        "date": machine()["when"],
        "allreduce_seconds": {
            size: median(2, "allreduce", size) for size in turns[0][2]["allreduce"]
        },
        "steps": [
            shape._asdict()
            | {"seconds": {ranks: median(ranks, "steps", i) for ranks in (1, 2)}}
            | {"weights_apart": apart(*(turns[0][ranks]["weights"][i] for ranks in (1, 2)))}
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


if __name__ == "__main__":
    if sys.argv[1:] != ["--draw"]:
        RESULT.write_text(json.dumps(measure(), indent=1) + "\n")
    last = json.loads(RESULT.read_text())
    draw(last)
    before, _, rest = PAGE.read_text().partition(MARKS[0])
    PAGE.write_text(before + MARKS[0] + figures(last) + MARKS[1] + rest.partition(MARKS[1])[2])
