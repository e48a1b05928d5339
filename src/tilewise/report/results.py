"""What a report shows, and the same as JSON."""

import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from tilewise import experiments
from tilewise.experiments.roofline import RooflinePoint, roofline_points
from tilewise.hardware.measured import Machine

_ROOFLINE_SIZES = (64, 256, 1024)


@dataclass(frozen=True)
class Results:
    """Everything that a report shows: what speeds depend on, and what each experiment returned."""

    machine: dict[str, Any]
    shape: tuple[int, ...]  # rows and features of the data
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
        """The products at some sizes, few enough for one picture, and the runs."""
        products = [result for result in self.size_sweep if result.n in _ROOFLINE_SIZES]
        return roofline_points(products, self.runs)


def to_json(results: Results) -> str:
    """Return the content of ``results.json``: a key an experiment, and what speeds depend on."""
    limit, limits = results.step_limit, results.limits
    measured = {name: value for name, value in vars(results).items() if isinstance(value, list)}
    content = {
        "tilewise": version("tilewise"),
        "machine": {
            **results.machine,
            "cpu": limits.cpu,
            "isa": limits.isa,
            "available_isas": limits.available_isas,
            "cpus": limits.cpus,
            "caches": {"l1": limits.l1, "l2": limits.l2, "l3": limits.l3},
            "limits_date": limits.date,
        },
        "data": "airfoil",
        "seed": results.seed,
        "limits": {name: asdict(figure) for name, figure in limits.figures()},
        "step_limit": {"lambda_max": limit.lambda_max, "learning_rate": limit.learning_rate},
        "roofline": [vars(point) for point in results.roofline],
        **{name: [_plain(result) for result in found] for name, found in measured.items()},
    }
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _plain(result: Any) -> dict[str, Any]:
    """Return the fields of a result, and what is computed from them, as JSON has them."""
    content = dict(vars(result))
    if isinstance(result, experiments.FrameworkResult):
        content["gflops"] = result.gflops
    if isinstance(result, experiments.Run):
        history = content.pop("history")
        content |= {"loss": result.loss, "seconds_per_epoch": result.seconds_per_epoch}
        for name in ("examples", "seconds", "losses"):
            content[name] = getattr(history, name).tolist()
    return content
