"""What the sources of each instruction set export.

The linker keeps one copy of a function that several objects define. If it were the copy compiled
for AVX-512, an older CPU would crash in code that has nothing to do with AVX-512. So such an object
may share no function with another, and may run nothing when the library is loaded.
"""

import re
import shutil
import sys
from pathlib import Path

import pytest

import tilewise
from tests.support.objects import ISAS, compile_commands, compile_source, run

pytestmark = pytest.mark.once

# Types of symbols that the linker merges across objects (man nm).
MERGED = set("WwVvuC")
# The compiler's own pointer for exceptions: data, the same in every object.
HARMLESS = {"DW.ref.__gxx_personality_v0"}


def merged_symbols(target: Path) -> list[str]:
    """Return the symbols that an object may share with others."""
    lines = run("nm", "--demangle", "--defined-only", str(target)).splitlines()
    fields = [line.split(maxsplit=2) for line in lines]  # address, type, name
    return [name for _, kind, name in fields if kind in MERGED and name not in HARMLESS]


def runs_at_load(target: Path) -> bool:
    """Tell whether an object has code that the loader runs, such as a global's constructor."""
    sections = run("readelf", "--sections", "--wide", str(target))
    return re.search(r"\.(init_array|ctors)\b", sections) is not None


@pytest.fixture(params=ISAS)
def isa(request):
    return request.param


# At -O0 every function that is called is there, so that none is hidden by having been inlined.
@pytest.fixture(params=["", "-O0"], ids=["as-built", "O0"])
def isa_object(request, isa, tmp_path):
    commands = compile_commands()
    command = commands.get(f"cpp/kernels/{isa}.cpp")
    if command is None:
        pytest.skip(f"this build has no {isa} kernels")
    return compile_source(command, request.param.split(), tmp_path / f"{isa}.o")


def test_isa_objects_share_nothing_and_run_nothing_at_load(isa, isa_object):
    symbols = merged_symbols(isa_object)
    assert symbols, "the kernels are templates: some must be there"
    shared = [symbol for symbol in symbols if not re.search(rf"\b{isa.capitalize()}<", symbol)]
    assert not shared, f"name the trait in their template arguments, or inline them: {shared}"
    assert not runs_at_load(isa_object), "a global has a dynamic initialiser"


@pytest.mark.parametrize(
    ("fault", "merged", "at_load"),
    [
        ("inline int shared(int x) { return x * x; } auto* keep = &shared;", True, False),
        ("inline int counter = 1; int* keep = &counter;", True, False),
        ("extern constinit const int value = 1;", False, False),
        ("extern int other(); int value = other();", False, True),
    ],
)
def test_planted_faults_are_seen(fault, merged, at_load, tmp_path):
    command = compile_commands()["cpp/kernels/portable.cpp"]
    source = tmp_path / "fault.cpp"
    source.write_text(fault + "\n")
    target = compile_source([*command[:-1], str(source)], [], tmp_path / "fault.o")
    assert bool(merged_symbols(target)) == merged
    assert runs_at_load(target) == at_load


def test_the_module_exports_only_its_entry():
    # Else another extension's copy of a function of the C++ library could take the place of ours.
    if not sys.platform.startswith("linux") or shutil.which("nm") is None:
        pytest.skip("reads the symbols as Linux has them, with nm")
    lines = run("nm", "--dynamic", "--defined-only", tilewise._core.__file__).splitlines()
    assert [line.split()[-1] for line in lines] == ["PyInit__core", "tilewise_get_num_threads"]
