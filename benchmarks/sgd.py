"""An epoch of minibatch SGD beside its rivals, and beside the time that reading X takes.

``python -m benchmarks.sgd [--quick]`` writes a table and a JSON to benchmarks/results/sgd. All
contestants run in turns in one process, on one thread unless a line says more.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

import tilewise as tw
from benchmarks import results, trainers
from benchmarks.rival import Array

SAMPLINGS = ("sequential", "permutation", "chunked")
LARGE = ((1_000_000, 16), (1_000_000, 128), (200_000, 1024))
CHAPTER = "torch as in the chapter, shuffled"
Clocked = Callable[[], float]
"""Runs once and returns seconds."""


def medians(contestants: dict[str, Clocked], turns: int) -> dict[str, float]:
    """Return the median seconds of each, after a turn that does not count."""
    samples: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(turns + 1):
        for name, run in contestants.items():
            seconds = run()
            if turn > 0:
                samples[name].append(seconds)
    return {name: statistics.median(taken) for name, taken in samples.items()}


def native(
    X: Array, y: Array, batch_size: int, sampling: str, epochs: int, threads: int = 1
) -> Clocked:
    """Return what trains with tilewise, and takes the seconds of an epoch from its history."""

    def run() -> float:
        with tw.threads(threads):
            history = tw.fit(
                X,
                y,
                batch_size=batch_size,
                learning_rate=1e-3,
                epochs=epochs,
                sampling=sampling,
                record_every=10**15,
                seed=0,
            )
        return history.seconds_per_epoch

    return run


def timed(action: Callable[[], Any]) -> Clocked:
    """Return what runs the action once and takes its time."""

    def run() -> float:
        begin = time.perf_counter()
        action()
        return time.perf_counter() - begin

    return run


def scikit_learn(X: Array, y: Array, *, shuffle: bool, epochs: int) -> Clocked:
    """Return SGDRegressor.fit, its seconds an epoch."""
    from sklearn.linear_model import SGDRegressor

    model = SGDRegressor(
        penalty=None,
        learning_rate="constant",
        eta0=1e-3,
        shuffle=shuffle,
        max_iter=epochs,
        tol=None,
    )
    whole = timed(lambda: model.fit(X, y))
    return lambda: whole() / epochs


def airfoil_lines(turns: int) -> list[dict[str, Any]]:
    """Return the lines on 1500 rows of 5 features."""
    X, y, _, _ = tw.data.synthetic(1500, 5, noise=0.5, seed=0)
    X, y = X.astype(np.float32), y.astype(np.float32)
    lines = []
    for batch_size in (1, 10, 100, 1500):
        contestants = {sampling: native(X, y, batch_size, sampling, 100) for sampling in SAMPLINGS}
        if batch_size == 1:
            contestants["scikit-learn, in order"] = scikit_learn(X, y, shuffle=False, epochs=50)
            contestants["scikit-learn, shuffled"] = scikit_learn(X, y, shuffle=True, epochs=50)
        contestants["numpy"] = timed(trainers.numpy(X, y, batch_size, 1e-3))
        contestants["torch"] = timed(trainers.torch(X, y, batch_size, 1e-3))
        contestants[CHAPTER] = timed(trainers.torch_chapter(X, y, batch_size, 1e-3))
        lines.append({"data": "1500 x 5", "batch_size": batch_size, **medians(contestants, turns)})
    return lines


def large_lines(turns: int, shrink: int) -> list[dict[str, Any]]:
    """Return the lines on data that no cache holds."""
    lines = []
    rng = np.random.default_rng(0)
    for n, d in LARGE:
        X = rng.standard_normal((n // shrink, d), dtype=np.float32)
        y = rng.standard_normal(n // shrink, dtype=np.float32)
        halves = X.reshape(2, -1)
        for batch_size in (1, 32, 1024):
            contestants = {name: native(X, y, batch_size, name, 1) for name in SAMPLINGS}
            contestants["read"] = timed(lambda halves=halves: np.dot(halves[0], halves[1]))
            if batch_size == 1:
                contestants["scikit-learn, in order"] = scikit_learn(X, y, shuffle=False, epochs=1)
                contestants["scikit-learn, shuffled"] = scikit_learn(X, y, shuffle=True, epochs=1)
            line = {"data": f"{n // shrink} x {d}", "batch_size": batch_size}
            lines.append(line | medians(contestants, turns))
            print(line, flush=True)
    return lines


def thread_lines(turns: int) -> list[dict[str, Any]]:
    """Return the lines of two threads beside one, on data in L3."""
    lines = []
    rng = np.random.default_rng(0)
    for n, d in ((16_384, 128), (4_096, 1024)):
        X = rng.standard_normal((n, d), dtype=np.float32)
        y = rng.standard_normal(n, dtype=np.float32)
        contestants = {
            "sequential": native(X, y, 1024, "sequential", 20),
            "two threads": native(X, y, 1024, "sequential", 20, threads=2),
        }
        line = {"data": f"{n} x {d}, in cache", "batch_size": 1024}
        lines.append(line | medians(contestants, turns))
    return lines


def markdown(record: dict[str, Any]) -> str:
    """Return the table: microseconds of tilewise, and how many times longer the others take."""
    machine = record["machine"]
    rivals = ("scikit-learn, in order", "scikit-learn, shuffled", "numpy", "torch", CHAPTER)
    head = ["Rows x features", "Batch", *(f"{s}, us" for s in SAMPLINGS), "over reading X", *rivals]
    head.append("two threads")
    rows = ["| " + " | ".join(head) + " |", "| --- " * len(head) + "|"]
    for line in record["lines"]:
        own = [f"{line[s] * 1e6:.4g}" if s in line else "" for s in SAMPLINGS]
        over = [f"{line[s] / line['read']:.2f}" for s in SAMPLINGS] if "read" in line else []
        ratios = []
        for rival in rivals:
            own_sampling = "permutation" if rival.endswith("shuffled") else "sequential"
            ratios.append(f"{line[rival] / line[own_sampling]:.3g}" if rival in line else "")
        two = f"{line['sequential'] / line['two threads']:.2f}" if "two threads" in line else ""
        cells = [line["data"], str(line["batch_size"]), *own, " / ".join(over), *ratios, two]
        rows.append("| " + " | ".join(cells) + " |")
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    return (
        f"# SGD on {machine['cpu']}, {machine['isa']}\n\n"
        f"float32, one thread, commit {machine['commit']}, {machine['when']}, {versions}.\n"
        "Seconds are of an epoch, drawing the order of the rows included; medians of turns. A\n"
        "rival's figure is its time over that of tilewise in order, or permuted where it\n"
        "shuffles. Two threads: how many times faster than one.\n"
        "Reading X is one dot product of its two halves by NumPy, on one thread.\n\n"
        + "\n".join(rows)
        + "\n"
    )


def main() -> None:
    """Measure, print and keep the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sgd", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, fewer turns")
    quick = parser.parse_args().quick
    turns = 3 if quick else 7
    with threadpool_limits(1):
        lines = airfoil_lines(turns) + large_lines(turns, 10 if quick else 1) + thread_lines(turns)
    record = {
        "quick": quick,
        "machine": results.machine(),
        "versions": {name: version(name) for name in ("numpy", "scikit-learn", "torch")},
        "lines": lines,
    }
    table = markdown(record)
    print(table)
    path = results.path_for(record)
    path = path.parent / "sgd" / path.name
    results.write(path, json.dumps(record, indent=1) + "\n")
    results.write(path.with_suffix(".md"), table)


if __name__ == "__main__":
    main()
