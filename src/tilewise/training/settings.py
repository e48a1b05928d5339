"""The list of settings: what a model and its steps are, and what a fit does."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from tilewise import _core
from tilewise._checks import (
    INT64_MAX,
    Array,
    check_bool,
    check_callables,
    check_choice,
    check_fields,
    check_float_array,
    check_float_dtype,
    check_fraction,
    check_int,
    check_positive,
    check_seed,
    check_shape,
)
from tilewise.data.dataset import Dataset
from tilewise.data.training_set import TrainingSet, is_plain
from tilewise.schedules import Schedule
from tilewise.training.optimizers import Optimizer

Rate = float | str | Schedule | Callable[[int], float]

SAMPLINGS = _core.SAMPLINGS

_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
_COUNT, _FLAG = {"check": check_int}, {"check": check_bool}
_NOT_NEGATIVE = {"check": partial(check_positive, or_zero=True)}
_IN_MEMORY_ONLY = ("record_every", "validation_fraction", "patience", "callbacks", "verbose")


def check_checkpoint(name: str, path: Any) -> Path:
    """Return the path of an NPZ file that can be written."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"{name}={path!r} is not a path; give a str ending in .npz")
    checked = Path(path)
    if checked.suffix != ".npz":
        raise ValueError(f"{name}={str(path)!r} does not end in .npz; give such a name")
    if checked.is_dir():
        raise IsADirectoryError(f"{name}={str(path)!r} is a folder; choose another name")
    if not checked.parent.is_dir():
        raise FileNotFoundError(f"{checked.parent} is not a folder; make it first")
    return checked


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a model and its steps are; see `Trainer`. All of it is in a checkpoint."""

    n_features: int = field(metadata=_COUNT)
    n_targets: int | None = field(default=None, metadata=_COUNT)
    batch_size: int = field(default=32, metadata=_COUNT)
    learning_rate: Rate = 0.01
    optimizer: Any = "sgd"  # an `Optimizer`, once it is checked
    sampling: str = "permutation"
    weight_decay: float = 0.0
    clip_norm: float | None = None
    average: bool = field(default=False, metadata=_FLAG)
    dtype: Any = np.float32  # an np.dtype, once it is checked
    seed: Any = None  # an int, once it is checked

    def __post_init__(self) -> None:
        """Check all; a name becomes an optimizer, and None a fresh seed."""
        check_fields(self)
        check_choice("sampling", self.sampling, SAMPLINGS)
        dtype, optimizer, clip_norm = check_float_dtype(self.dtype), self.optimizer, self.clip_norm
        if not isinstance(optimizer, Optimizer):
            optimizer = Optimizer(optimizer)
        vars(self).update(
            learning_rate=_checked_rate(self.learning_rate, optimizer, dtype),
            optimizer=optimizer,
            weight_decay=check_positive("weight_decay", self.weight_decay, dtype, or_zero=True),
            clip_norm=None if clip_norm is None else check_positive("clip_norm", clip_norm, dtype),
            dtype=dtype,
            seed=check_seed(self.seed),
        )
        for name, value in optimizer.hyperparameters.items():
            rounded = dtype.type(value)
            if name == "epsilon" and rounded == 0:
                raise ValueError(f"epsilon={value} is 0 in {dtype}; give a larger one")
            if name != "epsilon" and rounded == 1:
                raise ValueError(f"{name}={value} is 1 in {dtype}; give a smaller one")

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

    def rows(
        self, X: ArrayLike | Dataset, y: ArrayLike | None, sample_weight: ArrayLike | None = None
    ) -> TrainingSet | Dataset:
        """Return the rows to train such a model on, in memory or not, checked."""
        if not isinstance(X, Dataset):
            return self.training_set(X, y, sample_weight)
        refuse("y", y, "rows of open_rows")
        refuse("sample_weight", sample_weight, "rows of open_rows")
        if (X.n_features, X.dtype) != (self.n_features, self.dtype):
            raise ValueError(
                f"rows have {X.n_features} features of {X.dtype}, but the model "
                f"{self.n_features} of {self.dtype}; make them alike"
            )
        if self.n_targets is not None:
            raise ValueError(
                f"n_targets={self.n_targets}; streamed rows have one target, give None"
            )
        return X

    @property
    def native(self) -> _core.Settings:
        """What a step is, for native code."""
        return _core.Settings(
            self.batch_size,
            self.optimizer.name,
            list(self.optimizer.hyperparameters.values()),
            self.weight_decay,
            float("inf") if self.clip_norm is None else self.clip_norm,
        )


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """What a fit does; see `Trainer.fit`."""

    epochs: int = field(default=1, metadata=_COUNT)
    record_every: int | None = field(default=None, metadata=_COUNT)
    validation_fraction: float | None = field(default=None, metadata={"check": check_fraction})
    patience: int | None = field(default=None, metadata=_COUNT)
    tolerance: float = field(default=0.0, metadata=_NOT_NEGATIVE)
    callbacks: Iterable[Callable[..., Any]] = field(default=(), metadata={"check": check_callables})
    progress: bool = field(default=False, metadata=_FLAG)
    verbose: bool = field(default=False, metadata=_FLAG)
    comm: Any = None  # is checked where it is used
    average_every: int = field(default=1, metadata=_COUNT)
    checkpoint: Any = field(default=None, metadata={"check": check_checkpoint})  # then a Path
    checkpoint_every: int = field(default=1000, metadata=_COUNT)

    def __post_init__(self) -> None:
        """Check all, whether it will be used or not."""
        check_fields(self)

    def refuse_in_memory_only(self, what: str) -> None:
        """Raise if an option is given that goes with rows in memory alone."""
        for name in _IN_MEMORY_ONLY:
            value = getattr(self, name)
            if value != getattr(FitOptions, name):
                refuse(name, value, what)

    def rows_between_records(self, n_rows: int) -> int:
        """Return `record_every`, or for None an interval that takes little time.

        The loss over all rows is about half the work of an epoch, so one in five epochs is about a
        tenth of the training's. With the end there are at most a hundred.
        """
        if self.record_every is not None:
            return self.record_every
        return min(n_rows * max(5, -(-self.epochs // 99)), INT64_MAX)


def passed(settings: type, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the arguments of a call, its `locals()`, that are in a list of settings."""
    names = settings.__annotations__
    return {name: arguments[name] for name in names if name in arguments}


def settings_of_data(X: ArrayLike | Dataset, y: ArrayLike | None) -> dict[str, Any]:
    """Return the settings that data decide: the model's features, targets and dtype."""
    if isinstance(X, Dataset):
        return {"n_features": X.n_features, "dtype": X.dtype}
    if y is None:
        raise TypeError("y is missing; give the labels of X")
    X, y = check_shape("X", _floats("X", X), ndim=2), _floats("y", y)
    n_targets = None if y.ndim < 2 else y.shape[1]  # `training_set` checks the shape
    return {"n_features": X.shape[1], "n_targets": n_targets, "dtype": X.dtype}


def _floats(name: str, value: ArrayLike) -> Array:
    """Return a float32 or float64 array; see `check_float_array`."""
    plain = is_plain(value, _FLOAT32) or is_plain(value, _FLOAT64)
    return cast(Array, value) if plain else check_float_array(name, value)


def refuse(name: str, value: Any, what: str) -> None:
    """Raise if an argument is given that does not go with something."""
    if value is not None:
        raise ValueError(f"{name} does not go with {what}; leave it out")


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
