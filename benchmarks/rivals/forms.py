"""The same answer written in several ways, for libraries that compile what is written."""

from collections.abc import Callable, Hashable
from itertools import repeat
from math import prod
from typing import Any

from benchmarks.clock import clock, repeats_in
from benchmarks.rivals.rival import Call

_SECONDS = 0.02  # for each form
_FEW_TERMS = 2**26  # compiled as it stands, a product of more would take seconds


class Forms:
    """The forms that were fastest, by case: those of operands that take turns are tried once."""

    def __init__(self) -> None:
        self.last = ""  # the name of the form that was returned last
        self._fastest: dict[Hashable, str] = {}

    def fastest(self, case: Hashable, forms: dict[str, Call]) -> Call:
        """Return the fastest of the forms, which are tried before the clock starts."""
        if case not in self._fastest:
            turns = {name: repeat(call) for name, call in forms.items()}
            for calls in turns.values():
                clock(calls)  # compiles
            best = {name: clock(calls) for name, calls in turns.items()}
            for _ in range(min(100, repeats_in(_SECONDS, min(best.values())))):
                best = {name: min(best[name], clock(calls)) for name, calls in turns.items()}
            self._fastest[case] = min(best, key=lambda name: best[name])
        self.last = self._fastest[case]
        return forms[self.last]


def has_few_terms(a: Any, b: Any) -> bool:
    """Return whether `multiply_and_sum` is worth a try."""
    return prod(a.shape) * (1 if len(b.shape) == 1 else b.shape[-1]) <= _FEW_TERMS


def multiply_and_sum(a: Any, b: Any, add: Callable[[Any, int], Any]) -> Any:
    """Return ``a @ b`` by a library's sum over an axis."""
    if len(b.shape) == 1:
        return add(a * b, -1)
    if len(a.shape) > 1:
        b = b[..., None, :, :]
    return add(a[..., None] * b, -2)
