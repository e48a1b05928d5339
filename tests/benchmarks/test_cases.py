"""The cases of the benchmarks: their data and work, and wrong answers, which are refused."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.cases import all_cases
from benchmarks.cases.epochs import Epochs
from benchmarks.cases.products import Product
from benchmarks.machine import ROOT
from benchmarks.rivals import RIVALS
from benchmarks.rivals.rival import UnsupportedError
from benchmarks.start import start
from benchmarks.steps import Steps, plain_sgd

pytestmark = pytest.mark.once


def product(a, b, dtype="float32", **kwargs):
    return Product("test", dtype, a=a, b=b, **kwargs)


def epochs(rows, features, batch_size, epochs=1, sampling="sequential", dtype="float32", **kwargs):
    plan = Steps(batch_size, epochs, sampling, **kwargs)
    return Epochs("test", dtype, rows=rows, features=features, plan=plan)


PRODUCTS = [
    *[product((5, 7), (7, 3), orders=orders) for orders in ("CC", "FC", "CF", "FF")],
    *[product((5, 7), (7, 3), dtype) for dtype in ("float64", "float16", "int8")],
    *[product((5, 7), (7,), "float64", orders=orders) for orders in ("CC", "FC")],
    *[product((7,), (7, 3), orders=orders) for orders in ("CC", "CF")],
    product((1, 5), (5, 3), orders="CF"),
    product((7,), (7,), "float64"),
    product((4, 5, 7), (4, 7, 3)),
    product((300, 9000), (9000,), "int8"),  # sums wrap around
    product((3, 7), (7, 3), orders="FC", gram=True),
]
TRAINING = [
    epochs(103, 5, 1, 2),
    epochs(103, 5, 10),
    epochs(5000, 5, 10, 5, "permutation"),
    epochs(103, 5, 103, dtype="float64"),
    epochs(100, 5, 10, average=True),
    epochs(100, 5, 1, weight_decay=0.1),
]


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("case", [*PRODUCTS, *TRAINING], ids=lambda case: case.key)
@pytest.mark.parametrize("name", RIVALS)
def test_contestants_are_right_each_time(name, case):
    try:
        call = start(case, RIVALS[name]())
    except (ImportError, UnsupportedError) as reason:
        pytest.skip(str(reason))
    returned = call()
    if case.asks == "train":  # from zero weights again
        case.check({}, returned, case.answer())


@pytest.mark.parametrize("case", PRODUCTS, ids=lambda case: case.key)
def test_operands_are_those_of_the_case_and_a_wrong_product_is_refused(case):
    data = case.data()
    a, b, out = data["a"], data["b"], data["out"]
    assert (a.shape, b.shape) == (case.a, case.b)
    for array, order in zip((a, b), case.orders, strict=True):
        assert array.flags["F_CONTIGUOUS" if order == "F" else "C_CONTIGUOUS"]
        assert array.dtype == case.dtype
        assert abs(array).max() <= 4  # what makes sums exact
    right = np.asarray(np.matmul(a, b))
    case.check(data, right, None)
    assert (out != right).all()
    for index in list(np.ndindex(right.shape))[:20]:
        wrong = right.copy()
        wrong[index] += 1
        with pytest.raises(ArithmeticError, match="wrong answer"):
            case.check(data, wrong, None)


LESS_WORK = [
    epochs(1500, 5, 10, 50),
    epochs(1500, 5, 10, 50, "permutation"),
    epochs(20_000, 64, 1),
    epochs(20_000, 64, 32, 1, "permutation"),
    epochs(4096, 1024, 128),
]


def parameters(case, rows=slice(None), **changes):
    """Return what float32 arrives at on some of the rows, as a rival would return it."""
    data = case.data()
    steps = replace(case.steps, **changes)
    found = plain_sgd(data["X"][rows], data["y"][rows], steps, np.float32)
    return found[:-1], found[-1]


@pytest.mark.parametrize("case", LESS_WORK, ids=lambda case: case.key)
def test_missing_work_is_refused_and_any_order_of_the_rows_is_right(case):
    found = [parameters(case, slice(case.rows // 20, None))]  # without 5 %
    if case.plan.epochs > 1:
        found += [parameters(case, epochs=n) for n in (1, 49)]
    for weights in found:
        with pytest.raises(ArithmeticError, match="wrong weights"):
            case.check({}, weights, case.answer())
    case.check({}, parameters(case), case.answer())
    for seed in range(3) if case.plan.sampling == "permutation" else ():
        order = np.random.default_rng(seed).permutation(case.rows)
        case.check({}, parameters(case, order), case.answer())


@pytest.mark.parametrize("quick", [True, False])
def test_cases_are_told_apart_and_exact(quick):
    cases = all_cases(4, quick=quick)
    assert len({case.key for case in cases}) == len(cases)
    assert {case.threads for case in cases} == {1, 4}
    for case in cases:
        if case.asks == "product":  # 4 * 4, as often as there are terms; few sums reach 2048 of 1
            assert case.a[-1] < {"float16": 2**12}.get(case.dtype, 2**20)


@pytest.mark.parametrize(
    ("case", "flops", "items"),
    [
        (product((2, 3), (3, 5)), 60, 6 + 15 + 10),
        (product((4, 2, 3), (4, 3, 5)), 240, 24 + 60 + 40),
        (product((3,), (3, 5)), 30, 3 + 15 + 5),
        (product((3,), (3,)), 6, 3 + 3 + 1),
        (epochs(100, 5, 10), 2000, 600),
    ],
)
def test_work_is_counted(case, flops, items):
    assert (case.flops, case.bytes) == (flops, 4 * items)


def test_the_example_of_a_rival_works_as_printed(monkeypatch):
    text = (ROOT / "benchmarks" / "README.md").read_text()
    (example,) = [part.split("```")[0] for part in text.split("```python\n")[1:]]
    library = SimpleNamespace(multiply=lambda a, b, into: a.dot(b, into))
    monkeypatch.setitem(sys.modules, "fast", library)
    exec(example, {"__name__": "fast_rival"})
    start(product((5, 7), (7, 3)), RIVALS.pop("fast")())
