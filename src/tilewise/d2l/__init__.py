"""The names of *Dive into Deep Learning*, section 12.5, over this library.

In the cells of that section write ``from tilewise import d2l`` in place of
``from d2l import torch as d2l``. Nothing else changes: the functions that the cells call take NumPy
arrays and tensors of PyTorch alike. The cells that make tensors still need PyTorch.

The functions that the section defines itself, `get_data_ch11`, `sgd`, `train_ch11` and
`train_concise_ch11`, are here too, on NumPy arrays. With these in place of the cells that define
them, and `sgd` from the section's PyTorch cell or from here, the cells that train and the one that
compares the runs need no PyTorch. The cells of the MXNet, TensorFlow and JAX editions are not
covered.

What goes wrong in the section's code is mended here, not in cells that define it anew:

- it records the loss where ``n % 200 == 0``, which many batch sizes miss: here at the first
  batch that reaches a multiple of 200, and at the end;
- the time after the last record is lost, and editions differ in what they print as seconds an
  epoch, some the mean time between two records: here it is all the training over the epochs;
- one cold timing varies several-fold: here a first step, or in native code a first training, is
  not timed;
- `squared_loss` has a factor of 1/2 that PyTorch's and Keras' losses do not have, so that one
  learning rate means two different steps: here it always has it;
- limits of a plot or an animator can hide a whole curve: here such limits are left out;
- `plot` takes back what `set_figsize` has set: here the size stays.
"""

from typing import Any

from tilewise.d2l.arrays import Parameter, load_array
from tilewise.d2l.data import DATA_HUB, DATA_URL, download, get_data_ch11
from tilewise.d2l.plots import plot, set_figsize
from tilewise.d2l.training import (
    evaluate_loss,
    linreg,
    sgd,
    squared_loss,
    train_ch11,
    train_concise_ch11,
)
from tilewise.plots.animator import Animator
from tilewise.timing import Timer

__all__ = [
    "DATA_HUB",
    "DATA_URL",
    "Animator",
    "Parameter",
    "Timer",
    "download",
    "evaluate_loss",
    "get_data_ch11",
    "linreg",
    "load_array",
    "plot",
    "set_figsize",
    "sgd",
    "squared_loss",
    "train_ch11",
    "train_concise_ch11",
]


def __getattr__(name: str) -> Any:
    if name == "plt":  # imported when it is asked for: Matplotlib is an extra
        import matplotlib.pyplot as plt

        return plt
    raise AttributeError(f"module 'tilewise.d2l' has no attribute {name!r}")
