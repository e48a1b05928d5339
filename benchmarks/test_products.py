"""Products: the groups tiny, square, skinny, layouts, stacks and, for several threads, threads."""

from collections.abc import Callable

import numpy as np
import pytest

import tilewise as tw
from benchmarks.cases import Case, check, operands, product_cases
from benchmarks.measure import all_threads
from benchmarks.rival import Rival, UnsupportedError
from benchmarks.rivals import RIVALS

CASES = product_cases(quick=True, threads=all_threads())


@pytest.mark.parametrize("name", RIVALS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.key.replace(" ", "-"))
def test_product(
    case: Case,
    name: str,
    contestant: Callable[[str], Rival],
    clock: Callable[..., None],
    rates: Callable[..., None],
) -> None:
    """Time one contestant at one product."""
    rival = contestant(name)
    a, b, out = operands(case)
    try:
        rival.set_threads(case.threads)
        call = rival.prepare(a, b, out)
    except UnsupportedError as reason:
        pytest.skip(f"{name}: {reason}")
    call()
    check(a, b, out)
    group = case.key if case.threads == 1 else f"threads: {case.key}"
    about = {"version": rival.version(), "kernels": rival.kernels(), "settings": rival.settings}
    clock(call, group, threads=case.threads, **about)
    rates(case.dtype, case.threads, case.flops, case.bytes)


@pytest.mark.parametrize("strategy", tw.STRATEGIES)
def test_strategy(strategy: str, clock: Callable[..., None], rates: Callable[..., None]) -> None:
    """Time one way to compute the same product."""
    case = Case("strategies", (256, 256), (256, 256), "float32")
    a, b, out = operands(case)
    tw.set_num_threads(1)
    tw.matmul(a, b, out, strategy=strategy)
    check(a, b, out)
    clock(lambda: tw.matmul(a, b, out, strategy=strategy), case.key, threads=1)
    rates(case.dtype, 1, case.flops, case.bytes)


@pytest.mark.parametrize("dtype", ["float16", "int8", "int16", "int32", "int64"])
@pytest.mark.parametrize("matmul", [tw.matmul, np.matmul], ids=["tilewise", "numpy"])
def test_dtype(dtype: str, matmul: Callable[..., object], clock: Callable[..., None]) -> None:
    """Time a type that no BLAS has; from -1 to 1, so that a float16 result is exact."""
    rng = np.random.default_rng(0)
    a, b = (rng.integers(-1, 2, (128, 128)).astype(dtype) for _ in range(2))
    out = np.empty_like(a)
    tw.set_num_threads(1)
    matmul(a, b, out)
    assert np.array_equal(out, (a.astype(np.int64) @ b.astype(np.int64)).astype(dtype))
    clock(lambda: matmul(a, b, out), f"dtypes {dtype}", threads=1)


@pytest.mark.parametrize("result", ["new", "out"])
@pytest.mark.parametrize("matmul", [tw.matmul, np.matmul], ids=["tilewise", "numpy"])
def test_call(result: str, matmul: Callable[..., object], clock: Callable[..., None]) -> None:
    """Time a call that has nothing to compute but a 2x2 product."""
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    out = np.empty_like(a)
    assert np.array_equal(matmul(a, a, out), [[7, 10], [15, 22]])
    call = (lambda: matmul(a, a)) if result == "new" else (lambda: matmul(a, a, out))
    clock(call, f"call-overhead {result}")
