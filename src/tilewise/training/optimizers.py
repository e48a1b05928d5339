"""The optimizers that the native trainer knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from tilewise import _core
from tilewise._checks import check_choice, check_positive, check_real

_ALL = _core.optimizers()


@dataclass(frozen=True, init=False)
class Optimizer:
    r"""An optimizer with its hyperparameters.

    With the gradient g, the rate :math:`\eta` and all operations element by element, the
    parameters w change by

    ========= ==================================================================== =================
    sgd       :math:`w \mathrel{-}= \eta g`
    momentum  :math:`v = \mu v + g;\ w \mathrel{-}= \eta v`                        momentum=0.9
    nesterov  :math:`v = \mu v + g;\ w \mathrel{-}= \eta (g + \mu v)`              momentum=0.9
    adagrad   :math:`s \mathrel{+}= g^2;\ w \mathrel{-}= \eta g / (\sqrt s + e)`   epsilon=1e-10
    rmsprop   :math:`s = a s + (1 - a) g^2`, and then as adagrad                   decay=0.9,
                                                                                   epsilon=1e-8
    adadelta  s as rmsprop;                                                        decay=0.9,
              :math:`u = g \sqrt{d + e} / \sqrt{s + e};\ d = a d + (1 - a) u^2`;   epsilon=1e-6
              :math:`w \mathrel{-}= \eta u`
    adam      means m of g and s of :math:`g^2`, corrected for their start at 0;   beta1=0.9,
              :math:`w \mathrel{-}= \eta m / (\sqrt s + e)`                        beta2=0.999,
                                                                                   epsilon=1e-8
    ========= ==================================================================== =================

    as in PyTorch. In d2l.ai, sections 12.6 to 12.10, e is inside the roots of adagrad and rmsprop,
    and adadelta has no rate. Keras has the rate inside the velocity,
    :math:`v = \mu v - \eta g;\ w \mathrel{+}= v`: the same while the rate is constant, but a
    changed rate acts on the old gradients here and not there.

    Parameters
    ----------
    name : str
        One of the table.
    **hyperparameters : float
        Those of the table; epsilon above 0, the others from 0 to below 1.

    Raises
    ------
    TypeError, ValueError
        There is no such optimizer or hyperparameter, or its value is out of range.

    Examples
    --------
    >>> from tilewise import Optimizer
    >>> Optimizer("adam", beta1=0.8).hyperparameters["beta1"]
    0.8
    """

    name: str
    hyperparameters: Mapping[str, float]

    def __init__(self, name: str, **hyperparameters: float) -> None:
        check_choice("optimizer", name, _ALL)
        standard = _ALL[name][1]
        values = dict(standard)
        for key, value in hyperparameters.items():
            if key not in standard:
                known = ", ".join(standard) or "none"
                raise TypeError(f"{name} has no hyperparameter {key!r}; it has: {known}")
            values[key] = _check(key, value)
        vars(self).update(name=name, hyperparameters=MappingProxyType(values))

    @property
    def slots(self) -> int:
        """How many arrays like the parameters it keeps from step to step."""
        return _ALL[self.name][0]

    @property
    def scales_gradient(self) -> bool:
        """Whether it divides the gradient by its size, which epsilon keeps above 0."""
        return "epsilon" in self.hyperparameters

    def __hash__(self) -> int:
        """Return the hash of name and values."""
        return hash((self.name, *self.hyperparameters.values()))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by name and values."""
        return partial(Optimizer, **self.hyperparameters), (self.name,)  # type: ignore[arg-type]


def _check(key: str, value: Any) -> float:
    if key == "epsilon":
        return check_positive(key, value)
    number = check_real(key, value)
    if not 0 <= number < 1:
        raise ValueError(f"{key}={value!r} is out of range; give a number from 0 to below 1")
    return number
