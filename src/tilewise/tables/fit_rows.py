"""A linear model of rows that stay on the disk, trained by one process or by many."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tilewise._checks import check_int
from tilewise.data.dataset import Parts
from tilewise.data.standardized import StandardizedRows, moments_of, standardized_by
from tilewise.distributed.alike import check_alike
from tilewise.distributed.ranks import Ranks
from tilewise.tables.fit import Score, versions
from tilewise.tables.model import Columns, LinearModel, Standardization
from tilewise.trainer import Trainer
from tilewise.training.history import History

__all__ = ["FittedRows", "fit_rows"]

_VALUES = 2**18  # read at once, for the loss


@dataclass(frozen=True)
class FittedRows:
    """What `fit_rows` returns: the same on all ranks.

    Attributes
    ----------
    model : LinearModel
    history : History
        Of this run: after a checkpoint, of the epochs since.
    score : Score
        Over all rows.
    """

    model: LinearModel
    history: History
    score: Score


def fit_rows(
    open_all: Callable[[], Parts],
    ranks: Ranks,
    *,
    epochs: int,
    resume: Path | None,
    begin: Callable[[], None],
    fitting: dict[str, Any],
    **settings: Any,
) -> FittedRows:
    """Standardize the columns, in one pass over the files, and train a linear model of the target.

    Parameters
    ----------
    open_all : callable
        Opens the rows, of which each rank takes a share.
    ranks : Ranks
    epochs : int
        In all, with those before a checkpoint.
    resume : Path or None
        A checkpoint to go on from.
    begin : callable
        Called on each rank when all is checked, before the first step.
    fitting : dict
        More arguments of `tilewise.Trainer.fit`.
    **settings
        Of `tilewise.Trainer`. A checkpoint has its own.

    Raises
    ------
    OSError, TypeError, ValueError
        What `tilewise.open_rows` and `tilewise.Trainer` raise, or more epochs are done.
    RankError
        Another rank raised.
    DivergenceError
        The learning rate is too large.
    """
    with ranks.agreed():
        whole = open_all()
        data = _about(whole)
    of_all = ranks.allgather({**data, "epochs": epochs})
    with ranks.agreed():
        check_alike(of_all)
        rows = whole.share(ranks.rank, ranks.size)
        own = moments_of(rows, labels=True)
    moments = ranks.allgather(own)
    with ranks.agreed():
        standardized = standardized_by(rows, moments)
        trainer = _trainer(data, rows.dtype, resume, settings)
        left = _epochs_left(trainer, epochs)
    with ranks.agreed():
        begin()
    if left > 0:
        history = trainer.fit(standardized, epochs=left, **fitting)
    with ranks.agreed():
        summed = _summed_loss(trainer, standardized)
    sums = ranks.allgather(summed)
    loss = sum(sums) / data["rows"]
    if left == 0:  # killed after the last step and before the model was written
        history = _history_of_the_end(trainer, loss)
    score = Score(data["rows"], loss, 1 - 2 * loss)
    about = {
        **settings,
        "learning_rate": trainer.learning_rate,
        "epochs": epochs,
        "ranks": ranks.size,
        "seconds_per_epoch": history.seconds_per_epoch,
        "scores": {"training": vars(score)},
        **versions(),
    }
    model = LinearModel.of_standardized(
        _columns(rows), trainer.weights, trainer.bias, _standardizations(standardized), about
    )
    return FittedRows(model, history, score)


def _about(rows: Parts) -> dict[str, Any]:
    """Return what tells data apart, as JSON has it."""
    first = rows.parts[0]
    names = None if first.names is None else list(first.names)
    return {
        "rows": rows.n_rows,
        "n_features": rows.n_features,
        "columns": names,
        "target": list(first.label_column),
    }


def _trainer(
    data: dict[str, Any], dtype: DTypeLike, resume: Path | None, settings: dict[str, Any]
) -> Trainer:
    d = data["n_features"]
    begun = Trainer(d, dtype=dtype, initial_weights=np.zeros(d), **settings)
    begun.trained_on = data
    if resume is None:
        return begun
    resumed = Trainer.load(resume)
    for name, found in resumed.trained_on.items():
        if found != data.get(name):
            raise ValueError(
                f"{resume} is of data with {name}={found}, not {data.get(name)}; give those"
            )
    resumed.trained_on = data
    for (name, wanted), found in zip(
        _settings(begun).items(), _settings(resumed).values(), strict=True
    ):
        if wanted not in (found, "auto"):
            raise ValueError(f"{resume} has {name}={found}, not {wanted}; go on with the same")
    return resumed


def _settings(trainer: Trainer) -> dict[str, Any]:
    settings = trainer.settings
    names = ("n_features", "dtype", "batch_size", "sampling", "weight_decay", "seed")
    return {
        **{name: getattr(settings, name) for name in names},
        "optimizer": settings.optimizer.name,
        "learning_rate": trainer.learning_rate,
    }


def _epochs_left(trainer: Trainer, epochs: int) -> int:
    left = check_int("epochs", epochs) - trainer.epochs
    begun = trainer.rows_into_epoch > 0
    if left < begun:
        done = f"{trainer.epochs} are done{' and 1 is begun' if begun else ''}"
        raise ValueError(f"epochs={epochs}, but {done}; give more")
    return left


def _summed_loss(trainer: Trainer, rows: StandardizedRows) -> float:
    """Return the loss over a rank's rows, summed."""
    return sum(trainer.loss(X, y) * len(X) for _, _, X, y in rows.blocks(_VALUES))


def _history_of_the_end(trainer: Trainer, loss: float) -> History:
    return History(
        losses=np.array([loss]),
        seconds=np.zeros(1),
        examples=np.array([trainer.examples]),
        seconds_per_epoch=0.0,
        weights=trainer.weights,
        bias=trainer.bias,
        seed=None,
    )


def _columns(rows: Parts) -> Columns:
    first = rows.parts[0]
    position, target = first.label_column
    return Columns(first.names, target, position)


def _standardizations(rows: StandardizedRows) -> tuple[Standardization, Standardization]:
    of_labels = Standardization(np.array([rows.label_mean]), np.array([rows.label_scale]))
    return Standardization(rows.mean, rows.scale), of_labels
