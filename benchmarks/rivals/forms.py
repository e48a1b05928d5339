"""The same answer written in several ways, of which another is fastest in each case."""

from collections.abc import Callable, Hashable
from itertools import product
from math import inf, prod
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.epochs import Epochs
from benchmarks.rival import Array, Call

_SECONDS = 0.02  # for each form
_FEW_TERMS = 2**26  # compiled as it stands, a product of more would take seconds


class Forms:
    """The forms that were fastest, by case: those of operands that take turns are tried once.

    Attributes
    ----------
    last : str or None
        The name of the form that was returned last.
    """

    def __init__(self) -> None:
        self.last: str | None = None
        self._fastest: dict[Hashable, str] = {}

    def fastest(self, case: Hashable, forms: dict[str, Call]) -> Call:
        """Return the fastest of the forms, which are tried before the clock starts."""
        if case not in self._fastest:
            self._fastest[case] = _tried(forms)
        self.last = self._fastest[case]
        return forms[self.last]


def _tried(forms: dict[str, Call]) -> str:
    """Return the name of the fastest: the best of calls in turns, after one that compiles."""
    for call in forms.values():
        call()
    best = dict.fromkeys(forms, inf)
    end = perf_counter() + _SECONDS * len(forms)
    while True:
        for name, call in forms.items():
            start = perf_counter()
            call()
            best[name] = min(best[name], perf_counter() - start)
        if perf_counter() > end:
            return min(best, key=lambda name: best[name])


def of_steps() -> dict[tuple[bool, bool], str]:
    """Return the forms of a step of SGD: whether predictions and gradient multiply and sum."""
    names = "product", "multiply and sum"
    return {
        (predict, gradient): f"predictions: {names[predict]}, gradient: {names[gradient]}"
        for predict, gradient in product((False, True), repeat=2)
    }


def has_few_terms(a: Any, b: Any) -> bool:
    """Return whether `multiply_and_sum` is worth a try."""
    return prod(a.shape) * (1 if len(b.shape) == 1 else b.shape[-1]) <= _FEW_TERMS


def multiply_and_sum(a: Any, b: Any, add: Callable[[Any, int], Any]) -> Any:
    """Return ``a @ b`` without a product of matrices, for a library that compiles.

    Parameters
    ----------
    a, b : array
        Of any library.
    add : callable
        Its sum over an axis, in the dtype of the array.
    """
    if len(b.shape) == 1:
        return add(a * b, -1)
    if len(a.shape) > 1:
        b = b[..., None, :, :]
    return add(a[..., None] * b, -2)


def orders(task: Epochs, rng: np.random.Generator) -> Array:
    """Return the rows of each epoch in a new order, which NumPy draws faster than XLA sorts.

    They are empty where the epochs are in order.
    """
    if task.sampling == "sequential":
        return np.empty((task.epochs, 0), np.int32)
    rows = np.arange(task.rows, dtype=np.int32)
    return np.stack([rng.permutation(rows) for _ in range(task.epochs)])
