"""Steps of one and two ranks on this machine, beside the cost model, which goes on to 1000 ranks.

Needs the extra mpi. Writes JSON and the picture of docs/scale.md.

    python -m benchmarks.ranks
"""

import json
import platform
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import tilewise as tw
from tilewise.distributed.cost_model import JobShape, Network, doubled, predict, step_cost
from tilewise.plots.style import line_style, new_axes

Array = NDArray[np.float32]

ROOT = Path(__file__).parents[1]
RESULT = Path(__file__).parent / "results" / "ranks.json"
PICTURE = ROOT / "docs" / "images" / "ranks.png"
SHAPES = [
    JobShape(rows, features, batch)
    for rows, features in ((200_000, 16), (1_000_000, 128), (100_000, 1024))
    for batch in (64, 1024, 16384)
]
ROUNDS = 3
ETHERNET = Network(latency=20e-6, bandwidth=3e9)


def rows_of(rank: int, ranks: int, shape: JobShape) -> tuple[Array, Array]:
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


def network_of(allreduce: dict[str, float]) -> Network:
    """Return what Allreduces of two ranks tell of what lies between them."""
    (_, short), (size, long) = sorted((int(size), t) for size, t in allreduce.items())
    return Network(latency=short / 2, bandwidth=size / (long - short))


def apart(weights: list[float], others: list[float]) -> float:
    """Return the greatest difference, over the greatest weight."""
    difference = np.abs(np.subtract(weights, others)).max()
    return float(difference / np.abs(weights).max())


def measure() -> dict[str, Any]:
    """Measure one rank and two in turns, and predict both."""
    runs: dict[int, list[dict[str, Any]]] = {1: [], 2: []}
    for _ in range(ROUNDS):
        for ranks, found in runs.items():
            found.append(run(ranks))
    medians = {
        ranks: np.median([one["steps"] for one in found], axis=0).tolist()
        for ranks, found in runs.items()
    }
    allreduce = {
        size: float(np.median([one["allreduce"][size] for one in runs[2]]))
        for size in runs[2][0]["allreduce"]
    }
    network, machine = network_of(allreduce), tw.machine(refresh=True)
    costs = [step_cost(shape.features) for shape in SHAPES]
    return {
        "cpu": machine.cpu,
        "isa": machine.isa,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "tilewise": tw.__version__,
        "machine": asdict(machine),
        "network_between_two_ranks": asdict(network),
        "steps": [
            {
                **asdict(shape),
                "cost": asdict(cost),
                "measured": {ranks: medians[ranks][i] for ranks in medians},
                "weights_apart": apart(*(found[0]["weights"][i] for found in runs.values())),
                "predicted": {
                    ranks: predict(shape, ranks, network, machine, cost).step_seconds()
                    for ranks in medians
                },
                "by_ethernet": {
                    ranks: {
                        every: predict(shape, ranks, ETHERNET, machine, cost).step_seconds(every)
                        for every in (1, 100)
                    }
                    for ranks in doubled(1000)
                },
            }
            for i, (shape, cost) in enumerate(zip(SHAPES, costs, strict=True))
        ],
    }


def draw(results: dict[str, Any]) -> None:
    """Draw a step over ranks: what was measured here, and the model over a network."""
    axes = new_axes((6.4, 4.4))
    shown = [entry for entry in results["steps"] if entry["features"] == 128]
    for i, entry in enumerate(shown):
        style = line_style(i)
        model = {int(ranks): times for ranks, times in entry["by_ethernet"].items()}
        for every, line in (("1", "-"), ("100", ":")):
            seconds = [times[every] for times in model.values()]
            label = f"batch {entry['batch_size']}" if every == "1" else None
            axes.plot(list(model), seconds, color=style["color"], linestyle=line, label=label)
        measured = {int(ranks): seconds for ranks, seconds in entry["measured"].items()}
        axes.plot(
            list(measured), list(measured.values()), color=style["color"],
            marker=style["marker"], linestyle="none",
        )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="ranks", ylabel="seconds of a step")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.figure.legend(loc="outside upper center", ncols=3)
    axes.figure.canvas.print_figure(PICTURE, dpi=150)


def main() -> None:
    """Measure, write, draw, and print measured over predicted."""
    results = json.loads(json.dumps(measure()))
    RESULT.write_text(json.dumps(results, indent=1) + "\n")
    draw(results)
    for entry in results["steps"]:
        ratios = {r: entry["measured"][r] / entry["predicted"][r] for r in entry["measured"]}
        faster = entry["measured"]["1"] / entry["measured"]["2"]
        said = ", ".join(f"{ranks} ranks {ratio:.2f}" for ranks, ratio in ratios.items())
        print(
            f"{entry['rows']} x {entry['features']}, batch {entry['batch_size']}: measured over "
            f"predicted {said}; two ranks are {faster:.2f} times as fast as one, and their weights "
            f"{entry['weights_apart']:.1g} of the greatest apart"
        )


if __name__ == "__main__":
    main()
