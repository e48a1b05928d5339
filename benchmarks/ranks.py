"""A step of minibatch SGD on one rank and on two of this machine.

Needs the extra mpi. Writes JSON, and from it the table of docs/scale.md.

    python -m benchmarks.ranks
"""

import json
import sys
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import tilewise as tw
from benchmarks.clock import clock
from benchmarks.machine import ROOT, in_fresh_process, machine
from benchmarks.page import marked, rendered
from benchmarks.results import FOLDER, rounded, write

RESULT = FOLDER / "ranks.json"
PAGE = ROOT / "docs" / "scale.md"
ROUNDS, SIZES = 3, (8, 2**20)  # of turns, and of floats in an Allreduce


# Rows and features of the whole data, and rows in a step of all ranks together.
SHAPES = [
    {"rows": rows, "features": features, "batch_size": batch}
    for rows, features in ((200_000, 16), (1_000_000, 128), (100_000, 1024))
    for batch in (64, 1024, 16384)
]


def steps() -> dict[str, Any] | None:
    """Return on rank 0 seconds per step of each shape, and of an Allreduce of each size."""
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    tw.set_num_threads(1)
    found: dict[str, Any] = {"steps": [], "allreduce": []}
    for shape in SHAPES:
        rows = shape["rows"] // comm.size
        X = np.random.default_rng(0).standard_normal((rows, shape["features"]), np.float32)
        history = tw.fit(
            X,
            X @ np.ones(shape["features"], np.float32),
            batch_size=shape["batch_size"],
            learning_rate=1e-4,
            epochs=4,
            sampling="sequential",
            seed=0,
            comm=comm,
        )
        count = -(-shape["rows"] // shape["batch_size"])
        found["steps"].append(float(np.diff(history.seconds).min()) / count)
    for size in SIZES:
        array = np.ones(size, np.float32)
        call = partial(comm.Allreduce, MPI.IN_PLACE, array)
        found["allreduce"].append(median(clock(call, 1, comm.Barrier) for _ in range(200)))
    return found if comm.rank == 0 else None


def measure() -> dict[str, Any]:
    """Measure one rank and two in turns."""
    mpiexec = str(Path(sys.executable).with_name("mpiexec"))
    turns: dict[int, list[Any]] = {1: [], 2: []}
    for ranks in [*turns] * ROUNDS:
        launcher = (mpiexec, "-n", str(ranks))
        turns[ranks].append(in_fresh_process("benchmarks.ranks:steps", launcher=launcher))

    def times(ranks: int, figure: str, which: int) -> float:
        return float(median(turn[figure][which] for turn in turns[ranks]))

    return machine() | {
        "allreduce_seconds": {str(4 * n): times(2, "allreduce", i) for i, n in enumerate(SIZES)},
        "steps": [
            shape | {"seconds": {str(ranks): times(ranks, "steps", i) for ranks in turns}}
            for i, shape in enumerate(SHAPES)
        ],
    }


def page(text: str, results: dict[str, Any]) -> str:
    """Return the page with the figures between its marks."""
    return marked(text, rendered("ranks.md.jinja", results=results))


if __name__ == "__main__":
    write(RESULT, json.dumps(rounded(measure()), indent=1) + "\n")
    write(PAGE, page(PAGE.read_text(), json.loads(RESULT.read_text())))
