"""What the figures of a run depend on, beside the contestants."""

import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

import tilewise as tw
from benchmarks.cases.case import Size

ROOT = Path(__file__).parents[1]

BUSY = 0.5
"""Runnable threads over the minute before a run, above which others use the machine."""


def machine() -> dict[str, Any]:
    """Return CPU, system, commit, load and date."""
    return {
        "cpu": tw.hardware.cpu_name(),
        "isa": tw.isa(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "commit": _commit(),
        "load": round(os.getloadavg()[0], 1),
        "when": time.strftime("%Y-%m-%d %H:%M %z"),
    }


def size(machine: dict[str, Any], limits: dict[str, Any]) -> Size:
    """Return what of a run's machine decides which cases it has."""
    return Size(machine["cpus"], machine["memory"], limits["l3"])


def limits(*, refresh: bool) -> dict[str, Any]:
    """Return what `tilewise.machine` measures, or has measured: the best of each figure."""
    found = tw.machine(refresh=refresh)
    sizes = {name: getattr(found, name) for name in ("l1", "l2", "l3")}
    rates = {
        cores: {name: figure.best for name, figure in vars(getattr(found, cores)).items()}
        for cores in ("one_core", "all_cores")
    }
    return sizes | rates


def _commit() -> str:
    """Return the commit of this folder, with a + where a file that git knows is changed."""
    git = ["git", "-C", str(ROOT)]
    try:
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, check=True)
        changes = subprocess.run([*git, "status", "-s", "-uno"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit.stdout.decode().strip()[:12] + ("+" if changes.stdout else "")
