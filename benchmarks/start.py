"""From a case and a rival to what is timed: the one place that knows both."""

from collections.abc import Callable
from typing import Any

from benchmarks.cases.case import BESIDE, Case
from benchmarks.cases.products import Product
from benchmarks.rivals import RIVALS
from benchmarks.rivals.rival import Rival, UnsupportedError


def start(case: Case, rival: Rival, answer: Any = None) -> list[Callable[[], Any]]:
    """Return the calls that are timed, in turns, after a first one of each was right.

    `answer` is ``case.answer()``, where it is known already: some take longer than all rivals.
    Raises UnsupportedError where the library cannot do that, ArithmeticError where it is wrong.
    """
    if case.dtype not in rival.dtypes:
        raise UnsupportedError(f"has no {case.dtype}")
    rival.set_threads(case.threads)
    answer = case.answer() if answer is None else answer
    data, calls = case.data(), []
    for _ in range(case.sets):
        given = data if case.sets == 1 else {k: v.copy(order="K") for k, v in data.items()}
        call = getattr(rival, case.asks)(**given)
        returned = call()
        case.check(given, rival.result(returned, given.get("out")), answer)
        calls.append(call)
    return calls


def neighbour(case: Case) -> Callable[[], Any] | None:
    """Return what is called before each call of a case."""
    if case.after in ("", BESIDE):
        return None
    product = Product("neighbour", threads=case.threads, a=(512, 512), b=(512, 512))
    return start(product, RIVALS[case.after]())[0]
