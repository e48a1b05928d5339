"""The file of a run, and what got slower since another."""

import json
import os
import re
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.rival import OURS

FOLDER = Path(__file__).parent / "results"
FORMAT = 2
_KEYS = ("quick", "machine", "contestants", "skipped", "failed", "cases", "limits", "peaks")

# Two runs on one machine differ by this much even where the quartiles of each lie close together:
# pages and clocks are dealt anew.
_MARGIN = 1.05
_TIME, _RATIO = ("q1", "q3"), ("ratio_q1", "ratio_q3")


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


def check_comparable(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Raise ValueError unless two runs are of one machine and kind, and have all that is compared.

    The new one need not have been measured yet: without cases, it is known by the others.
    """
    for what in ("cpu", "isa"):
        theirs, ours = old["machine"].get(what), new["machine"][what]
        if theirs != ours:
            raise ValueError(f"the old run is of {what} {theirs!r}, not {ours!r}; give one that is")
    if old["quick"] != new["quick"]:
        raise ValueError("only one of the runs is quick; give two of a kind")
    cases = chain(old["cases"], new["cases"])
    figures = chain.from_iterable(case["results"].values() for case in cases)
    if not all(_RATIO[0] in each for each in figures):
        raise ValueError("a run has no quartiles of ratios; measure again to replace it")


def slower(old: dict[str, Any], new: dict[str, Any]) -> dict[str, str]:
    """Return the cases in which tilewise got slower beyond the noise: a line for each key.

    That is in the ratios to most of its rivals, which the load of the machine does not change; in
    its time, where no rival is the same in both.

    Raises
    ------
    ValueError
        The runs cannot be compared.
    """
    check_comparable(old, new)
    lines = {}
    for key, then, now in _both(old, new):
        rivals = _rivals(then, now)
        fell = [name for name in rivals if _change(then[name], now[name], _RATIO) < 0]
        times = f"{then[OURS]['seconds']:.3g} s, now {now[OURS]['seconds']:.3g} s"
        if 2 * len(fell) > len(rivals):
            factor = median(then[name]["ratio"] / now[name]["ratio"] for name in rivals)
            lines[key] = f"{key}: {factor:.2f} times, beside {', '.join(fell)} ({times})"
        elif not rivals and _change(then[OURS], now[OURS], _TIME) > 0:
            factor = now[OURS]["seconds"] / then[OURS]["seconds"]
            lines[key] = f"{key}: {factor:.2f} times ({times})"
    return lines


def agreement(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return how many times and ratios agree with those of an old run, and which that is.

    Raises
    ------
    ValueError
        The runs cannot be compared.
    """
    check_comparable(old, new)
    both = _both(old, new)
    times = [_change(then[OURS], now[OURS], _TIME) == 0 for _, then, now in both]
    ratios = [
        _change(then[name], now[name], _RATIO) == 0
        for _, then, now in both
        for name in _rivals(then, now)
    ]
    which = {name: old["machine"].get(name, "unknown") for name in ("commit", "when")}
    return {"times": [sum(times), len(times)], "ratios": [sum(ratios), len(ratios)]} | which


def _rivals(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    return [name for name in now if name in then and name != OURS]


def _change(then: dict[str, float], now: dict[str, float], quartiles: tuple[str, str]) -> int:
    """Return 1 or -1 if figures got larger or smaller by more than their spread and 5 %, else 0."""
    q1, q3 = quartiles
    larger, smaller = now[q1] > _MARGIN * then[q3], then[q1] > _MARGIN * now[q3]
    return int(larger) - int(smaller)


def _both(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return key, old and new results of the cases that both have.

    They are those of tilewise, and of the rivals with the version and the kernels of the old run.
    """
    same = {
        name
        for name, about in new["contestants"].items()
        if name == OURS or about == old["contestants"].get(name)
    }
    before, after = (
        {
            case["key"]: {name: case["results"][name] for name in case["results"] if name in same}
            for case in record["cases"]
        }
        for record in (old, new)
    )
    return [(key, before[key], now) for key, now in after.items() if key in before]
