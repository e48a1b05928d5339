"""A linear model of one column of a table by the others: in memory, from the disk or on ranks."""

import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from importlib.metadata import version
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tilewise._checks import check_int
from tilewise.data.array import array_fragment
from tilewise.data.columns import Columns
from tilewise.data.dataset import FragmentDataset
from tilewise.data.moments import Moments
from tilewise.data.standardization import moments_of
from tilewise.data.training_set import TrainingSet
from tilewise.distributed.ranks import Ranks
from tilewise.tables.model import LinearModel
from tilewise.trainer import Trainer
from tilewise.training.history import History, Records

_NUMBERS = 2**18  # read at once, for the loss
_RECORDS = 100  # of the loss, in a run in memory

Parts = dict[str, FragmentDataset]


@dataclass(frozen=True)
class Score:
    """How well a model fits a part of the rows.

    The loss is half the mean squared error of the standardized target; `r2` is 1 less the squared
    error over that of the part's own mean, and None where the target is constant.
    """

    rows: int
    loss: float
    r2: float | None


@dataclass(frozen=True)
class Fitted:
    """A model, the same on all ranks, with its scores by part and its constant features."""

    model: LinearModel
    history: History  # after a checkpoint, of the epochs since
    scores: dict[str, Score]
    constant: list[str]


def fit_table(
    rows: FragmentDataset,
    *,
    validation_fraction: float = 0.2,
    epochs: int = 20,
    seed: int = 0,
    **settings: Any,
) -> Fitted:
    """Fit rows in memory, in float64; a part, drawn at random, is held out for a score.

    Examples
    --------
    >>> from tilewise.tables.table import NumericTable
    >>> table = NumericTable(("x", "y"), np.array([[1.0, 3], [2, 5], [3, 7], [4, 9]]))
    >>> settings = {"epochs": 100, "learning_rate": "auto"}
    >>> fitted = fit_table(table.dataset("y"), validation_fraction=0, **settings)
    >>> fitted.model.weights.round(3).tolist(), round(fitted.model.bias, 3)
    ([2.0], 1.0)
    """
    return fit_dataset(
        lambda: _parts(rows, validation_fraction, seed),
        Ranks(None),
        epochs=epochs,
        about={"validation_fraction": validation_fraction},
        seed=seed,
        **settings,
    )


