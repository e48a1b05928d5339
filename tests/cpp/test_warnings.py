"""The sources compile without a warning.

Those of the instruction sets are compiled by `test_object_files.py`, where a warning is an error
too.
"""

import pytest

from tests.support.objects import ISAS, compile_commands, compile_source
from tests.support.paths import ROOT

pytestmark = [pytest.mark.once, pytest.mark.slow]

SOURCES = {path.relative_to(ROOT).as_posix() for path in (ROOT / "cpp").rglob("*.cpp")}


@pytest.mark.parametrize("source", sorted(SOURCES - {f"cpp/kernels/{isa}.cpp" for isa in ISAS}))
def test_a_source_compiles_without_a_warning(source, tmp_path):
    compile_source(compile_commands()[source], ["-fsyntax-only"], tmp_path / "unused.o")
