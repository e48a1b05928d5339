"""Matrix products and linear models by minibatch SGD, as fast as the CPU can go."""

from importlib.metadata import version as _version

from tilewise import data, machine, plots
from tilewise._threads import get_num_threads, set_num_threads, threads
from tilewise.generic import train
from tilewise.linalg import STRATEGIES, Explanation, explain, matmul
from tilewise.machine import available_isas, isa, show_config
from tilewise.sgd import History, fit
from tilewise.timing import Timer

__version__ = _version("tilewise")

__all__ = [
    "STRATEGIES",
    "Explanation",
    "History",
    "Timer",
    "available_isas",
    "data",
    "explain",
    "fit",
    "get_num_threads",
    "isa",
    "machine",
    "matmul",
    "plots",
    "set_num_threads",
    "show_config",
    "threads",
    "train",
]
