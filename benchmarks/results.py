"""The files of a run: a folder with one for each contestant.

A line is a case; the rest of it, such as its operations, is in the code, under the same key.
"""

import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.cases import all_cases
from benchmarks.rivals.rival import OURS
from benchmarks.run import Run
from benchmarks.turns import Row

FOLDER = Path(__file__).parent / "results"
FORMAT = 4
_HEAD = ("quick", "machine", "limits", "skipped")


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
    write(folder / "run.json", json.dumps(rounded(head), indent=1) + "\n")


def _write_lines(path: Path, head: dict[str, Any], **parts: dict[str, Any]) -> None:
    """Write a file of which each entry of a part has a line."""
    text = json.dumps(head, indent=1).removesuffix("\n}")
    for name, entries in parts.items():
        pairs = ((json.dumps(key), json.dumps(rounded(taken))) for key, taken in entries.items())
        lines = ",\n".join(f"  {key}: {taken}" for key, taken in pairs)
        text += f',\n "{name}": {{\n{lines}\n }}'
    write(path, text + "\n}\n")


def rounded(value: Any) -> Any:
    """Return figures with four significant digits, which is what they are good for."""
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(inner) for inner in value]
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
    run.cases = {c: {} for c in all_cases(run.machine["cpus"], quick=run.quick)}
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
