"""The same model with the same settings on all ranks, before the training."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tilewise.distributed.ranks import Ranks
from tilewise.schedules import Schedule
from tilewise.training.state import Engine

__all__ = ["check_alike", "make_alike"]


def make_alike(engine: Engine, ranks: Ranks, settings: Mapping[str, Any]) -> None:
    """Raise if ranks differ in their settings, and give all the model and the seed of rank 0."""
    config = engine.config
    own = {
        **{name: value for name, value in vars(config).items() if name != "seed"},
        "optimizer": (config.optimizer.name, *config.optimizer.hyperparameters.items()),
        "learning_rate": _shown(engine.rate),
        **settings,
    }
    state = config.seed, engine.epochs, engine.epoch_examples, engine.trained_on
    of_all = ranks.gather((own, state))
    ranks.together(lambda: check_alike([settings for settings, _ in of_all]))
    seed, engine.epochs, engine.epoch_examples, engine.trained_on = of_all[0][1]
    engine.config = replace(config, seed=seed)
    for array in (engine.parameters, engine.slots, engine.counters):
        ranks.spread(array)


def check_alike(of_all: Sequence[Mapping[str, Any]]) -> None:
    """Raise if a rank differs from rank 0 in something, and name it."""
    for rank, settings in enumerate(of_all):
        for name, value in settings.items():
            if value != of_all[0][name]:
                raise ValueError(
                    f"rank {rank} has {name}={value}, but rank 0 {of_all[0][name]}; make them alike"
                )


def _shown(rate: Any) -> str:
    """Return what two ranks can compare: of a function its name, of an object its type's."""
    if isinstance(rate, float | str | Schedule):
        return str(rate)
    return str(getattr(rate, "__name__", type(rate).__name__))
