"""The file of a run, and what got slower since another."""

import json
import os
import re
from pathlib import Path
from typing import Any

from benchmarks.rival import OURS

FOLDER = Path(__file__).parent / "results"
FORMAT = 2
_KEYS = ("quick", "machine", "contestants", "skipped", "failed", "cases", "limits", "peaks")

# Two runs on one machine differ by this much even where the quartiles of each lie close together:
# pages and clocks are dealt anew.
_MARGIN = 1.05


def path_for(record: dict[str, Any]) -> Path:
    """Return where a run belongs: a quick one does not replace a full one."""
    cpu = re.sub(r"\W+", "-", record["machine"]["cpu"].lower()).strip("-")
    quick = "-quick" if record["quick"] else ""
    return FOLDER / f"{cpu}-{record['machine']['isa']}{quick}.json"


def write(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content.encode() if isinstance(content, str) else content)
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
    if missing := [key for key in _KEYS if key not in record]:
        raise ValueError(f"{path} lacks {', '.join(missing)}; measure again to replace it")
    return record


def check_same_machine(old: dict[str, Any], machine: dict[str, Any]) -> None:
    """Raise ValueError if a run is not of the CPU and the instruction set of this machine."""
    for what in ("cpu", "isa"):
        theirs, ours = old["machine"].get(what), machine[what]
        if theirs != ours:
            raise ValueError(f"the old run is of {what} {theirs!r}, not {ours!r}; give one that is")


def apart(old: dict[str, Any], new: dict[str, Any]) -> dict[str, float]:
    """Return the cases in which two runs do not agree on tilewise: new time over old, by key.

    That is: three quarters of the times of one run are above three quarters of the other's, by
    more than 5 %.

    Raises
    ------
    ValueError
        The runs are not of the same CPU and instruction set.
    """
    check_same_machine(old, new["machine"])
    found = {}
    for key, (then, now) in _both(old, new).items():
        if now["q1"] > _MARGIN * then["q3"] or then["q1"] > _MARGIN * now["q3"]:
            found[key] = now["seconds"] / then["seconds"]
    return found


def slower(old: dict[str, Any], new: dict[str, Any]) -> dict[str, str]:
    """Return the cases in which tilewise got slower beyond the noise: a line for each key."""
    before = {key: then["seconds"] for key, (then, _) in _both(old, new).items()}
    return {
        key: f"{key}: {factor:.2f} times {before[key]:.3g} s"
        for key, factor in apart(old, new).items()
        if factor > 1
    }


def agreement(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return in how many cases a run agrees with an old one, and which that is."""
    cases = len(_both(old, new))
    agree = cases - len(apart(old, new))
    which = {name: old["machine"].get(name, "unknown") for name in ("commit", "when")}
    return {"agree": agree, "cases": cases} | which


def _both(old: dict[str, Any], new: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the figures of tilewise in both, by the keys of the cases that both have."""
    before = {case["key"]: case["results"][OURS] for case in old["cases"]}
    return {
        case["key"]: (before[case["key"]], case["results"][OURS])
        for case in new["cases"]
        if case["key"] in before
    }
