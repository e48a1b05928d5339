"""The files of a run, a folder with one for each contestant, and what got slower since another.

A line is a case; the rest of it, such as its operations, is in the code, under the same key.
"""

import json
import os
import re
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.cases import all_cases
from benchmarks.machine import size
from benchmarks.rivals.rival import OURS
from benchmarks.run import Run
from benchmarks.turns import Row

FOLDER = Path(__file__).parent / "results"
FORMAT = 3
_HEAD = ("quick", "machine", "limits", "skipped")

# Two runs on one machine differ by this much even where the quartiles of each lie close together:
# pages and clocks are dealt anew.
_MARGIN = 1.05


def folder_for(run: Run) -> Path:
    """Return where a run belongs: a quick one does not replace a full one."""
    cpu = re.sub(r"\W+", "-", run.machine["cpu"].lower()).strip("-")
    return FOLDER / f"{cpu}-{run.machine['isa']}{'-quick' * run.quick}"


def write(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content.encode() if isinstance(content, str) else content)
    os.replace(part, path)


def save(run: Run, folder: Path) -> None:
    """Write the files of a run in place of those that are there."""
    head = {"format": FORMAT} | {name: getattr(run, name) for name in _HEAD}
    for path in folder.glob("*.json"):
        path.unlink()
    for name, about in run.contestants.items():
        reasons = Counter(run.left_out.get(name, {}).values())
        lines = {case.key: taken[name] for case, taken in run.cases.items() if name in taken}
        _write_lines(folder / f"{name}.json", about | {"left_out": reasons}, cases=lines)
    if run.shapes:
        _write_lines(folder / "shapes.json", {"seed": run.seed}, **run.shapes)
    write(folder / "run.json", json.dumps(_rounded(head), indent=1) + "\n")


def _write_lines(path: Path, head: dict[str, Any], **parts: dict[str, Any]) -> None:
    """Write a file of which each entry of a part has a line."""
    text = json.dumps(head, indent=1).removesuffix("\n}")
    for name, entries in parts.items():
        pairs = [(key, [_rounded(x) for x in taken if x != ""]) for key, taken in entries.items()]
        lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(taken)}" for key, taken in pairs)
        text += f',\n "{name}": {{\n{lines}\n }}'
    write(path, text + "\n}\n")


def _rounded(value: Any) -> Any:
    """Return figures with four significant digits, which is what they are good for."""
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    if not isinstance(value, float):
        return value
    short = float(f"{value:.4g}")
    return int(short) if short.is_integer() else short


def load(folder: Path) -> Run:
    """Return the run of a folder; cases that are no longer in the code are left out."""
    head = _read(folder / "run.json")
    if head.pop("format", None) != FORMAT or set(head) != set(_HEAD):
        raise ValueError(f"{folder} is no run of format {FORMAT}; measure again to replace it")
    run = Run(**head)
    run.cases = {c: {} for c in all_cases(size(run.machine, run.limits), quick=run.quick)}
    for path in sorted(folder.glob("*.json"), key=lambda path: (path.stem != OURS, path.stem)):
        content = _read(path)
        if path.stem == "shapes":
            run.seed, run.shapes = content.pop("seed"), content
        elif path.stem != "run":
            for case in run.cases:
                if taken := content["cases"].get(case.key):
                    run.cases[case][path.stem] = Row(*taken)
            about = ("version", "kernels", "settings")
            run.contestants[path.stem] = {name: content[name] for name in about}
    run.cases = {case: taken for case, taken in run.cases.items() if taken}
    return run


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text()))
    except (UnicodeDecodeError, ValueError, TypeError) as error:
        raise ValueError(f"{path} is no file of a run ({error}); measure again") from None


def check_comparable(old: Run, machine: dict[str, Any], *, quick: bool) -> None:
    """Raise ValueError unless a run is of this machine and kind."""
    for what in ("cpu", "isa"):
        if old.machine[what] != machine[what]:
            message = f"the old run is of {what} {old.machine[what]!r}, not {machine[what]!r}"
            raise ValueError(f"{message}; give one that is")
    if old.quick != quick:
        raise ValueError("only one of the runs is quick; give two of a kind")


def slower(old: Run, new: Run) -> dict[str, str]:
    """Return the cases in which tilewise got slower beyond the noise: a line for each key.

    That is in the ratios to most of its rivals, which the load of the machine does not change; in
    its time, where no rival is the same in both: in version, kernels and settings.
    """
    same = [name for name in new.contestants if new.contestants[name] == old.contestants.get(name)]
    lines = {}
    for case, now in new.cases.items():
        if OURS not in (then := old.cases.get(case, {})):
            continue
        rivals = [name for name in same if name in then and name in now and name != OURS]
        fell = [name for name in rivals if _is_beyond(then[name][3:6], now[name][3:6])]
        times = f"{then[OURS].time:.4g} us, now {now[OURS].time:.4g}"
        if 2 * len(fell) > len(rivals):
            factor = median(then[name].ratio / now[name].ratio for name in rivals)
            lines[case.key] = f"{case.key}: {factor:.2f} times, beside {', '.join(fell)} ({times})"
        elif not rivals and _is_beyond(now[OURS][:3], then[OURS][:3]):
            factor = now[OURS].time / then[OURS].time
            lines[case.key] = f"{case.key}: {factor:.2f} times ({times})"
    return lines


def _is_beyond(larger: Any, smaller: Any) -> bool:
    """Tell whether quartiles lie above others by more than 5 %."""
    return bool(larger[0] > _MARGIN * smaller[2])
