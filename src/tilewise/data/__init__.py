"""Data to train on: the airfoil measurements, synthetic rows, and minibatches of either."""

from tilewise.data.airfoil import AIRFOIL_COLUMNS, Minibatches, load_airfoil, standardize, synthetic

__all__ = ["AIRFOIL_COLUMNS", "Minibatches", "load_airfoil", "standardize", "synthetic"]
