"""What the figures of a run depend on, beside the contestants."""

import json
import os
import platform
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

BUSY = 0.5
"""Runnable threads over the minute before a run, above which others use the machine."""


def machine() -> dict[str, Any]:
    """Return CPU, system, compiler, flags, commit, load and date."""
    import tilewise as tw

    return {
        "cpu": tw.hardware.cpu_name(),
        "isa": tw.isa(),
        "cpus": all_threads(),
        "memory": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "compiler": _compiler(Path(tw._core.__file__)),
        "flags": _flags(tw.isa()),
        "commit": _commit(),
        "load": round(os.getloadavg()[0], 1),
        "when": time.strftime("%Y-%m-%d %H:%M %z"),
    }


def all_threads() -> int:
    """Return how many CPUs this process may use."""
    return len(os.sched_getaffinity(0))


def _compiler(library: Path) -> str:
    """Return what the compiler has noted in the library."""
    found = re.search(rb"(GCC): \(.+?\) ([\d.]+)|(clang) version ([\d.]+)", library.read_bytes())
    return b" ".join(filter(None, found.groups())).decode() if found else "unknown"


def _flags(isa: str) -> str:
    """Return those of the kernels of an instruction set, in the last build in this repository."""
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    builds = (ROOT / "build").glob(f"*{python}*/compile_commands.json")
    for path in sorted(builds, key=os.path.getmtime, reverse=True):
        for source in json.loads(path.read_text()):
            if source["file"].endswith(f"/kernels/{isa}.cpp"):
                words = shlex.split(source["command"])
                return " ".join(word for word in words if re.match("-([fmD]|O|std)", word))
    return "unknown"


def _commit() -> str:
    """Return the commit of this folder, with a + where a file of it is changed.

    What git does not know, such as the results of a quick run, changes nothing.
    """
    git = ["git", "-C", str(ROOT)]
    try:
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, check=True)
        changes = subprocess.run([*git, "status", "-s", "-uno"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit.stdout.decode().strip()[:12] + ("+" if changes.stdout else "")
