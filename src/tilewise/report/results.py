"""What a report shows, and the same as JSON."""

import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from numpy.typing import NDArray

from tilewise import experiments
from tilewise.experiments.roofline import RooflinePoint, roofline_points
from tilewise.hardware.measured import Machine

__all__ = ["Dataset", "Results", "to_json"]

_ROOFLINE_SIZES = (64, 256, 1024)


@dataclass(frozen=True)
class Dataset:
    """What the runs train on.

    Attributes
    ----------
    name : str
        "airfoil" or "synthetic".
    title, note : str
        What it is and where it comes from, for people.
    X : ndarray of float32, shape (n, d)
    y : ndarray of float32, shape (n,)
    """

    name: str
    title: str
    note: str
    X: NDArray[Any]
    y: NDArray[Any]


@dataclass(frozen=True)
class Results:
    """Everything that a report shows.

    Attributes
    ----------
    machine : dict
        What the speeds depend on, as in ``results.json``, which adds what `limits` says of the CPU.
    dataset : Dataset
    seed : int
        Of the runs, and of synthetic data.
    runs : list of Run
    step_limit : StepLimit
    strategies, size_sweep : list of StrategyResult
    frameworks : list of FrameworkResult
    concise_form : list of Run
    batch_rate_sweep : list of SweepResult
    rate_decay, replacement, duplicated_data : list of Curve
    gradient_noise : list of NoiseResult
    limits : Machine
        What the machine can do at most.
    """

    machine: dict[str, Any]
    dataset: Dataset
    seed: int
    runs: list[experiments.Run]
    step_limit: experiments.StepLimit
    strategies: list[experiments.StrategyResult]
    size_sweep: list[experiments.StrategyResult]
    frameworks: list[experiments.FrameworkResult]
    concise_form: list[experiments.Run]
    batch_rate_sweep: list[experiments.SweepResult]
    rate_decay: list[experiments.Curve]
    replacement: list[experiments.Curve]
    duplicated_data: list[experiments.Curve]
    gradient_noise: list[experiments.NoiseResult]
    limits: Machine

    @property
    def roofline(self) -> list[RooflinePoint]:
        """The products at some sizes, few enough to be labelled, and the runs."""
        products = [result for result in self.size_sweep if result.n in _ROOFLINE_SIZES]
        return roofline_points(products, self.runs)


def to_json(results: Results) -> str:
    """Return the content of ``results.json``."""
    limit = results.step_limit
    plain = (
        "strategies",
        "size_sweep",
        "batch_rate_sweep",
        "rate_decay",
        "replacement",
        "duplicated_data",
        "gradient_noise",
        "roofline",
    )
    content = {
        "tilewise": version("tilewise"),
        "machine": results.machine | _cpu(results.limits),
        "data": results.dataset.name,
        "seed": results.seed,
        "limits": {name: asdict(figure) for name, figure in results.limits.figures()},
        "step_limit": {"lambda_max": limit.lambda_max, "learning_rate": limit.learning_rate},
        "runs": [_run(run) for run in results.runs],
        "concise_form": [_run(run) for run in results.concise_form],
        "frameworks": [vars(r) | {"gflops": r.gflops} for r in results.frameworks],
        **{name: [vars(result) for result in getattr(results, name)] for name in plain},
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _cpu(machine: Machine) -> dict[str, Any]:
    return {
        "available_isas": machine.available_isas,
        "cpus": machine.cpus,
        "caches": {"l1": machine.l1, "l2": machine.l2, "l3": machine.l3},
        "limits_date": machine.date,
    }


def _run(run: experiments.Run) -> dict[str, Any]:
    return {
        "name": run.name,
        "batch_size": run.batch_size,
        "learning_rate": run.learning_rate,
        "epochs": run.epochs,
        "loss": run.loss,
        "seconds_per_epoch": run.seconds_per_epoch,
        "examples": run.history.examples.tolist(),
        "seconds": run.history.seconds.tolist(),
        "losses": run.history.losses.tolist(),
    }
