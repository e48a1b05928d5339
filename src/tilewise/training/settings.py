"""The list of settings: what a model and its steps are, and what a fit does."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from tilewise import _core
from tilewise._checks import (
    check_bool,
    check_callbacks,
    check_choice,
    check_float_dtype,
    check_fraction,
    check_int,
    check_positive,
    check_seed,
)
from tilewise.data.training_set import TrainingSet
from tilewise.schedules import Schedule
from tilewise.training.optimizers import Optimizer

Rate = float | str | Schedule | Callable[[int], float]

SAMPLINGS = _core.SAMPLINGS
_IN_MEMORY_ONLY = ("record_every", "validation_fraction", "patience", "callbacks", "verbose")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a model and its steps are; see `Trainer`. All of it is in a checkpoint."""

    n_features: int
    n_targets: int | None = None
    batch_size: int = 32
    learning_rate: Rate = 0.01
    optimizer: Any = "sgd"  # an `Optimizer`, once it is checked
    sampling: str = "permutation"
    weight_decay: float = 0.0
    clip_norm: float | None = None
    average: bool = False
    dtype: Any = np.float32  # an np.dtype, once it is checked
    seed: Any = None  # an int, once it is checked

    def __post_init__(self) -> None:
        """Check all; a name becomes an optimizer, and None a fresh seed."""
        check_choice("sampling", self.sampling, SAMPLINGS)
        dtype = check_float_dtype(self.dtype)
        optimizer = Optimizer.of(self.optimizer)
        _check_rounded(optimizer.hyperparameters, dtype)
        clip_norm, n_targets = self.clip_norm, self.n_targets
        vars(self).update(
            n_features=check_int("n_features", self.n_features),
            n_targets=None if n_targets is None else check_int("n_targets", n_targets),
            batch_size=check_int("batch_size", self.batch_size),
            learning_rate=_checked_rate(self.learning_rate, optimizer, dtype),
            optimizer=optimizer,
            weight_decay=check_positive("weight_decay", self.weight_decay, dtype, or_zero=True),
            clip_norm=None if clip_norm is None else check_positive("clip_norm", clip_norm, dtype),
            average=check_bool("average", self.average),
            dtype=dtype,
            seed=check_seed(self.seed),
        )

    @property
    def weights_shape(self) -> tuple[int, ...]:
        """Shape of the weights: (n_features,) or (n_features, n_targets)."""
        return (self.n_features,) if self.n_targets is None else (self.n_features, self.n_targets)

    @property
    def parameters_shape(self) -> tuple[int, int]:
        """Shape of the weights with the bias below them."""
        return self.n_features + 1, self.n_targets or 1

    def training_set(
        self, X: ArrayLike, y: ArrayLike | None, sample_weight: ArrayLike | None = None
    ) -> TrainingSet:
        """Return the rows to train such a model on, checked."""
        return TrainingSet.checked(
            X, y, sample_weight,
            n_features=self.n_features, n_targets=self.n_targets, dtype=self.dtype,
        )  # fmt: skip

    @property
    def native(self) -> _core.Settings:
        """What a step is, for native code."""
        return _core.Settings(
            self.batch_size,
            self.optimizer.name,
            list(self.optimizer.hyperparameters.values()),
            self.weight_decay,
            float("inf") if self.clip_norm is None else self.clip_norm,
            self.average,
        )


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """What a fit does; see `Trainer.fit`."""

    epochs: int = 1
    record_every: int | None = None
    validation_fraction: float | None = None
    patience: int | None = None
    tolerance: float = 0.0
    callbacks: Iterable[Callable[..., Any]] = ()
    progress: bool = False
    verbose: bool = False
    comm: Any = None
    average_every: int = 1
    checkpoint: str | os.PathLike[str] | None = None
    checkpoint_every: int = 1000

    def __post_init__(self) -> None:
        """Check all, whether it will be used or not; `comm` is checked where it is used."""
        given = [name for name in ("record_every", "patience") if getattr(self, name) is not None]
        counts = ("epochs", *given, "average_every", "checkpoint_every")
        checked: dict[str, Any] = {name: check_int(name, getattr(self, name)) for name in counts}
        if self.validation_fraction is not None:
            part = check_fraction("validation_fraction", self.validation_fraction)
            checked["validation_fraction"] = part
        if self.checkpoint is not None:
            checked["checkpoint"] = check_checkpoint(self.checkpoint)
        vars(self).update(
            checked,
            tolerance=check_positive("tolerance", self.tolerance, or_zero=True),
            progress=check_bool("progress", self.progress),
            verbose=check_bool("verbose", self.verbose),
            callbacks=tuple(check_callbacks(self.callbacks)),
        )

    def refuse_in_memory_only(self, what: str) -> None:
        """Raise if an option is given that goes with rows in memory alone."""
        standard = {field.name: field.default for field in fields(self)}
        for name in _IN_MEMORY_ONLY:
            value = getattr(self, name)
            refuse(name, value if value != standard[name] else None, what)


def passed(settings: type, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the arguments of a call, its `locals()`, that are in a list of settings."""
    names = {field.name for field in fields(settings)}
    return {name: value for name, value in arguments.items() if name in names}


def refuse(name: str, value: Any, what: str) -> None:
    """Raise if an argument is given that does not go with something."""
    if value is not None:
        raise ValueError(f"{name} does not go with {what}; leave it out")


def check_checkpoint(path: Any) -> Path:
    """Return the path of an NPZ file that can be written."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path={path!r} is not a path; give a str ending in .npz")
    checked = Path(path)
    if checked.suffix != ".npz":
        raise ValueError(f"path={str(path)!r} does not end in .npz; give such a name")
    if not checked.parent.is_dir():
        raise FileNotFoundError(f"{checked.parent} is not a folder; make it first")
    return checked


def _checked_rate(rate: Any, optimizer: Optimizer, dtype: np.dtype[Any]) -> Rate:
    if isinstance(rate, str) and rate == "auto":
        if optimizer.scales_gradient:
            raise ValueError(
                f"learning_rate='auto' has no meaning for {optimizer.name}, which scales the "
                "gradient; give a number"
            )
        return rate
    if isinstance(rate, Schedule) or callable(rate):
        return cast(Rate, rate)
    return check_positive("learning_rate", rate, dtype)


def _check_rounded(hyperparameters: Mapping[str, float], dtype: np.dtype[Any]) -> None:
    """Raise if one is out of its range in `dtype`, though it was not before."""
    for name, value in hyperparameters.items():
        rounded = dtype.type(value)
        if name == "epsilon" and rounded == 0:
            raise ValueError(f"epsilon={value} is 0 in {dtype}; give a larger one")
        if name != "epsilon" and rounded == 1:
            raise ValueError(f"{name}={value} is 1 in {dtype}; give a smaller one")
