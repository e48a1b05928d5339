"""Products of every edge size, and fits, whose results are looked at: .ci/sanitize runs this."""

import itertools

import numpy as np

import tilewise as tw

SIZES = (1, 2, 7, 8, 9, 13, 17, 33)
rng = np.random.default_rng(0)
tw.set_num_threads(2)
cases = 0

for dtype, m, n, k in itertools.product((np.float32, np.float64), SIZES, SIZES, (1, 5, 16, 150)):
    a = rng.integers(-4, 5, (m, k)).astype(dtype)
    b = rng.integers(-4, 5, (k, n)).astype(dtype)
    expected = a.astype(int) @ b.astype(int)
    for order, strategy in itertools.product("CF", tw.STRATEGIES):
        product = tw.matmul(a.copy(order), b.copy(order), strategy=strategy)
        assert np.array_equal(product, expected), (dtype, m, n, k, order, strategy)
        cases += 1

for dtype, n in itertools.product((np.float32, np.float64), (150, 300)):  # several blocks
    a = rng.integers(-4, 5, (n, n + 1)).astype(dtype)
    b = rng.integers(-4, 5, (n + 1, n - 1)).astype(dtype)
    assert np.array_equal(tw.matmul(a, b), a.astype(int) @ b.astype(int)), (dtype, n)
    cases += 1

for optimizer, targets, batch_size, features in itertools.product(
    ("sgd", "adam"), (None, 3), (1, 7, 100), (1, 5, 19)
):
    X = rng.normal(size=(101, features)).astype(np.float32)
    y = rng.normal(size=101 if targets is None else (101, targets)).astype(np.float32)
    history = tw.fit(X, y, batch_size=batch_size, optimizer=optimizer, seed=0)
    assert np.isfinite(history.weights).all() and np.isfinite(history.losses).all()
    cases += 1

print(f"{tw.isa()}: {cases} cases right")
