"""The file of a run: what it holds, and what got slower since another."""

import json
import os
import platform
import re
import subprocess
import time
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"
FORMAT = 1

# Two runs on one machine differ by this much even where the quartiles of each lie close together:
# pages and clocks are dealt anew.
_MARGIN = 1.05


def machine() -> dict[str, Any]:
    """Return what the figures depend on, beside the contestants."""
    import tilewise as tw

    return {
        "cpu": tw.hardware.cpu_name(),
        "isa": tw.isa(),
        "cpus": len(os.sched_getaffinity(0)),
        "system": platform.system(),
        "python": platform.python_version(),
        "compiler": _compiler(Path(tw._core.__file__)),
        "commit": _commit(),
        "load": round(os.getloadavg()[0], 1),
        "when": time.strftime("%Y-%m-%d %H:%M %z"),
    }


def _compiler(library: Path) -> str:
    """Return what the compiler has noted in the library."""
    found = re.search(rb"(GCC): \(.+?\) ([\d.]+)|(clang) version ([\d.]+)", library.read_bytes())
    return b" ".join(filter(None, found.groups())).decode() if found else "unknown"


def _commit() -> str:
    """Return the commit of this folder, with a + where something is not committed."""
    git = ["git", "-C", str(FOLDER.parent)]
    try:
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, check=True)
        changes = subprocess.run([*git, "status", "-s", ".."], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit.stdout.decode().strip()[:12] + ("+" if changes.stdout else "")


def path_for(record: dict[str, Any]) -> Path:
    """Return where a run belongs: a quick one does not replace a full one."""
    cpu = re.sub(r"\W+", "-", record["machine"]["cpu"].lower()).strip("-")
    quick = "-quick" if record["quick"] else ""
    return FOLDER / f"{cpu}-{record['machine']['isa']}{quick}.json"


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text)
    os.replace(part, path)


def save(record: dict[str, Any], path: Path) -> None:
    """Write the record of a run."""
    write(path, json.dumps({"format": FORMAT} | record, indent=1) + "\n")


def load(path: Path) -> dict[str, Any]:
    """Return the record of a run.

    Raises
    ------
    ValueError
        The file is no such record.
    """
    try:
        record = json.loads(path.read_text())
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not JSON ({error}); give one of benchmarks/results") from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise ValueError(f"{path} has no format {FORMAT}; measure again to replace it")
    return record


def slower(old: dict[str, Any], new: dict[str, Any], contestant: str) -> list[str]:
    """Return a line for each case in which a contestant got slower beyond the noise.

    That is: three quarters of the new times are above three quarters of the old ones, by more
    than 5 %. Cases that only one of the runs has are left out.

    Raises
    ------
    ValueError
        The runs are not of the same CPU and instruction set.
    """
    for what in ("cpu", "isa"):
        if old["machine"][what] != new["machine"][what]:
            ours, theirs = new["machine"][what], old["machine"][what]
            raise ValueError(f"the old run is of {what} {theirs!r}, not {ours!r}; give one that is")
    before = {case["key"]: case["results"].get(contestant) for case in old["cases"]}
    lines = []
    for case in new["cases"]:
        then, now = before.get(case["key"]), case["results"][contestant]
        if then is not None and now["q1"] > _MARGIN * then["q3"]:
            factor = now["seconds"] / then["seconds"]
            lines.append(f"{case['key']}: {factor:.2f} times {then['seconds']:.3g} s")
    return lines
