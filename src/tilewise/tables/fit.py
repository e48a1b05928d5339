"""A linear model of one column of a table by the others, trained on a part of the rows."""

import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise._checks import check_int
from tilewise.data.columns import column_label
from tilewise.data.training_set import TrainingSet
from tilewise.tables.model import Columns, LinearModel, Standardization
from tilewise.tables.table import NumericTable
from tilewise.trainer import Trainer
from tilewise.training.history import History

__all__ = ["FittedTable", "Score", "fit_table", "versions"]

Floats = NDArray[np.float64]

_RECORDS = 100  # of the loss, in a run


@dataclass(frozen=True)
class Score:
    """How well a model fits a part of the rows.

    Attributes
    ----------
    rows : int
    loss : float
        Half the mean squared error of the standardized target.
    r2 : float or None
        Coefficient of determination: 1 less the squared error over that of the part's own mean.
        None where the target is constant.
    """

    rows: int
    loss: float
    r2: float | None


@dataclass(frozen=True)
class FittedTable:
    """What `fit_table` returns.

    Attributes
    ----------
    model : LinearModel
    history : History
        Of the training part.
    scores : dict of str to Score
        Of "training" and, if there is one, "validation".
    constant : list of str
        Features that are constant in the training part; their weight is 0.
    """

    model: LinearModel
    history: History
    scores: dict[str, Score]
    constant: list[str]


def fit_table(
    table: NumericTable,
    target: str | None = None,
    *,
    validation_fraction: float = 0.2,
    epochs: int = 20,
    seed: int = 0,
    **settings: Any,
) -> FittedTable:
    """Standardize the columns, train a linear model of the target, and score it.

    Parameters
    ----------
    table : NumericTable
    target : str, optional
        The column's name, or its number from 1. By default the last column.
    validation_fraction : float, default 0.2
        The part of the rows, drawn at random, that neither the training nor the mean and scale of
        the columns see. 0 for none.
    epochs : int, default 20
    seed : int, default 0
        Fixes the parts and the order of the rows.
    **settings
        Of `tilewise.Trainer`.

    Returns
    -------
    FittedTable

    Raises
    ------
    TypeError, ValueError
        There is no such target, a part would be empty, the target is constant, or a setting is
        wrong.
    DivergenceError
        The learning rate is too large.

    Examples
    --------
    >>> table = NumericTable(("x", "y"), np.array([[1.0, 3], [2, 5], [3, 7], [4, 9]]))
    >>> fitted = fit_table(table, "y", validation_fraction=0, epochs=100, learning_rate="auto")
    >>> fitted.model.weights.round(3).tolist(), round(fitted.model.bias, 3)
    ([2.0], 1.0)
    """
    epochs = check_int("epochs", epochs)
    position = table.position(target)
    raw = _parts(table.values, position, validation_fraction, seed)
    X, y = raw["training"]
    if (y == y[0]).all():
        raise ValueError(
            f"the target, {column_label(table.names, position)}, is {y[0, 0]:g} in every training "
            "row; choose another"
        )
    of_X, of_y = Standardization.of(X), Standardization.of(y)
    with np.errstate(over="ignore"):  # found by _score
        parts = {name: (of_X.apply(X), of_y.apply(y)[:, 0]) for name, (X, y) in raw.items()}
    n, d = X.shape
    trainer = Trainer(d, dtype=np.float64, initial_weights=np.zeros(d), seed=seed, **settings)
    history = trainer.fit(*parts["training"], epochs, record_every=max(n * epochs // _RECORDS, 1))
    scores = {name: _score(name, trainer, X, y) for name, (X, y) in parts.items()}
    about = {
        **settings,
        "learning_rate": trainer.learning_rate,
        "epochs": epochs,
        "seed": seed,
        "validation_fraction": validation_fraction,
        "seconds_per_epoch": history.seconds_per_epoch,
        "scores": {name: vars(score) for name, score in scores.items()},
        **versions(),
    }
    model = LinearModel.of_standardized(
        _columns(table, position), trainer.weights, trainer.bias, (of_X, of_y), about
    )
    features = np.delete(np.arange(d + 1), position)
    constant = [int(i) for i in features[(X[0] == X).all(axis=0)]]
    return FittedTable(model, history, scores, [column_label(table.names, i) for i in constant])


def _parts(
    values: Floats, position: int, validation_fraction: float, seed: int
) -> dict[str, tuple[Floats, Floats]]:
    """Return X (n, d) and y (n, 1) of the rows to train on and, if any, of those held out."""
    d = values.shape[1] - 1
    if d == 0:
        raise ValueError("the table has one column; give the target and at least one feature")
    X, y = np.delete(values, position, axis=1), values[:, position]
    whole = TrainingSet.checked(X, y, None, n_features=d, n_targets=None, dtype=np.float64)
    if validation_fraction == 0:
        return {"training": (whole.X, whole.y)}
    training, validation = whole.split(validation_fraction, seed)
    return {"training": (training.X, training.y), "validation": (validation.X, validation.y)}


def _score(name: str, trainer: Trainer, X: Floats, y: Floats) -> Score:
    with np.errstate(over="ignore", invalid="ignore"):
        loss = trainer.loss(X, y)
        variance = float(np.var(y))
    if not (np.isfinite(loss) and np.isfinite(variance)):
        raise ValueError(f"values of the {name} part are too far apart for a loss; rescale them")
    return Score(len(y), loss, 1 - 2 * loss / variance if variance > 0 else None)


def _columns(table: NumericTable, position: int) -> Columns:
    if table.names is None:
        return Columns(None, None, position)
    features = table.names[:position] + table.names[position + 1 :]
    return Columns(features, table.names[position], position)


def versions() -> dict[str, str]:
    """Return those of what a model was made with."""
    return {
        "tilewise": version("tilewise"),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
