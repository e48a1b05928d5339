"""Matrix products and linear models by minibatch SGD, as fast as the CPU can go."""

from importlib.metadata import version as _version

from tilewise import data, machine, plots
from tilewise.linalg import STRATEGIES, matmul
from tilewise.machine import available_isas, isa, show_config
from tilewise.sgd import History, fit, train
from tilewise.timing import Timer

__version__ = _version("tilewise")

__all__ = [
    "STRATEGIES",
    "History",
    "Timer",
    "available_isas",
    "data",
    "fit",
    "isa",
    "machine",
    "matmul",
    "plots",
    "show_config",
    "train",
]
