"""The settings of a trainer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from tilewise import _core
from tilewise._checks import (
    check_bool,
    check_choice,
    check_float_dtype,
    check_int,
    check_positive,
    check_rate,
    check_seed,
)
from tilewise.data.training_set import Examples
from tilewise.schedules import Schedule
from tilewise.training.optimizers import Optimizer

__all__ = ["SAMPLINGS", "Config", "Rate"]

Rate = float | str | Schedule | Callable[[int], float]

SAMPLINGS = _core.SAMPLINGS


@dataclass(frozen=True)
class Config:
    """The settings that stay, checked; see `Trainer`."""

    n_features: int
    n_targets: int | None
    batch_size: int
    optimizer: Optimizer
    sampling: str
    weight_decay: float
    clip_norm: float | None
    average: bool
    dtype: np.dtype[Any]
    seed: int

    @classmethod
    def checked(
        cls,
        *,
        n_features: Any,
        n_targets: Any,
        batch_size: Any,
        optimizer: Any,
        sampling: Any,
        weight_decay: Any,
        clip_norm: Any,
        average: Any,
        dtype: DTypeLike,
        seed: Any,
    ) -> "Config":
        """Return the settings of these arguments, or raise and name the first that is wrong."""
        check_choice("sampling", sampling, SAMPLINGS)
        optimizer = Optimizer.of(optimizer)
        dtype = check_float_dtype(dtype)
        _check_rounded(optimizer.hyperparameters, dtype)
        weight_decay = check_positive("weight_decay", weight_decay, or_zero=True)
        if weight_decay > float(np.finfo(dtype).max):
            raise ValueError(f"weight_decay={weight_decay} is infinite in {dtype}; give less")
        least = float(np.finfo(dtype).smallest_subnormal)
        if clip_norm is not None and check_positive("clip_norm", clip_norm) < least:
            raise ValueError(f"clip_norm={clip_norm} is 0 in {dtype}; give a larger one")
        return cls(
            n_features=check_int("n_features", n_features),
            n_targets=None if n_targets is None else check_int("n_targets", n_targets),
            batch_size=check_int("batch_size", batch_size),
            optimizer=optimizer,
            sampling=sampling,
            weight_decay=weight_decay,
            clip_norm=None if clip_norm is None else float(clip_norm),
            average=check_bool("average", average),
            dtype=dtype,
            seed=check_seed(seed),
        )

    def checked_rate(self, learning_rate: Any) -> Rate:
        """Return the learning rate if it can go with these settings, or raise."""
        if isinstance(learning_rate, str) and learning_rate == "auto":
            if self.scales_gradient:
                raise ValueError(
                    f"learning_rate='auto' has no meaning for {self.optimizer.name}, which scales "
                    "the gradient; give a number"
                )
            return "auto"
        if isinstance(learning_rate, Schedule):
            return learning_rate
        if callable(learning_rate):
            return cast(Callable[[int], float], learning_rate)
        return check_rate("learning_rate", learning_rate, self.dtype)

    def examples(
        self, X: ArrayLike, y: ArrayLike | None, sample_weight: ArrayLike | None
    ) -> Examples:
        """Return the arguments as examples of such a model, checked."""
        if y is None:
            raise TypeError("y is missing; give the labels of X")
        n_features, n_targets, dtype = self.n_features, self.n_targets, self.dtype
        return Examples.checked(
            X, y, sample_weight, n_features=n_features, n_targets=n_targets, dtype=dtype
        )

    @property
    def scales_gradient(self) -> bool:
        """Whether the optimizer divides the gradient by its size."""
        return "epsilon" in self.optimizer.hyperparameters  # which keeps the size above 0

    @property
    def weights_shape(self) -> tuple[int, ...]:
        """Of the weights as users see them."""
        return (self.n_features,) if self.n_targets is None else (self.n_features, self.n_targets)

    @property
    def parameters_shape(self) -> tuple[int, int]:
        """Of the weights with the bias below them."""
        return self.n_features + 1, self.n_targets or 1

    @property
    def native(self) -> _core.Settings:
        """What a step is, for the engine."""
        return _core.Settings(
            self.batch_size,
            self.optimizer.name,
            list(self.optimizer.hyperparameters.values()),
            self.weight_decay,
            float("inf") if self.clip_norm is None else self.clip_norm,
            self.average,
        )


def _check_rounded(hyperparameters: Mapping[str, float], dtype: np.dtype[Any]) -> None:
    """Raise if one is out of its range in `dtype`, though it was not before."""
    for name, value in hyperparameters.items():
        rounded = dtype.type(value)
        if name == "epsilon" and rounded == 0:
            raise ValueError(f"epsilon={value} is 0 in {dtype}; give a larger one")
        if name != "epsilon" and rounded == 1:
            raise ValueError(f"{name}={value} is 1 in {dtype}; give a smaller one")
