"""An epoch on a data set larger than memory allows, beside reading alone and training alone.

Writes the data to a folder, measures in fresh processes with the page cache dropped (as root; else
the file says that it was warm), deletes the data, and writes JSON.

    python -m benchmarks.larger_than_memory --folder /big/disk --gigabytes 8
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from itertools import permutations, repeat
from pathlib import Path
from typing import Any

import numpy as np

import tilewise as tw
from benchmarks.clock import clock
from benchmarks.machine import machine

RESULT = Path(__file__).parent / "results" / "larger_than_memory.json"
FEATURES, SHARDS, BLOCK = 127, 8, 2**15
SETTINGS = {"batch_size": 32, "learning_rate": 1e-3, "seed": 0}


def write(folder: Path, gigabytes: float) -> None:
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


def read(folder: Path, bound: int) -> dict[str, float]:
    """Read all bytes of the files into one buffer."""
    buffer = bytearray(2**24)

    def call() -> None:
        for path in sorted(folder.iterdir()):
            with open(path, "rb", buffering=0) as file:
                while file.readinto(buffer):
                    pass

    return {"seconds": clock(repeat(call))}


def compute(folder: Path, bound: int) -> dict[str, float]:
    """Train on what fits a buffer, in memory, with the records of a fit; scaled to all rows."""
    rows = tw.open_rows(folder, buffer_bytes=bound)
    n = min(rows.n_rows // SHARDS, bound // 2 // ((FEATURES + 1) * 4))
    table = np.load(folder / "0.npy", mmap_mode="r")[:n].copy()
    X, y = table[:, :-1], table[:, -1].copy()
    trainer = tw.Trainer(FEATURES, **SETTINGS)
    trainer.run_epoch(X, y)
    seconds = clock(repeat(lambda: trainer.fit(X, y, record_every=2**62)))
    return {"seconds": seconds * rows.n_rows / n}


def epoch(folder: Path, bound: int) -> dict[str, float]:
    """Fit for one epoch."""
    rows = tw.open_rows(folder, buffer_bytes=bound)
    before, history = _peak_bytes(), []
    seconds = clock(repeat(lambda: history.append(tw.fit(rows, epochs=1, **SETTINGS))))
    loss = history[0].losses[-1]
    return {"seconds": seconds, "peak_bytes": _peak_bytes() - before, "loss": loss}


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


def _fresh(task: str, folder: Path, bound: int) -> dict[str, float]:
    """Do one of the tasks in a process of its own."""
    code = f"""import json, pathlib
from benchmarks import larger_than_memory as tool
print(json.dumps(tool.{task}(pathlib.Path({str(folder)!r}), {bound})))"""
    return dict(json.loads(subprocess.check_output([sys.executable, "-c", code])))


def measure(folder: Path, bound: int) -> dict[str, Any]:
    """Measure in rounds, each in another order: a disk remembers what was read last.

    An epoch has its median; reading and training have their least, since a limit is what the
    machine can do.
    """
    rounds: dict[str, list[dict[str, float]]] = {"read": [], "compute": [], "epoch": []}
    cold = True
    for task in (task for tasks in permutations(rounds) for task in tasks):
        cold = _drop_cache() and cold
        rounds[task].append(_fresh(task, folder, bound))
    seconds = {task: min(run["seconds"] for run in found) for task, found in rounds.items()}
    seconds["epoch"] = float(np.median([run["seconds"] for run in rounds["epoch"]]))
    return machine() | {
        "data_bytes": sum(path.stat().st_size for path in folder.iterdir()),
        "features": FEATURES,
        "settings": SETTINGS,
        "buffer_bytes": bound,
        "page_cache": "dropped before each run" if cold else "warm",
        "seconds": seconds,
        "epoch_over_larger": seconds["epoch"] / max(seconds["read"], seconds["compute"]),
        "peak_bytes": max(run["peak_bytes"] for run in rounds["epoch"]),
        "rounds": rounds,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default=tempfile.gettempdir(), help="where there is room")
    parser.add_argument("--gigabytes", type=float, default=8.0)
    parser.add_argument("--buffer-bytes", type=int, default=10**9)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        write(Path(name), arguments.gigabytes)
        results = measure(Path(name), arguments.buffer_bytes)
    RESULT.write_text(json.dumps(results, indent=1) + "\n")
    print(*(f"{name} {results[name]}" for name in ("seconds", "epoch_over_larger", "peak_bytes")))
