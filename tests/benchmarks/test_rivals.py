"""The rivals of the benchmarks: each call starts anew, in the form that is fastest."""

from functools import partial

import numpy as np
import pytest

from benchmarks import epochs
from benchmarks.epochs import Epochs
from benchmarks.products import Product, operands
from benchmarks.rival import OURS, RIVALS
from benchmarks.rivals.forms import Forms, multiply_and_sum

pytestmark = pytest.mark.once


@pytest.mark.parametrize("repeats", [1, 2])
@pytest.mark.parametrize("name", [OURS, "numpy"])
def test_every_timed_call_trains_from_zero_weights(name, repeats):
    case = Epochs("sgd", 103, 5, 10, epochs=repeats)
    X, y = epochs.data(case)
    call = RIVALS[name]().epochs(X, y, case)
    for _ in range(3):
        weights, bias = call()
        epochs.check(case, np.append(weights, bias), case.reference())


def test_scipy_multiplies_a_matrix_and_a_vector_in_place():
    pytest.importorskip("scipy")
    for dtype in ("float32", "float64"):
        for shapes, order in (
            (((5, 7), (7,)), "CC"),
            (((5, 7), (7,)), "FC"),
            (((7,), (7, 3)), "CC"),
            (((7,), (7, 3)), "CF"),
        ):
            a, b, out = operands(Product("", *shapes, dtype, orders=order))
            RIVALS["scipy"]().product(a, b, out)()
            assert np.array_equal(out, a @ b)


def test_the_fastest_form_is_found_once_for_a_case(monkeypatch):
    log, now = [], [0.0]
    monkeypatch.setattr("benchmarks.rivals.forms.perf_counter", lambda: now[0])

    def call(name, seconds):
        log.append(name)
        now[0] += seconds

    forms = {"slow": partial(call, "slow", 0.002), "quick": partial(call, "quick", 0.001)}
    found = Forms()
    assert found.fastest("case", forms) is forms["quick"]
    assert {"slow", "quick"} == set(log)
    assert found.last == "quick"
    found.fastest("another case", {"only": forms["quick"]})
    assert found.last == "only"
    log.clear()
    assert found.fastest("case", forms) is forms["quick"]
    assert log == []
    assert found.last == "quick"


@pytest.mark.parametrize(
    ("a", "b"),
    [((7,), (7,)), ((5, 7), (7,)), ((7,), (7, 3)), ((5, 7), (7, 3)), ((4, 5, 7), (4, 7, 3))],
)
def test_multiply_and_sum_is_the_product(a, b):
    left, right, _ = operands(Product("", a, b, "float64"))
    assert np.array_equal(multiply_and_sum(left, right, np.sum), left @ right)
