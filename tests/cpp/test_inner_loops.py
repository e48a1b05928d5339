"""The micro-kernels as compiled: their accumulators must stay in registers.

A compiler that spills them still gives the right answer, at a fraction of the speed.
"""

import re

import pytest

import tilewise as tw
from tests.support.objects import ISAS, compile_commands, compile_source, run

# A multiply-add of whole vectors, or the multiplication of one that is not fused, as objdump prints
# it.
MULTIPLY_ADD = r"vfmadd\d+p[sd]\b|v?mulp[sd]\b|fmla\b"


def functions(listing: str) -> dict[str, list[tuple[int, str]]]:
    """Return the instructions of each function of a disassembly, with their addresses."""
    found: dict[str, list[tuple[int, str]]] = {}
    for line in listing.splitlines():
        if header := re.match(r"[0-9a-f]+ <(.+)>:$", line):
            body = found.setdefault(header[1], [])
        elif instruction := re.match(r"\s*([0-9a-f]+):\t(.+)", line):
            body.append((int(instruction[1], 16), instruction[2]))
    return found


def loops(body: list[tuple[int, str]]) -> list[list[str]]:
    """Return the bodies of the innermost loops: from the target of a jump back to the jump."""
    spans = []
    for address, text in body:
        jump = re.match(r"j\w+\s+([0-9a-f]+) ", text)
        if jump and int(jump[1], 16) < address:
            spans.append((int(jump[1], 16), address))
    innermost = [
        span
        for span in spans
        if not any(span != other and span[0] <= other[0] and other[1] <= span[1] for other in spans)
    ]
    return [[text for address, text in body if low <= address <= high] for low, high in innermost]


def full_tile(
    isa: str, element: str, found: dict[str, list[tuple[int, str]]]
) -> tuple[int, int, list[list[str]]]:
    """Return rows and vectors of the largest micro-kernel, and its loops."""
    name = rf"gemm_tile<.*\b{isa.capitalize()}<{element}>, (\d+), (\d+), false, true>"
    tiles = {
        (int(tile[1]), int(tile[2])): body
        for title, body in found.items()
        if (tile := re.search(name, title))
    }
    rows, vectors = max(tiles)
    return rows, vectors, loops(tiles[rows, vectors])


@pytest.fixture(scope="module", params=ISAS)
def compiled(request, tmp_path_factory):
    """Return an instruction set and the disassembly of its object."""
    command = compile_commands().get(f"cpp/kernels/{request.param}.cpp")
    if command is None:
        pytest.skip(f"this build has no {request.param} kernels")
    target = compile_source(command, [], tmp_path_factory.mktemp("isa") / "kernels.o")
    listing = run("objdump", "-d", "--no-show-raw-insn", "--demangle", str(target))
    return request.param, functions(listing)


@pytest.mark.parametrize("element", ["float", "double"])
def test_the_inner_loop_of_the_full_tile_keeps_off_the_stack(compiled, element):
    isa, found = compiled
    rows, vectors, inner = full_tile(isa, element, found)
    full = [
        loop
        for loop in inner
        if sum(bool(re.match(MULTIPLY_ADD, text)) for text in loop) == rows * vectors
    ]
    assert len(full) == 2, "the first steps, which prefetch C, and the rest"
    on_stack = [[text for text in loop if re.search(r"%(rsp|rbp)", text)] for loop in full]
    assert not on_stack[-1], f"spilled: {on_stack[-1]}"
    if isa == tw.isa():
        dtype = {"float": "float32", "double": "float64"}[element]
        tile = tw.explain(100, 100, 100, dtype).tile
        assert tile is not None
        assert tile[0] == rows
        assert tile[1] % vectors == 0
