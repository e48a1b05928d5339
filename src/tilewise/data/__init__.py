"""Data to train on: the airfoil measurements, synthetic rows, and minibatches of either."""

from tilewise.data.airfoil import AIRFOIL_COLUMNS, load_airfoil
from tilewise.data.generated import synthetic
from tilewise.data.minibatches import Minibatches
from tilewise.data.standardization import standardize

__all__ = ["AIRFOIL_COLUMNS", "Minibatches", "load_airfoil", "standardize", "synthetic"]
