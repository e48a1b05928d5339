"""An epoch on a data set larger than memory allows, beside reading alone and training alone.

Writes the data to a folder, measures in fresh processes with the page cache dropped (as root; else
the file says that it was warm), deletes the data, and writes JSON.

    python -m benchmarks.larger_than_memory --folder /big/disk --gigabytes 8
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

import tilewise as tw
from benchmarks.clock import clock
from benchmarks.machine import in_fresh_process, machine
from benchmarks.results import FOLDER, rounded, write
from benchmarks.turns import quartiles

RESULT = FOLDER / "larger_than_memory.json"
FEATURES, SHARDS, BLOCK = 127, 8, 2**15
TASKS = "read", "compute", "epoch"
SETTINGS: dict[str, Any] = {"batch_size": 32, "learning_rate": 1e-3, "seed": 0}


def write_shards(folder: Path, gigabytes: float) -> None:
    """Write shards of a linear model's rows, the labels in the last column."""
    random = np.random.default_rng(0)
    weights = random.standard_normal(FEATURES, np.float32)
    blocks = -(-int(gigabytes * 1e9) // (SHARDS * BLOCK * (FEATURES + 1) * 4))
    shape = (blocks * BLOCK, FEATURES + 1)
    for shard in range(SHARDS):
        table = np.lib.format.open_memmap(folder / f"{shard}.npy", "w+", np.float32, shape)
        for start in range(0, len(table), BLOCK):
            block = random.standard_normal((BLOCK, FEATURES + 1), np.float32)
            block[:, -1] += block[:, :-1] @ weights
            table[start : start + BLOCK] = block
        table.flush()


def start(task: str, folder: Path, bound: int) -> Callable[[], object]:
    """Return a call that reads all bytes, trains on a shard in memory, or fits for an epoch."""
    files = sorted(folder.iterdir())
    if task == "read":
        return partial(subprocess.run, ["cat", *files], stdout=subprocess.DEVNULL, check=True)
    if task == "epoch":
        return partial(tw.fit, tw.open_rows(folder, buffer_bytes=bound), epochs=1, **SETTINGS)
    table = np.load(files[0])
    X, y, trainer = table[:, :-1], table[:, -1].copy(), tw.Trainer(FEATURES, **SETTINGS)
    trainer.run_epoch(X, y)
    return lambda: [trainer.fit(X, y, record_every=2**62) for _ in files]


def measure(task: str, folder: str, bound: int) -> tuple[float, int]:
    """Return the seconds of a task, and by how many bytes the peak of the memory rose."""
    call = start(task, Path(folder), bound)
    before = _peak_bytes()
    return clock(call), _peak_bytes() - before


def _peak_bytes() -> int:
    """Return the greatest resident memory of this process so far."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024


def _drop_cache() -> bool:
    """Empty the page cache, if that is allowed."""
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return False
    return True


def run(folder: Path, bound: int) -> dict[str, Any]:
    """Measure in rounds, each in another order: a disk remembers what was read last."""
    rounds: dict[str, list[Any]] = {task: [] for task in TASKS}
    cold = True
    for task in (task for tasks in permutations(TASKS) for task in tasks):
        cold = _drop_cache() and cold
        rounds[task].append(
            in_fresh_process("benchmarks.larger_than_memory:measure", task, str(folder), bound)
        )
    seconds = {task: quartiles([taken for taken, _ in found]) for task, found in rounds.items()}
    return machine() | {
        "data_bytes": sum(path.stat().st_size for path in folder.iterdir()),
        "features": FEATURES,
        "settings": SETTINGS,
        "buffer_bytes": bound,
        "page_cache": "dropped before each run" if cold else "warm",
        "quartiles_of_seconds": seconds,
        "epoch_over_larger": seconds["epoch"][1] / max(seconds["read"][1], seconds["compute"][1]),
        "peak_bytes": max(peak for _, peak in rounds["epoch"]),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default=tempfile.gettempdir(), help="where there is room")
    parser.add_argument("--gigabytes", type=float, default=8.0)
    parser.add_argument("--buffer-bytes", type=int, default=10**9)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        write_shards(Path(name), arguments.gigabytes)
        results = run(Path(name), arguments.buffer_bytes)
    write(RESULT, json.dumps(rounded(results), indent=1) + "\n")
    print(RESULT.read_text())
