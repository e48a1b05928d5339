"""From a case and a rival to what is timed: the one place that knows both."""

from collections.abc import Callable
from typing import Any

from benchmarks.cases.case import BESIDE, Case
from benchmarks.cases.products import Product
from benchmarks.rivals import RIVALS
from benchmarks.rivals.rival import Rival, UnsupportedError


def start(case: Case, rival: Rival, answer: Any = None) -> Callable[[], Any]:
    """Return the call that is timed, after a first one was right.

    `answer` is ``case.answer()``, where it is known already: some take longer than all rivals.
    Raises UnsupportedError where the library cannot do that, ArithmeticError where it is wrong.
    """
    if case.dtype not in rival.dtypes:
        raise UnsupportedError(f"has no {case.dtype}")
    rival.set_threads(case.threads)
    data = case.data()
    call: Callable[[], Any] = getattr(rival, case.asks)(**data)
    found = rival.result(call(), data.get("out"))
    case.check(data, found, case.answer() if answer is None else answer)
    return call


def neighbour(case: Case) -> Callable[[], Any] | None:
    """Return what is called before each call of a case."""
    if case.after in ("", BESIDE):
        return None
    product = Product("neighbour", threads=case.threads, a=(512, 512), b=(512, 512))
    return start(product, RIVALS[case.after]())
