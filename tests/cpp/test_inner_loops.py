"""The micro-kernels as compiled: their accumulators must stay in registers.

A compiler that spills them still gives the right answer, at a fraction of the speed.
"""

import re

import pytest

import tilewise as tw
from tests.support.objects import compile_commands, compile_source, run

# A multiply-add of the instruction set, as objdump prints it.
MULTIPLY_ADD = {"avx512": r"vfmadd\d+p[sd].*%zmm", "avx2": r"vfmadd\d+p[sd].*%ymm"}


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


@pytest.mark.parametrize("isa", MULTIPLY_ADD)
@pytest.mark.parametrize("element", ["float", "double"])
def test_the_inner_loop_of_the_full_tile_keeps_off_the_stack(isa, element, tmp_path):
    command = compile_commands().get(f"cpp/kernels/{isa}.cpp")
    if command is None:
        pytest.skip(f"this build has no {isa} kernels")
    target = compile_source(command, [], tmp_path / f"{isa}.o")
    listing = run("objdump", "-d", "--no-show-raw-insn", "--demangle", str(target))
    rows, vectors = (8, 3) if isa == "avx512" else (6, 2)
    name = rf"gemm_tile<.*{isa.capitalize()}<{element}>, {rows}, {vectors}, false>"
    [body] = [body for title, body in functions(listing).items() if re.search(name, title)]
    full = [
        loop
        for loop in loops(body)
        if sum(bool(re.match(MULTIPLY_ADD[isa], text)) for text in loop) == rows * vectors
    ]
    assert len(full) == 2, "the first steps, which ask for C, and the rest"
    on_stack = [[text for text in loop if re.search(r"%(rsp|rbp)", text)] for loop in full]
    assert not on_stack[-1], f"spilled: {on_stack[-1]}"


def test_the_tile_is_the_one_in_use():
    shape = {"avx512": (8, 48), "avx2": (6, 16), "portable": (6, 8)}
    assert tw.explain(100, 100, 100).tile == shape[tw.isa()]
