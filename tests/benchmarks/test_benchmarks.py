"""The cases of the benchmarks, and the checks of their answers."""

import sys
from dataclasses import asdict, replace

import numpy as np
import pytest

from benchmarks import epochs
from benchmarks.epochs import Epochs, epoch_cases
from benchmarks.growth import growth_cases
from benchmarks.products import Product, check, operands, product_cases
from benchmarks.rival import OURS, RIVALS, UnsupportedError
from benchmarks.worker import EndedError, SkippedError, Worker

pytestmark = pytest.mark.once

SMALL = [
    Product("square", (5, 7), (7, 3)),
    Product("square", (5, 7), (7, 3), "float64", orders="FC"),
    Product("square", (5, 7), (7, 3), orders="CF"),
    Product("square", (5, 7), (7, 3), "float64", orders="FF"),
    Product("skinny", (5, 1), (1, 3), "float64"),
    Product("skinny", (1, 5), (5, 3), orders="CF"),
    Product("skinny", (5, 7), (7,)),
    Product("skinny", (5, 7), (7,), "float64", orders="FC"),
    Product("skinny", (7,), (7, 3)),
    Product("skinny", (7,), (7, 3), "float64", orders="CF"),
    Product("skinny", (7,), (7,), "float64"),
    Product("stacks", (4, 5, 7), (4, 7, 3)),
    Product("tiny", (5, 7), (7, 3), sets=3),
    Product("dtypes", (5, 7), (7, 3), "float16"),
    Product("dtypes", (5, 7), (7, 3), "int8"),
    Product("strategies", (5, 7), (7, 3), strategy="row"),
    Product("call-overhead", (2, 2), (2, 2), "float64", new=True),
]
TRAINING = [
    Epochs("sgd", 103, 5, 1, epochs=2),
    Epochs("sgd", 103, 5, 10),
    Epochs("sgd", 5000, 5, 10, epochs=5, sampling="permutation"),
    Epochs("sgd", 103, 5, 103, dtype="float64"),
]


def key_of(case):
    return case.key.replace(" ", "-")


@pytest.mark.parametrize("case", SMALL, ids=key_of)
def test_operands_have_the_layout_of_the_case(case):
    a, b, out = operands(case)
    assert (a.shape, b.shape, out.shape) == (case.a, case.b, np.matmul(a, b).shape)
    for array, order in zip((a, b), case.orders, strict=True):
        assert array.flags["F_CONTIGUOUS" if order == "F" else "C_CONTIGUOUS"]
        assert array.dtype == case.dtype
        assert abs(array).max() <= 4  # what makes sums exact
    assert (out != np.matmul(a, b)).all()


@pytest.mark.parametrize("case", SMALL, ids=key_of)
def test_any_single_wrong_element_is_found(case):
    a, b, out = operands(case)
    with pytest.raises(ArithmeticError, match="wrong answer"):
        check(a, b, out)
    out[...] = np.matmul(a, b)
    check(a, b, out)
    for index in np.ndindex(out.shape):
        before = out[index]
        out[index] += 1
        with pytest.raises(ArithmeticError, match="wrong answer"):
            check(a, b, out)
        out[index] = before


def test_wrong_weights_are_found():
    case = TRAINING[0]
    X, y = epochs.data(case)
    right = epochs.plain_sgd(case, X, y, np.float64)
    epochs.check(case, right, case.reference())
    for i in range(len(right)):
        wrong = right.copy()
        wrong[i] += 0.01 * abs(right).max()
        with pytest.raises(ArithmeticError, match=r"wrong weights for 103 x 5.*off by 0\.01"):
            epochs.check(case, wrong, case.reference())


def test_the_steps_in_float64_are_taken_once_for_all_contestants():
    for same in (replace(TRAINING[0], threads=3), replace(TRAINING[0], sampling="chunked")):
        assert same.reference() is TRAINING[0].reference()
    another = replace(TRAINING[0], batch_size=TRAINING[0].batch_size + 1)
    assert not np.array_equal(another.reference(), TRAINING[0].reference())


LESS_WORK = [
    Epochs("sgd", 1500, 5, 10, epochs=50),
    Epochs("sgd", 1500, 5, 10, epochs=50, sampling="permutation"),
    Epochs("sgd", 20_000, 64, 1),
    Epochs("sgd", 20_000, 64, 32, sampling="permutation"),
    Epochs("sgd", 4096, 1024, 128),
]


