"""The sources compile without a warning.

Those of the instruction sets are compiled by `test_object_files.py`, where a warning is an error
too.
"""

from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.objects import ISAS, compile_commands, compile_source
from tests.support.paths import ROOT

pytestmark = [pytest.mark.once, pytest.mark.slow]

SOURCES = {path.relative_to(ROOT).as_posix() for path in (ROOT / "cpp").rglob("*.cpp")}


@pytest.mark.parametrize("source", sorted(SOURCES - {f"cpp/kernels/{isa}.cpp" for isa in ISAS}))
def test_a_source_compiles_without_a_warning(source, tmp_path):
    command = compile_commands()[source]
    headers = [folder for flag, folder in pairwise(command) if flag == "-isystem"]
    if not all(Path(folder).exists() for folder in headers):
        pytest.skip("pip has deleted the environment that it built this in")
    compile_source(command, ["-fsyntax-only"], tmp_path / "unused.o")
