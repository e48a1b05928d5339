"""Matrix products and linear models by minibatch SGD, as fast as the CPU can go."""

from importlib import import_module
from importlib.metadata import version as _version
from typing import TYPE_CHECKING

# First: it refuses subinterpreters, in some of which the import of NumPy does harm.
from tilewise import _core as _core
from tilewise import data, hardware, plots, schedules
from tilewise._threads import get_num_threads, set_num_threads, threads
from tilewise.custom_optimizer import train
from tilewise.data.open import open_rows
from tilewise.hardware.facts import available_isas, isa, show_config
from tilewise.hardware.measured import Machine, machine
from tilewise.linear_regression import fit
from tilewise.products import STRATEGIES, Explanation, explain, matmul
from tilewise.timing import Timer
from tilewise.trainer import Trainer
from tilewise.training.history import DivergenceError, History
from tilewise.training.optimizers import Optimizer

__version__ = _version("tilewise")

__all__ = [
    "STRATEGIES",
    "DivergenceError",
    "Explanation",
    "History",
    "Machine",
    "Optimizer",
    "SGDRegressor",
    "Timer",
    "Trainer",
    "available_isas",
    "data",
    "explain",
    "fit",
    "get_num_threads",
    "hardware",
    "isa",
    "machine",
    "matmul",
    "open_rows",
    "plots",
    "schedules",
    "set_num_threads",
    "show_config",
    "threads",
    "train",
]

# Imported when they are asked for: scikit-learn takes long to import, and few need the rest.
_LATER = ("SGDRegressor", "d2l", "experiments")
if TYPE_CHECKING:
    from tilewise import d2l as d2l
    from tilewise import experiments as experiments
    from tilewise.estimator import SGDRegressor
else:

    def __getattr__(name: str) -> object:
        if name == "SGDRegressor":
            return import_module("tilewise.estimator").SGDRegressor
        if name in _LATER:
            return import_module(f"tilewise.{name}")
        raise AttributeError(f"module 'tilewise' has no attribute {name!r}")

    def __dir__() -> list[str]:
        return [*{*__all__, *_LATER}, *(name for name in globals() if name.startswith("__"))]
