"""The section's training runs: the four, and the concise form beside that from scratch."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from numpy.typing import ArrayLike

from tilewise._checks import check_float_matrix, check_int, check_seed
from tilewise.custom_optimizer import train as train_generic
from tilewise.data.minibatches import Minibatches
from tilewise.experiments.published import RECORD_EVERY
from tilewise.linear_regression import fit
from tilewise.trainer import Trainer
from tilewise.training.history import History


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes
    ----------
    name : str
        Name of the run, such as "batch 100".
    batch_size : int
        Rows of a step.
    learning_rate : float
        Learning rate, constant.
    epochs : int
        Number of epochs.
    history : History
        Losses and times of the run.
    """

    name: str
    batch_size: int
    learning_rate: float
    epochs: int
    history: History

    @property
    def loss(self) -> float:
        """Half the squared error at the end, averaged over all rows."""
        return float(self.history.losses[-1])

    @property
    def seconds_per_epoch(self) -> float:
        """Training time of the run over its epochs."""
        return self.history.seconds_per_epoch


def four_runs(X: ArrayLike, y: ArrayLike, seed: int | None = None, repeats: int = 5) -> list[Run]:
    """Train the section's four: gradient descent, batch size 1, 100 and 10.

    A run can take less than a millisecond, and a single cold one several times as long. So each
    is run once to warm up, then `repeats` times with the same seed, which gives the same losses;
    the run of median time is returned.

    Parameters
    ----------
    X : array_like of float32 or float64, shape (n, d)
        Features of the rows.
    y : array_like of float32 or float64, shape (n,)
        Targets of the rows.
    seed : int, optional
        Fixes the initial weights and the order of the rows, the same for all runs. By default a
        fresh one.
    repeats : int, default 5
        Timed repetitions.

    Returns
    -------
    list of Run
        "gd", "sgd", "batch 100" and "batch 10".

    Raises
    ------
    TypeError, ValueError
        As `tilewise.fit` does, or `repeats` is not a positive integer.
    FloatingPointError
        A run diverged: the section's learning rates are for standardised data.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y, _, _ = tw.data.synthetic(1500, 5, seed=0)
    >>> for run in four_runs(X, y, seed=0, repeats=1):
    ...     print(run.name, run.batch_size, run.learning_rate, run.epochs)
    gd 1500 1.0 10
    sgd 1 0.005 2
    batch 100 100 0.4 2
    batch 10 10 0.05 2
    """
    X = check_float_matrix("X", X)
    repeats = check_int("repeats", repeats)
    settings = [
        ("gd", len(X), 1.0, 10),
        ("sgd", 1, 0.005, 2),
        ("batch 100", 100, 0.4, 2),
        ("batch 10", 10, 0.05, 2),
    ]
    runs = []
    for name, batch_size, learning_rate, epochs in settings:
        train = partial(
            fit, X, y, batch_size=batch_size, learning_rate=learning_rate, epochs=epochs,
            record_every=RECORD_EVERY,
        )  # fmt: skip
        seed = train(seed=seed).seed
        histories = [train(seed=seed) for _ in range(repeats)]
        histories.sort(key=lambda history: history.seconds_per_epoch)
        runs.append(Run(name, batch_size, learning_rate, epochs, histories[repeats // 2]))
    return runs


def concise_form(X: ArrayLike, y: ArrayLike, seed: int | None = None) -> list[Run]:
    """Train with batch size 10 from scratch, with the step in Python, and by `Trainer`.

    Both begin at the same weights and see the same minibatches.

    Parameters
    ----------
    X : array_like of float32 or float64, shape (n, d)
        Features of the rows.
    y : array_like of float32 or float64, shape (n,)
        Targets of the rows.
    seed : int, optional
        Fixes the initial weights and the order of the rows.

    Returns
    -------
    list of Run
        "from scratch" and "concise".

    Raises
    ------
    TypeError, ValueError, FloatingPointError
        As `tilewise.fit` does.

    Examples
    --------
    >>> import tilewise as tw
    >>> X, y, _, _ = tw.data.synthetic(1500, 5, seed=0)
    >>> scratch, concise = concise_form(X, y, seed=0)
    >>> abs(scratch.loss - concise.loss) < 1e-4
    True
    """
    X, seed = check_float_matrix("X", X), check_seed(seed)

    def scratch() -> History:
        batches = Minibatches(X, y, batch_size=10, seed=seed)
        return train_generic(
            _sgd, None, {"lr": 0.05}, batches, X.shape[1], epochs=2, seed=seed,
            record_every=RECORD_EVERY,
        )  # fmt: skip

    def concise() -> History:
        n_features, dtype = X.shape[1], X.dtype
        trainer = Trainer(n_features, batch_size=10, learning_rate=0.05, dtype=dtype, seed=seed)
        return trainer.fit(X, y, epochs=2, record_every=RECORD_EVERY)

    runs = []
    for name, train in (("from scratch", scratch), ("concise", concise)):
        train()  # to warm up
        runs.append(Run(name, 10, 0.05, 2, train()))
    return runs


def _sgd(params: list[Any], grads: list[Any], states: Any, hyperparams: dict[str, Any]) -> None:
    for param, grad in zip(params, grads, strict=True):
        param -= hyperparams["lr"] * grad
