"""Learning rates that change from step to step."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise._checks import check_fields, check_int, check_positive, check_real

__all__ = ["Cosine", "EpochDecay", "Exponential", "InverseScaling", "Schedule", "Step"]

Rates = NDArray[np.float64]

_RATE, _COUNT = {"check": check_positive}, {"check": check_int}


@dataclass(frozen=True)
class Schedule(ABC):
    """A rate that changes; to add one, give a subclass its `rates`.

    Attributes
    ----------
    rate : float
        Rate of the first step.
    """

    rate: float = field(metadata=_RATE)

    def __post_init__(self) -> None:
        """Check the values."""
        check_fields(self)

    @abstractmethod
    def rates(self, steps: NDArray[np.int64], epochs: NDArray[np.int64]) -> Rates:
        """Return the rates of some steps.

        Parameters
        ----------
        steps : ndarray of int64
            Numbers of the steps, from 0.
        epochs : ndarray of int64
            Epoch of each step, from 0.

        Returns
        -------
        ndarray of float64
            A rate for each step.
        """


@dataclass(frozen=True)
class EpochDecay(Schedule):
    """``rate * factor ** epoch``: the rate times a factor after each epoch.

    Epochs are those that `Trainer.run_epoch` and `Trainer.fit` have finished, over whatever data;
    `Trainer.step` counts none.

    Attributes
    ----------
    rate : float
        Rate of the first step.
    factor : float
        What the rate is multiplied by after each epoch.

    Examples
    --------
    >>> import numpy as np
    >>> EpochDecay(0.5, factor=0.5).rates(np.arange(4), np.array([0, 0, 1, 1])).tolist()
    [0.5, 0.5, 0.25, 0.25]
    """

    factor: float = field(metadata=_RATE)

    def rates(self, steps: NDArray[np.int64], epochs: NDArray[np.int64]) -> Rates:
        """Return the rates of some steps, as `Schedule.rates` does."""
        return self.rate * np.power(self.factor, epochs)


@dataclass(frozen=True)
class Step(Schedule):
    """``rate * factor ** (step // every)``: the rate times a factor every so many steps.

    Attributes
    ----------
    rate : float
        Rate of the first step.
    factor : float
        What the rate is multiplied by.
    every : int
        Steps between two changes.

    Examples
    --------
    >>> import numpy as np
    >>> Step(1.0, factor=0.1, every=2).rates(np.arange(4), np.zeros(4, int)).tolist()
    [1.0, 1.0, 0.1, 0.1]
    """

    factor: float = field(metadata=_RATE)
    every: int = field(metadata=_COUNT)

    def rates(self, steps: NDArray[np.int64], epochs: NDArray[np.int64]) -> Rates:
        """Return the rates of some steps, as `Schedule.rates` does."""
        return self.rate * np.power(self.factor, steps // self.every)


@dataclass(frozen=True)
class Exponential(Schedule):
    """``rate * exp(-decay * step)``.

    Attributes
    ----------
    rate : float
        Rate of the first step.
    decay : float
        How fast the rate falls.

    Examples
    --------
    >>> import numpy as np
    >>> Exponential(1.0, decay=0.5).rates(np.arange(2), np.zeros(2, int)).round(3).tolist()
    [1.0, 0.607]
    """

    decay: float = field(metadata=_RATE)

    def rates(self, steps: NDArray[np.int64], epochs: NDArray[np.int64]) -> Rates:
        """Return the rates of some steps, as `Schedule.rates` does."""
        return np.asarray(self.rate * np.exp(-self.decay * steps))


@dataclass(frozen=True)
class Cosine(Schedule):
    """From `rate` down to `final` along half a cosine in `steps` steps, and `final` from then on.

    Loshchilov and Hutter, 2017, arXiv:1608.03983, without restarts.

    Attributes
    ----------
    rate : float
        Rate of the first step.
    steps : int
        Steps until the rate is `final`.
    final : float, default 0
        Rate from then on.

    Examples
    --------
    >>> import numpy as np
    >>> Cosine(1.0, steps=2).rates(np.arange(4), np.zeros(4, int)).round(3).tolist()
    [1.0, 0.5, 0.0, 0.0]
    """

    steps: int = field(metadata=_COUNT)
    final: float = field(default=0.0, metadata={"check": check_real})

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if not 0 <= self.final <= self.rate:
            raise ValueError(f"final={self.final} is out of range; give 0 to rate={self.rate}")

    def rates(self, steps: NDArray[np.int64], epochs: NDArray[np.int64]) -> Rates:
        """Return the rates of some steps, as `Schedule.rates` does."""
        part = np.minimum(steps / self.steps, 1)
        return self.final + (self.rate - self.final) * (1 + np.cos(math.pi * part)) / 2


@dataclass(frozen=True)
class InverseScaling(Schedule):
    """``rate / (1 + step) ** power``.

    Attributes
    ----------
    rate : float
        Rate of the first step.
    power : float, default 0.5
        Exponent of the step.

    Examples
    --------
    >>> import numpy as np
    >>> InverseScaling(1.0).rates(np.array([0, 3]), np.zeros(2, int)).tolist()
    [1.0, 0.5]
    """

    power: float = field(default=0.5, metadata=_RATE)

    def rates(self, steps: NDArray[np.int64], epochs: NDArray[np.int64]) -> Rates:
        """Return the rates of some steps, as `Schedule.rates` does."""
        return np.asarray(self.rate / np.power(1.0 + steps, self.power))


def rate_block(
    rate: Schedule | Callable[[int], Any], steps: NDArray[np.int64], epochs: NDArray[np.int64]
) -> Rates:
    """Return the rates of `steps`, which lie in `epochs`, all finite and at least 0."""
    if isinstance(rate, Schedule):
        rates = np.asarray(rate.rates(steps, epochs), np.float64)
        if rates.shape != steps.shape:
            raise ValueError(
                f"{type(rate).__name__}.rates gave shape {rates.shape}; give one rate a step, "
                f"shape {steps.shape}"
            )
    else:
        rates = np.array([check_real(f"learning_rate({step})", rate(int(step))) for step in steps])
    bad = ~(np.isfinite(rates) & (rates >= 0))
    if bad.any():
        at = int(np.argmax(bad))
        raise ValueError(
            f"the learning rate of step {steps[at]} is {rates[at]}; it must be finite and not "
            "below 0"
        )
    return rates