def fit_dataset(
    open_parts: Callable[[], Parts],
    ranks: Ranks,
    *,
    epochs: int,
    about: dict[str, Any],
    resume: Path | None = None,
    begin: Callable[[], None] = lambda: None,
    fitting: dict[str, Any] | None = None,
    **settings: Any,
) -> Fitted:
    """Standardize the columns, in one pass over the training part, and fit a model of the target.

    `open_parts` gives the rows for "training", of which each rank takes a share, and maybe for
    "validation". `resume` is a checkpoint to go on from, and `epochs` counts those before it.
    `begin` is called on each rank when all is checked, before the first step. `fitting` are
    options of `Trainer.fit` on rows that stay where they are; with None they are read into memory.
    `settings` are those of `Trainer`, and `about` more to note in the model.
    """
    with ranks.agreed():
        epochs = check_int("epochs", epochs)
        parts = open_parts()
        data = _description(parts["training"])
    ranks.check_alike({**data, "epochs": epochs})
    with ranks.agreed():
        parts["training"] = parts["training"].share(ranks.rank, ranks.size)
        own = moments_of(parts["training"], labels=True)
    moments = reduce(add, ranks.allgather(own))
    with ranks.agreed():
        columns = _columns(parts["training"])
        d = data["n_features"]
        of_X, of_y = moments[:d].standardization(), moments[d:].standardization()
        if of_y.constant[0]:
            raise ValueError(
                f"the target, {columns.label(None)}, is {of_y.mean[0]:g} in every training row; "
                "choose another"
            )
        parts = {
            name: replace(rows, standardization=of_X, label_standardization=of_y)
            for name, rows in parts.items()
        }
        trainer = _trainer(data, parts["training"].dtype, resume, settings)
        left = _epochs_left(trainer, epochs)
    with ranks.agreed():
        begin()
    history = _train(trainer, parts["training"], left, fitting)
    scores = {name: _score(name, trainer, rows, ranks) for name, rows in parts.items()}
    if history is None:  # killed after the last step and before the model was written
        end = Records()
        end.add(scores["training"].loss, trainer.examples)
        history = end.history(trainer)
    training = {
        **settings,
        "learning_rate": trainer.learning_rate,
        "epochs": epochs,
        **about,
        "seconds_per_epoch": history.seconds_per_epoch,
        "scores": {name: vars(score) for name, score in scores.items()},
        "tilewise": version("tilewise"),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    model = LinearModel.of_standardized(
        columns, trainer.weights, trainer.bias, (of_X, of_y), training
    )
    constant = [columns.label(j) for j in np.flatnonzero(of_X.constant).tolist()]
    return Fitted(model, history, scores, constant)


def _parts(rows: FragmentDataset, validation_fraction: float, seed: int) -> Parts:
    """Return the rows to train on and, if any, those held out."""
    X, y = (array.astype(np.float64, copy=False) for array in rows.loaded())
    parts = {"training": TrainingSet(X, y[:, np.newaxis], None)}
    if validation_fraction != 0:
        split = parts["training"].split(validation_fraction, seed)
        parts = dict(zip(("training", "validation"), split, strict=True))
    columns = _columns(rows)
    return {
        name: FragmentDataset.of([array_fragment(part.X, part.y[:, 0], columns=columns)])
        for name, part in parts.items()
    }


def _columns(rows: FragmentDataset) -> Columns:
    columns = rows.fragments[0].columns
    assert columns is not None  # of files and tables
    return columns


def _description(rows: FragmentDataset) -> dict[str, Any]:
    """Return what tells data apart, as JSON has it."""
    columns = _columns(rows)
    return {
        "rows": rows.n_rows,
        "n_features": rows.n_features,
        "columns": None if columns.features is None else list(columns.features),
        "target": [columns.target_position, columns.target],
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
    wanted = {**_settings(begun), **data}
    for name, found in {**_settings(resumed), **resumed.trained_on}.items():
        if wanted.get(name) not in (found, "auto"):
            raise ValueError(
                f"{resume} has {name}={found}, not {wanted.get(name)}; go on with the same"
            )
    resumed.trained_on = data
    return resumed


def _settings(trainer: Trainer) -> dict[str, Any]:
    return {**vars(trainer.settings), "optimizer": trainer.settings.optimizer.name}


def _epochs_left(trainer: Trainer, epochs: int) -> int:
    left = epochs - trainer.epochs
    begun = trainer.rows_into_epoch > 0
    if left < 0 or (left == 0 and begun):
        done = f"{trainer.epochs} are done{' and 1 is begun' if begun else ''}"
        raise ValueError(f"epochs={epochs}, but {done}; give more")
    return left


def _train(
    trainer: Trainer, rows: FragmentDataset, epochs: int, fitting: dict[str, Any] | None
) -> History | None:
    """Train for the epochs that are left, if any."""
    if epochs == 0:
        return None
    if fitting is not None:
        return trainer.fit(rows, epochs=epochs, **fitting)
    X, y = rows.loaded()
    return trainer.fit(X, y, epochs, record_every=max(len(X) * epochs // _RECORDS, 1))


def _score(name: str, trainer: Trainer, rows: FragmentDataset, ranks: Ranks) -> Score:
    losses, blocks = 0.0, []
    with ranks.agreed(), np.errstate(over="ignore", invalid="ignore"):
        for _, _, X, y in rows.blocks(_NUMBERS):
            losses += trainer.loss(X, y) * len(X)
            blocks.append(Moments.of(y[:, np.newaxis]))
        own = losses, reduce(add, blocks)
    of_all = ranks.allgather(own)
    labels = reduce(add, (moments for _, moments in of_all))
    with ranks.agreed():
        loss = sum(losses for losses, _ in of_all) / labels.n
        variance = float(labels.standardization().scale[0] ** 2)
        if not (np.isfinite(loss) and np.isfinite(variance)):
            raise ValueError(
                f"values of the {name} part are too far apart for a loss; rescale them"
            )
    constant = labels.squares[0] == 0
    return Score(labels.n, loss, None if constant else 1 - 2 * loss / variance)
