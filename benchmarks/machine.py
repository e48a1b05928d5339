"""What the figures of a run depend on, beside the contestants."""

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import tilewise as tw

ROOT = Path(__file__).parents[1]

BUSY = 0.5
"""Runnable threads over the minute before a run, above which others use the machine."""


def machine() -> dict[str, Any]:
    """Return CPU, system, commit, load and date."""
    return {
        "cpu": tw.hardware.cpu_name(),
        "isa": tw.isa(),
        "cpus": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "commit": _commit(),
        "load": round(os.getloadavg()[0], 1),
        "when": time.strftime("%Y-%m-%d %H:%M %z"),
    }


def limits(*, refresh: bool) -> dict[str, Any]:
    """Return what `tilewise.machine` measures, or has measured: the best of each figure."""
    found = tw.machine(refresh=refresh)
    sizes = {name: getattr(found, name) for name in ("l1", "l2", "l3")}
    rates = {
        cores: {name: figure.best for name, figure in vars(getattr(found, cores)).items()}
        for cores in ("one_core", "all_cores")
    }
    return sizes | rates


def in_fresh_process(function: str, *arguments: Any, launcher: tuple[str, ...] = ()) -> Any:
    """Return by JSON what ``module:function`` gives in a process, or in one of a launcher's."""
    code = f"""import json, pkgutil
found = pkgutil.resolve_name({function!r})(*{arguments!r})
found is None or print(json.dumps(found))"""
    return json.loads(subprocess.check_output([*launcher, sys.executable, "-c", code], cwd=ROOT))


def _commit() -> str:
    """Return the commit of this folder, with a + where a file that git knows is changed."""
    git = ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"]
    try:
        found = subprocess.run(git, cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return "unknown"
    return found.stdout.strip() or "unknown"