@pytest.mark.parametrize("case", LESS_WORK, ids=key_of)
def test_missing_work_is_found(case):
    X, y = epochs.data(case)
    kept = slice(len(X) - len(X) // 20, None)  # the last 5 %
    less = replace(case, rows=len(X[kept]))
    found = [sgd(less, case.learning_rate, X[kept], y[kept])]
    if case.epochs > 1:
        found += [sgd(replace(case, epochs=n), case.learning_rate, X, y) for n in (1, 49)]
    for weights in found:
        with pytest.raises(ArithmeticError, match="wrong weights"):
            epochs.check(case, weights, case.reference())
    epochs.check(case, sgd(case, case.learning_rate, X, y), case.reference())


def sgd(case, rate, X, y):
    """Return parameters in float32 at a rate, which is not that of a case of less work."""

    class AtRate(Epochs):
        learning_rate = rate

    return epochs.plain_sgd(AtRate(**asdict(case)), X, y, np.float32)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("case", [c for c in LESS_WORK if c.sampling != "sequential"], ids=key_of)
def test_any_order_of_the_rows_is_right(case, seed):
    X, y = epochs.data(case)
    order = np.random.default_rng(seed).permutation(len(X))
    weights = epochs.plain_sgd(case, X[order], y[order], np.float32)
    epochs.check(case, weights, case.reference())


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("threads", [1, 2])
def test_cases_are_told_apart_and_exact(quick, threads):
    products = product_cases(quick=quick, threads=threads, last_cache=2**25)
    cases = [*products, *epoch_cases(quick=quick, threads=threads)]
    assert len({case.key for case in cases}) == len(cases)
    assert {case.threads for case in cases} == {threads}
    for case in products:  # 4 * 4, as often as there are terms
        largest = 16 if case.dtype in ("float32", "float64") else 1
        assert largest * case.a[-1] < (127 if largest == 1 else 2**24)


def test_the_cold_cases_of_a_quick_run_have_few_sets():
    cold = [
        {c.name for c in product_cases(quick=quick, threads=1, last_cache=2**25) if c.sets > 1}
        for quick in (True, False)
    ]
    assert cold[1] - cold[0] == {"32x32 @ 32x32, cold"}
    assert len(cold[0]) == 2


def test_growth_ends_with_what_the_machine_holds():
    memory = 2**28
    cases = growth_cases(quick=False, threads=4, memory=memory)
    grown = [case for case in cases if case.group != "growth-threads"]
    assert all(case.bytes <= memory // 4 for case in grown)
    assert max(case.bytes for case in grown) > memory // 16
    assert {c.threads for c in cases if c.group == "growth-threads"} == {1, 2, 4}


@pytest.mark.parametrize(
    ("case", "flops", "items"),
    [
        (Product("", (2, 3), (3, 5)), 60, 6 + 15 + 10),
        (Product("", (4, 2, 3), (4, 3, 5)), 240, 24 + 60 + 40),
        (Product("", (2, 3), (3,)), 12, 6 + 3 + 2),
        (Product("", (3,), (3, 5)), 30, 3 + 15 + 5),
        (Product("", (3,), (3,)), 6, 3 + 3 + 1),
        (Epochs("", 100, 5, 10), 2000, 600),
    ],
)
def test_work_is_counted(case, flops, items):
    assert (case.flops, case.bytes) == (flops, 4 * items)


@pytest.fixture
def gradients_afterwards():
    """Undo for other tests what the rival torch does to its process."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_grad_enabled(True)


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("case", [*SMALL, *TRAINING], ids=key_of)
@pytest.mark.parametrize("name", RIVALS)
def test_contestants_are_right(name, case, gradients_afterwards):
    try:
        calls = case.start(RIVALS[name](), case.reference())
    except (ImportError, UnsupportedError) as reason:
        pytest.skip(str(reason))
    for call in calls:
        call()


def test_an_answer_that_is_wrong_for_one_set_alone_is_found():
    answers = iter(["right", "wrong"])

    class Forgetful:
        dtypes = ("float32",)

        def product(self, a, b, out):
            return lambda: a @ b if next(answers) == "right" else 0 * (a @ b)

        def result(self, returned, out):
            return returned

    with pytest.raises(ArithmeticError, match="not always the same answer for 5x7 @ 7x3, cold"):
        Product("tiny", (5, 7), (7, 3), sets=2).start(Forgetful())


def test_a_worker_measures_and_says_why_it_cannot():
    worker = Worker(OURS)
    try:
        worker.wait()
        assert worker.about()["kernels"]
        assert worker.load(SMALL[0]) > 0
        seconds, cpus = worker.sample(3)
        assert seconds > 0
        assert cpus > 0
        assert worker.peak("float32") > 0
        with pytest.raises(SkippedError, match="ValueError: Invalid integer"):
            worker.load(Product("dtypes", (2, 2), (2, 2), "complex64"))
        worker._process.kill()
        with pytest.raises(EndedError, match="ended with exit code -9"):
            worker.sample(1)
    finally:
        worker.close()
