"""The chapter's experiments: what they measure, and losses where a simulation puts them."""

import numpy as np
import pytest

import tilewise as tw
from tilewise import experiments

# Smallest and largest final loss of a NumPy simulation from many seeds, on the airfoil data.
SIMULATED_LOSS = {
    "gd": (0.2419, 0.2643),
    "sgd": (0.2419, 0.2578),
    "batch 100": (0.2423, 0.2508),
    "batch 10": (0.2420, 0.2525),
}
# Of thousands of runs of a NumPy trainer with NumPy's permutations.
SIMULATED_MEDIAN = {"gd": 0.24683, "sgd": 0.24429, "batch 100": 0.24466, "batch 10": 0.24447}
SETTINGS = {  # batch size, learning rate, epochs
    "gd": (1500, 1.0, 10),
    "sgd": (1, 0.005, 2),
    "batch 100": (100, 0.4, 2),
    "batch 10": (10, 0.05, 2),
}
FRAMEWORKS = {"PyTorch", "MXNet", "TensorFlow"}


@pytest.fixture(scope="module")
def synthetic():
    X, y, _, _ = tw.data.synthetic(1500, 5, seed=0)
    return X, y


def test_final_losses_of_the_report_lie_in_the_simulated_ranges(airfoil):
    for run in experiments.four_runs(*airfoil, seed=0, repeats=1):
        low, high = SIMULATED_LOSS[run.name]
        assert low - 5e-5 <= run.loss <= high + 5e-5, run.name


@pytest.mark.parametrize("name", SIMULATED_LOSS)
def test_final_losses_of_many_seeds_are_those_of_the_simulation(airfoil, name):
    """The ranges are of some tens of runs: about one in twenty of batch size 100 lies outside."""
    batch_size, learning_rate, epochs = SETTINGS[name]
    losses = np.array(
        [
            tw.fit(
                *airfoil,
                batch_size=batch_size,
                learning_rate=learning_rate,
                epochs=epochs,
                seed=seed,
            ).losses[-1]
            for seed in range(2000)
        ]
    )
    low, high = SIMULATED_LOSS[name]
    assert abs(np.median(losses) - SIMULATED_MEDIAN[name]) < 3e-4
    assert np.mean((losses < low - 2e-4) | (losses > high + 5e-5)) < 0.1


def test_four_runs_are_those_of_the_chapter(synthetic):
    runs = experiments.four_runs(*synthetic, seed=1, repeats=3)
    settings = [(run.name, run.batch_size, run.learning_rate, run.epochs) for run in runs]
    assert settings == [
        ("gd", 1500, 1.0, 10),
        ("sgd", 1, 0.005, 2),
        ("batch 100", 100, 0.4, 2),
        ("batch 10", 10, 0.05, 2),
    ]
    for run in runs:
        alone = tw.fit(
            *synthetic,
            batch_size=run.batch_size,
            learning_rate=run.learning_rate,
            epochs=run.epochs,
            record_every=200,
            seed=1,
        )
        np.testing.assert_array_equal(run.history.losses, alone.losses)
        assert run.loss == alone.losses[-1]
        assert run.history.examples[-1] == 1500 * run.epochs


def test_four_runs_return_the_run_of_median_time(synthetic, monkeypatch):
    times = iter([9.0, 5.0, 1.0, 3.0] * 4)  # the first of each four warms up

    def fit(*args, **kwargs):
        history = tw.fit(*args, **kwargs)
        object.__setattr__(history, "seconds_per_epoch", next(times))
        return history

    monkeypatch.setattr(experiments.runs, "fit", fit)
    runs = experiments.four_runs(*synthetic, seed=0, repeats=3)
    assert [run.seconds_per_epoch for run in runs] == [3.0] * 4


def test_four_runs_share_a_fresh_seed(synthetic):
    seeds = [
        {run.history.seed for run in experiments.four_runs(*synthetic, repeats=1)} for _ in range(2)
    ]
    assert len(seeds[0]) == len(seeds[1]) == 1
    assert seeds[0] != seeds[1]


def test_strategies_measure_all_and_numpy():
    pytest.importorskip("threadpoolctl")
    results = experiments.strategies(n=16, dtype=np.float64, repeats=3)
    assert [result.name for result in results] == [*tw.STRATEGIES, "numpy"]
    for result in results:
        assert (result.n, result.dtype) == (16, "float64")
        assert 0 < result.gflops < np.inf


