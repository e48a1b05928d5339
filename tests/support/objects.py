"""Compiling single sources as the build does, to look at their objects."""

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT

# Each source in kernels/ but the registry is one instruction set; its trait is called like it.
ISAS = sorted({path.stem for path in (ROOT / "cpp" / "kernels").glob("*.cpp")} - {"registry"})


def compile_commands() -> dict[str, list[str]]:
    """Return the command of each source in the newest build without sanitizers."""
    databases = sorted(
        (ROOT / "build").glob("*/compile_commands.json"), key=lambda path: path.stat().st_mtime
    )
    for path in reversed(databases):
        text = path.read_text()
        if "-fsanitize" not in text:
            return {
                Path(entry["file"]).relative_to(ROOT).as_posix(): shlex.split(entry["command"])
                for entry in json.loads(text)
            }
    message = "there is no build/*/compile_commands.json; install the package from this folder"
    if os.environ.get("TILEWISE_REQUIRE_BUILD") == "1":
        pytest.fail(message)
    pytest.skip(message)


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stderr}"
    return done.stdout


def compile_source(command: list[str], extra: list[str], target: Path) -> Path:
    """Compile as the build does, plus the flags in `extra`; a warning is an error."""
    command = [*command, "-Werror", *extra]
    command[command.index("-o") + 1] = str(target)
    run(*command)
    return target
