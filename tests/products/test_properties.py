"""Properties of products over random shapes, layouts, dtypes, strategies and threads."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import tilewise as tw
from tests.support.matrices import CALLS, DTYPES, LAYOUTS, exact_product, integers

SIZES = st.one_of(st.integers(0, 20), st.integers(0, 150))
PRODUCTS = settings(max_examples=150)


@st.composite
def products(draw):
    """Draw operands of small integers, and an out or None."""
    m, n, k = (draw(SIZES) for _ in range(3))
    dtype = draw(st.sampled_from(DTYPES))
    layouts = st.sampled_from(sorted(LAYOUTS))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    a, b = integers(rng, (m, k), dtype), integers(rng, (k, n), dtype)
    out = LAYOUTS[draw(layouts)](np.full((m, n), np.nan, dtype)) if draw(st.booleans()) else None
    return LAYOUTS[draw(layouts)](a), LAYOUTS[draw(layouts)](b), out


@PRODUCTS
@given(products(), st.sampled_from(list(CALLS)), st.integers(1, 5))
def test_products_of_integers_are_exact(operands, call, threads):
    a, b, out = operands
    with tw.threads(threads):
        result = CALLS[call](a, b, out=out)
    np.testing.assert_array_equal(result, exact_product(a, b))
    assert out is None or result is out


@PRODUCTS
@given(products(), st.integers(2, 5))
def test_transposing_swaps_the_factors_and_threads_change_nothing(operands, threads):
    a, b, _ = operands
    with tw.threads(threads):
        together = tw.matmul(a / 3, b / 7)
        turned = tw.matmul((b / 7).T, (a / 3).T).T
    with tw.threads(1):
        np.testing.assert_array_equal(tw.matmul(a / 3, b / 7), together)
    np.testing.assert_allclose(turned, together, rtol=0, atol=1e-3)
    np.testing.assert_array_equal(tw.matmul(4 * a, b), 4 * exact_product(a, b))


FITS = settings(max_examples=40)
SHAPES = st.tuples(st.integers(1, 60), st.integers(1, 40), st.integers(0, 1000))


@FITS
@given(SHAPES, st.sampled_from(DTYPES))
def test_full_batches_do_not_see_the_order_of_the_rows(shape, dtype):
    n, features, seed = shape
    X, y, _, _ = tw.data.synthetic(n, features, noise=0.1, seed=seed, dtype=dtype)
    rows = np.random.default_rng(seed).permutation(n)
    options = {"batch_size": n, "learning_rate": 0.1 / features, "epochs": 5, "seed": 1}
    one, other = tw.fit(X, y, **options), tw.fit(X[rows], y[rows], **options)
    tolerance = 500 * np.finfo(dtype).eps
    np.testing.assert_allclose(one.weights, other.weights, rtol=0, atol=tolerance)


@FITS
@given(SHAPES, st.integers(1, 70), st.integers(-8, 8))
def test_powers_of_two_scale_the_model_exactly(shape, batch_size, power):
    n, features, seed = shape
    X, y, _, _ = tw.data.synthetic(n, features, noise=0.1, seed=seed, dtype=np.float64)
    start = np.random.default_rng(seed).normal(size=features)
    options = {"batch_size": batch_size, "learning_rate": 0.1 / features, "epochs": 2, "seed": 1}
    one = tw.fit(X, y, initial_weights=start, **options)
    other = tw.fit(X, y * 2.0**power, initial_weights=start * 2.0**power, **options)
    np.testing.assert_array_equal(one.weights * 2.0**power, other.weights)
    assert one.bias * 2.0**power == other.bias


@FITS
@given(
    SHAPES,
    st.integers(1, 70),
    st.sampled_from(["permutation", "replacement", "sequential", "chunked"]),
)
def test_two_epochs_are_one_and_one(shape, batch_size, sampling):
    n, features, seed = shape
    X, y, _, _ = tw.data.synthetic(n, features, noise=0.1, seed=seed)
    options = {"batch_size": batch_size, "sampling": sampling, "seed": seed}
    trainers = [tw.Trainer(features, learning_rate=0.05 / features, **options) for _ in range(2)]
    trainers[0].fit(X, y, epochs=2)
    trainers[1].fit(X, y, epochs=1)
    trainers[1].fit(X, y, epochs=1)
    np.testing.assert_array_equal(trainers[0].weights, trainers[1].weights)
