"""The layers of the source tree: a file uses only what lies below it."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.support.paths import ROOT

pytestmark = pytest.mark.once

CPP = ROOT / "cpp"
PACKAGE = ROOT / "src" / "tilewise"

CPP_LAYERS = {
    "base": 0,
    "cpu": 1,
    "threads": 2,
    "simd": 2,
    "kernels": 3,
    "gemm": 4,
    "sgd": 5,
    "measure": 6,
    "bindings": 7,
}
# The folders and modules of the package, the top first: each imports only what lies further down.
LAYERS = """
    __init__ __main__
    commands
    report
    d2l
    plots
    experiments
    tables
    custom_optimizer
    linear_regression estimator
    trainer
    distributed
    training
    data
    hardware
    products schedules timing _threads
    _checks _extras _files _format _threadpoolctl
    _core
"""
DEPTHS = {name: depth for depth, line in enumerate(LAYERS.split("\n")) for name in line.split()}
# Headers whose functions cannot be shared with other objects: types, constants, intrinsics.
FREESTANDING = {
    "bit",
    "concepts",
    "cstddef",
    "cstdint",
    "immintrin.h",
    "limits",
    "type_traits",
    "utility",
}
INTRINSICS = re.compile(r"(\w*intrin|cpuid|arm_\w+)\.h")
PYTHON = re.compile(r"Python\.h|(pybind11|numpy)/.*")

CPP_FILES = sorted(path.relative_to(CPP).as_posix() for path in CPP.rglob("*.[ch]pp"))
# Each compiles all kernels for one instruction set.
ISA_SOURCES = [name for name in CPP_FILES if re.fullmatch(r"kernels/(?!registry)\w+\.cpp", name)]
PYTHON_FILES = sorted(PACKAGE.rglob("*.py"))


@cache
def includes(name: str) -> tuple[list[str], list[str]]:
    """Return what a file of cpp/ includes in quotes and in angle brackets."""
    text = (CPP / name).read_text()
    quoted = re.findall(r'^\s*#\s*include\s*"(.+)"', text, re.MULTILINE)
    return quoted, re.findall(r"^\s*#\s*include\s*<(.+)>", text, re.MULTILINE)


def included_by(name: str) -> set[str]:
    """Return a file of cpp/ with all that it includes in quotes, and what those include."""
    found: set[str] = set()
    todo = [name]
    while todo:
        current = todo.pop()
        if current not in found:
            found.add(current)
            todo += includes(current)[0]
    return found


def imported(path: Path) -> set[tuple[str, str]]:
    """Return what a module imports of tilewise, wherever in the file it does: modules and names."""
    found: set[tuple[str, str]] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: write 'from tilewise.folder.module import name'"
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                found.add((module, "") if is_module(module) else (f"{node.module}", alias.name))
    return {(module, name) for module, name in found if module.split(".")[0] == "tilewise"}


def is_module(name: str) -> bool:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return any(path.with_suffix(suffix).is_file() for suffix in (".py", ".pyi")) or path.is_dir()


def test_the_lists_find_the_files():
    assert "bindings/module.cpp" in CPP_FILES
    assert "kernels/avx512.cpp" in ISA_SOURCES
    assert PACKAGE / "products.py" in PYTHON_FILES


@pytest.mark.parametrize("name", CPP_FILES)
def test_cpp_includes_only_lower_layers_or_its_own_folder(name):
    folder = name.split("/")[0]
    for included in includes(name)[0]:
        assert (CPP / included).is_file(), f'{name}: write "{included}" as "folder/file.hpp"'
        other = included.split("/")[0]
        assert other == folder or CPP_LAYERS[other] < CPP_LAYERS[folder], (
            f"{name} includes {included}"
        )


@pytest.mark.parametrize("name", CPP_FILES)
def test_special_headers_stay_on_their_layer(name):
    folder = name.split("/")[0]
    for header in includes(name)[1]:
        if INTRINSICS.fullmatch(header):
            assert folder in {"simd", "cpu"}, f"{name} includes <{header}>"
        if PYTHON.fullmatch(header):
            assert folder == "bindings", f"{name} includes <{header}>"


@pytest.mark.parametrize("name", CPP_FILES)
def test_no_memory_of_a_thread_is_the_loaders(name):
    # glibc ends the process where it cannot allocate it; threads/of_this_thread.hpp throws.
    code = re.sub(r"//.*", "", (CPP / name).read_text())
    assert "thread_local" not in code, f"{name}: use threads::of_this_thread"


@pytest.mark.parametrize("source", ISA_SOURCES)
def test_isa_sources_include_only_freestanding_headers(source):
    # A function of a standard header, compiled with AVX-512, could be the copy that the linker
    # keeps for the whole library.
    for name in sorted(included_by(source)):
        assert set(includes(name)[1]) <= FREESTANDING, name


def test_cmake_lists_every_source():
    text = re.sub(r"#.*", "", (ROOT / "CMakeLists.txt").read_text())
    assert "GLOB" not in text
    listed = set(re.findall(r"cpp/([\w/]+\.cpp)", text))
    assert listed == {name for name in CPP_FILES if name.endswith(".cpp")}


@pytest.mark.parametrize("name", [name for name in CPP_FILES if name.endswith(".hpp")])
def test_headers_have_pragma_once(name):
    assert "#pragma once" in (CPP / name).read_text().splitlines()


@pytest.mark.parametrize(
    "path", PYTHON_FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix()
)
def test_python_modules_import_only_lower_ones(path):
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    assert own in DEPTHS, f"give {own} a place in LAYERS"
    for module, _ in imported(path):
        other = module.split(".")[1] if "." in module else "__init__"
        assert other == own or DEPTHS[other] > DEPTHS[own], f"{own} imports {module}"


@pytest.mark.parametrize(
    "path", PYTHON_FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix()
)
def test_names_are_imported_from_the_module_that_defines_them(path):
    for module, name in imported(path):
        folder = PACKAGE.parent.joinpath(*module.split("."))
        assert not (name and folder.is_dir()), f"{name} from {module}: name its module"
