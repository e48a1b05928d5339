"""The same model with the same settings on all ranks, before the training."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tilewise.distributed.ranks import Ranks
from tilewise.schedules import Schedule
from tilewise.training.state import State


def make_alike(state: State, ranks: Ranks, options: Mapping[str, Any]) -> None:
    """Raise if ranks differ in their settings, and give all the model and the seed of rank 0."""
    settings = state.settings
    own = {
        **{name: value for name, value in vars(settings).items() if name != "seed"},
        "optimizer": (settings.optimizer.name, *settings.optimizer.hyperparameters.items()),
        "learning_rate": _shown(settings.learning_rate),
        **options,
    }
    progress = settings.seed, state.epochs, state.rows_into_epoch, state.trained_on
    of_all = ranks.allgather((own, progress))
    with ranks.agreed():
        check_alike([own for own, _ in of_all])
    seed, state.epochs, state.rows_into_epoch, state.trained_on = of_all[0][1]
    state.settings = replace(settings, seed=seed)
    for array in (state.parameters, state.slots, state.counters):
        ranks.bcast(array)


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
