"""Measure thresholds of cpp/*/tuning.hpp, and print the figures that stand beside them.

``python docs/sweep_tuning.py unpacked_b_panels rank_k_depth``, about a minute a value; without
names, all of them. Each value is built from a copy of the sources, as `pip install` builds them,
and measured in turns with the others: fresh processes, one thread, speed over today's value.
"""

import datetime
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import tilewise as tw
from tilewise import _core

_ROOT = Path(__file__).resolve().parent.parent
_ROUNDS = 7

# The other values of a threshold, and what shows the difference: products m, n, k of float32.
SWEEPS: dict[str, tuple[list[str], str]] = {
    "tiny_side": (["32", "48", "96"], "40x40x40 56x56x56 64x64x64 80x80x80 96x96x96"),
    "rank_k_depth": (["8", "12", "24"], "500x500x10 500x500x14 500x500x20 2000x200x16 200x2000x24"),
    "rank_k_rows": (["4", "32"], "7x2000x16 12x500x8 24x500x8 24x200x12T"),
    "short_depth": (["16", "32", "128"], "2000x10000x20 2000x10000x50 2000x5000x100"),
    "in_memory_l3_share": (["2", "4", "8"], "2500x1000x4 3500x1000x4 5000x1000x4 9000x1003x4"),
    "kc_l2_share": (["4", "16"], "1024x1024x1024 300x300x3000 2000x500x2000"),
    "max_kc": (["256", "384", "768"], "1024x1024x1024 300x300x3000 2000x500x2000"),
    "mc_l2_share": (["2", "8"], "1024x1024x1024 2000x500x2000"),
    "nc_l3_share": (["2", "8"], "1024x3000x1024 500x6000x500"),
    "unpacked_b_panels": (
        ["4", "8", "16", "32"],
        "48x1000x1000 90x1000x1000 120x2000x1000 200x700x700",
    ),
    "near_b_panels": (["12", "64"], "200x300x300 400x300x300 128x500x200"),
    "pack_strip": (["4", "8", "32"], "1000x1000x1000 700x700x700T"),
    "gemv_prefetch_bytes": (["512", "2048", "32768"], "3000000x1x8 1000000x1x20"),
    "gemv_prefetch_row": (["16", "64", "1000"], "1000000x1x20 600000x1x32 100000x1x200"),
    "gemv_strip": (["256", "4096"], "1x3000x9000 1x10000x5000"),
}

_WORKER = """
import sys, time
import numpy as np
import tilewise as tw
tw.set_num_threads(1)
for shape in sys.argv[1].split():
    m, n, k = map(int, shape.rstrip("T").split("x"))
    b = (np.ones((n, k), "f").T if shape.endswith("T") else np.ones((k, n), "f"))
    a, out, least, begun = np.ones((m, k), "f"), np.empty((m, n), "f"), np.inf, time.perf_counter()
    while time.perf_counter() < begun + 0.1:
        start = time.perf_counter()
        tw.matmul(a, b, out)
        least = min(least, time.perf_counter() - start)
    print(least)
"""


def sources(folder: Path) -> None:
    """Copy what a build needs."""
    for name in ("cpp", "src"):
        shutil.copytree(_ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.so"))
    for name in ("CMakeLists.txt", "README.md", "LICENSE", "pyproject.toml"):
        shutil.copy(_ROOT / name, folder)


def declared(folder: Path, name: str) -> tuple[Path, re.Match[str]]:
    """Return the file and the declaration of a threshold."""
    for path in sorted(folder.glob("cpp/*/tuning.hpp")):
        found = re.search(rf"constexpr \w+ {name} =\s*([^;]+);", path.read_text())
        if found:
            return path, found
    raise SystemExit(f"no tuning.hpp has a threshold {name}")


def build(folder: Path, name: str, value: str) -> Path:
    """Build the module with a value, and return a folder of it for PYTHONPATH."""
    path, found = declared(folder, name)
    text = path.read_text()
    path.write_text(text[: found.start(1)] + value + text[found.end(1) :])
    made = folder / "build"
    pybind11 = subprocess.check_output(
        [sys.executable, "-m", "pybind11", "--cmakedir"], text=True
    ).strip()
    configure = ["cmake", "-S", folder, "-B", made, "-DCMAKE_BUILD_TYPE=Release"]
    options = [f"-DPython_EXECUTABLE={sys.executable}", f"-Dpybind11_DIR={pybind11}"]
    for command in ([*configure, *options], ["cmake", "--build", made, "--parallel"]):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    package = folder / f"{name}={value}"
    shutil.copytree(folder / "src/tilewise", package / "tilewise")
    shutil.copy(next(made.glob("_core*.so")), package / "tilewise")
    path.write_text(text)
    return package


def measure(package: Path, shapes: str) -> list[float]:
    """Return the least seconds of each product, in a process of its own."""
    printed = subprocess.check_output(
        [sys.executable, "-c", _WORKER, shapes],
        text=True,
        env=os.environ | {"PYTHONPATH": str(package)},
    )
    return [float(line) for line in printed.split()]


def sweep(folder: Path, name: str) -> str:
    """Return the speeds of the other values of a threshold over that of today's."""
    others, shapes = SWEEPS[name]
    today = declared(folder, name)[1][1]
    packages = {value: build(folder, name, value) for value in [today, *others]}
    ratios: dict[str, list[float]] = {value: [] for value in others}
    for _ in range(_ROUNDS):
        seconds = {value: measure(package, shapes) for value, package in packages.items()}
        for value in others:
            pairs = zip(seconds[today], seconds[value], strict=True)
            ratios[value].append(statistics.geometric_mean(own / other for own, other in pairs))
    speeds = ", ".join(
        f"{value}: {statistics.median(found):.2f}" for value, found in ratios.items()
    )
    return f"{name} = {today}; {speeds}"


if __name__ == "__main__":
    print(f"// {_core.cpu_name()}, {tw.isa()}, {datetime.date.today()}, float32, one thread")
    with tempfile.TemporaryDirectory() as temporary:
        sources(Path(temporary))
        for threshold in sys.argv[1:] or SWEEPS:
            print(f"// {sweep(Path(temporary), threshold)}", flush=True)
