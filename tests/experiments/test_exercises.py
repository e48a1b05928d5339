"""The further experiments of the chapter: their data where theory or a plain loop puts them."""

import numpy as np
import pytest

import tilewise as tw
from tilewise import experiments
from tilewise.experiments import python_loops


@pytest.fixture(scope="module")
def data():
    X, y, _, _ = tw.data.synthetic(1500, 5, seed=0)
    return X, y


def ends(curves):
    return {curve.name: curve.excess_losses[-1] for curve in curves}


def test_size_sweep_measures_every_strategy_at_every_size():
    pytest.importorskip("threadpoolctl")
    results = experiments.size_sweep([4, 8], repeats=1)
    names = [*tw.STRATEGIES, "numpy"]
    assert [(result.n, result.name) for result in results] == [
        (n, name) for n in (4, 8) for name in names
    ]


@pytest.mark.parametrize("name", python_loops._LOADERS)
@pytest.mark.parametrize("strategy", ["element", "column", "block", "full"])
def test_the_loops_in_python_compute_the_product(name, strategy):
    framework = python_loops._loaded().get(name) or pytest.skip(f"{name} cannot be imported")
    B, C = np.random.default_rng(0).standard_normal((2, 7, 7), dtype=np.float32)
    parts = python_loops._parts(7)[strategy]
    product = python_loops._loop(framework, parts, B, C)()
    np.testing.assert_allclose(np.asarray(product), B @ C, rtol=1e-4, atol=1e-5)


def test_frameworks_count_their_calls_and_leave_out_what_is_missing(monkeypatch):
    pytest.importorskip("threadpoolctl")

    def missing(module):
        raise ImportError(module)

    monkeypatch.setattr(python_loops, "import_module", missing)
    results = experiments.frameworks(n=8, repeats=1)
    calls = {(r.framework, r.strategy): r.calls for r in results}
    assert calls == {
        **{("tilewise", strategy): 1 for strategy in ("element", "column", "block", "full")},
        ("NumPy", "element"): 64,
        ("NumPy", "column"): 8,
        ("NumPy", "block"): 16,
        ("NumPy", "full"): 1,
    }
    result = experiments.FrameworkResult("NumPy", "element", 10, calls=100, seconds=1e-3)
    assert result.gflops == pytest.approx(2e-3)


def test_the_concise_form_takes_the_steps_of_the_one_from_scratch(data):
    scratch, concise = experiments.concise_form(*data, seed=1)
    assert [scratch.name, concise.name] == ["from scratch", "concise"]
    np.testing.assert_allclose(scratch.history.losses, concise.history.losses, rtol=1e-4)
    np.testing.assert_array_equal(scratch.history.examples, concise.history.examples)


def test_the_sweep_gives_the_losses_of_fit_and_marks_divergence(data):
    results = experiments.batch_rate_sweep(*data, [1, 10], [0.01, 100.0], epochs=1, seed=2)
    settings = [(result.batch_size, result.learning_rate) for result in results]
    assert settings == [(1, 0.01), (1, 100.0), (10, 0.01), (10, 100.0)]
    alone = tw.fit(*data, batch_size=10, learning_rate=0.01, epochs=1, seed=2)
    assert results[2].loss == alone.losses[-1]
    assert results[1].loss is results[1].seconds is None


def test_decay_ends_lower_than_a_constant_rate(data):
    found = ends(experiments.rate_decay(*data, seed=0))
    assert 0 < found["divided by ten"] < found["constant rate"]


def test_without_replacement_ends_lower(data):
    found = ends(experiments.replacement(*data, seed=0))
    assert 0 < found["without replacement"] < found["with replacement"]


def test_duplicated_rows_change_minibatches_and_not_descent(data):
    curves = {curve.name: curve for curve in experiments.duplicated_data(*data, repeats=20, seed=0)}
    single, double = curves["gd"], curves["gd, rows twice"]
    np.testing.assert_allclose(single.excess_losses, double.excess_losses, rtol=1e-2, atol=1e-6)
    first, twice = (curves[name].excess_losses[0] for name in ("batch 10", "batch 10, rows twice"))
    assert twice != first


def test_the_excess_is_over_the_least_squares_solution(data):
    X, y = (array.astype(np.float64) for array in data)
    (curve, _) = experiments.rate_decay(X, y, epochs=1, repeats=1, seed=3)
    seed = int(np.random.SeedSequence(3).generate_state(1)[0])
    loss = tw.fit(X, y, batch_size=10, learning_rate=0.05, seed=seed, record_every=1500).losses[-1]
    X1 = np.column_stack([X, np.ones(len(X))])
    _, squares, _, _ = np.linalg.lstsq(X1, y, rcond=None)
    assert curve.excess_losses == (pytest.approx(loss - squares[0] / 2 / len(X), abs=1e-12),)


def test_the_noise_is_that_of_the_theory(data):
    for result in experiments.gradient_noise(*data, draws=2000, seed=0):
        assert result.measured == pytest.approx(result.theory, rel=0.06)


def test_the_noise_of_all_rows_is_none_and_larger_batches_are_left_out():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((50, 2)), rng.standard_normal(50)
    one, everything = experiments.gradient_noise(X, y, [1, 50, 51], draws=3, seed=0)
    gradients = np.column_stack([X, np.ones(50)]) * -y[:, None]
    assert one.theory == pytest.approx(np.sqrt(gradients.var(axis=0).sum()))
    assert everything.theory == 0
    assert everything.measured < 1e-12