def test_strategies_count_the_true_operations_and_take_turns(monkeypatch):
    pytest.importorskip("threadpoolctl")
    order = []

    def timeit(product, number):
        order.append(product.keywords.get("strategy", "numpy"))
        return 1e-4 * len(order) * number

    monkeypatch.setattr(experiments.products, "timeit", timeit)
    results = experiments.strategies(n=8, repeats=3)
    names = [*tw.STRATEGIES, "numpy"]
    warm_up, laps = order[: 2 * len(names)], order[2 * len(names) :]
    assert sorted(warm_up) == sorted(names * 2)
    assert laps == names * 3
    for i, result in enumerate(results):
        median = 1e-4 * (len(warm_up) + len(names) + i + 1)  # the second lap of three
        assert result.gflops == pytest.approx(2 * 8**3 / median / 1e9)


def test_step_limit_of_the_airfoil_data(airfoil):
    limit = experiments.step_limit(airfoil[0])
    assert limit.lambda_max == pytest.approx(2.09846, abs=5e-5)
    assert limit.learning_rate == pytest.approx(0.953, abs=5e-4)


def test_step_limit_parts_convergence_from_divergence(synthetic):
    X, y = (array.astype(np.float64) for array in synthetic)
    limit = experiments.step_limit(X).learning_rate

    def last_losses(learning_rate):
        settings = {"batch_size": len(X), "learning_rate": learning_rate, "seed": 0}
        return tw.fit(X, y, epochs=900, record_every=len(X), **settings).losses[[-100, -1]]

    below = last_losses(0.99 * limit)
    assert below[1] <= below[0]
    with pytest.raises(tw.DivergenceError) as error:
        last_losses(1.01 * limit)
    above = error.value.history.losses
    assert above[-1] > above[-100]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: experiments.strategies(n=0), "n=0"),
        (lambda: experiments.strategies(n=4, repeats=0), "repeats=0"),
        (lambda: experiments.strategies(n=4, dtype=np.int32), "dtype="),
        (lambda: experiments.four_runs(np.eye(3), np.ones(3), repeats=0), "repeats=0"),
        (lambda: experiments.four_runs(np.eye(3), np.ones(4)), r"y has shape \(4,\)"),
        (lambda: experiments.size_sweep([4, 0]), "n=0"),
        (lambda: experiments.frameworks(n=0), "n=0"),
        (lambda: experiments.rate_decay(np.eye(3), np.ones(3), repeats=0), "repeats=0"),
        (lambda: experiments.gradient_noise(np.eye(3), np.ones(4)), r"y has shape \(4,\)"),
        (lambda: experiments.gradient_noise(np.eye(3), np.ones(3), draws=0), "draws=0"),
        (lambda: experiments.step_limit([[np.nan]]), r"X\[0, 0\]"),
    ],
)
def test_bad_arguments_are_named(call, message):
    pytest.importorskip("threadpoolctl")
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_published_figures_are_those_that_d2l_prints():
    # Section 12.5, loss and seconds per epoch of gd, sgd, batch 100 and batch 10.
    assert {name: tuple(runs.values()) for name, runs in experiments.PUBLISHED_RUNS.items()} == {
        "PyTorch": (("0.247", "0.020"), ("0.245", "0.685"), ("0.246", "0.025"), ("0.246", "0.090")),
        "MXNet": (("0.254", "0.034"), ("0.243", "3.216"), ("0.248", "0.064"), ("0.246", "0.374")),
        "TensorFlow": (
            ("0.249", "0.022"),
            ("0.246", "6.006"),
            ("0.245", "0.074"),
            ("0.245", "0.617"),
        ),
    }
    assert all(
        list(runs) == ["gd", "sgd", "batch 100", "batch 10"]
        for runs in experiments.PUBLISHED_RUNS.values()
    )
    # Gigaflops: element, column, block and full.
    assert {name: tuple(runs.values()) for name, runs in experiments.PUBLISHED_GFLOPS.items()} == {
        "PyTorch": ("0.017", "0.459", "37.6", "51.6"),
        "MXNet": ("0.000", "0.152", "2.8", "3.2"),
        "TensorFlow": ("0.000", "0.060", "2.43", "1.15"),
    }
    assert all(
        list(runs) == ["element", "column", "block", "full"]
        for runs in experiments.PUBLISHED_GFLOPS.values()
    )


def test_published_figures_name_our_runs_and_strategies(synthetic):
    names = {run.name for run in experiments.four_runs(*synthetic, seed=0, repeats=1)}
    assert set(experiments.PUBLISHED_RUNS) == set(experiments.PUBLISHED_GFLOPS) == FRAMEWORKS
    assert all(set(runs) == names for runs in experiments.PUBLISHED_RUNS.values())
    assert all(set(found) < set(tw.STRATEGIES) for found in experiments.PUBLISHED_GFLOPS.values())
