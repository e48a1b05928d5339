"""Rows of X and y that are read when they are needed: data larger than memory."""

from tilewise.rows.open import open_rows
from tilewise.rows.source import Parts, Rows, Run
from tilewise.rows.standardized import StandardizedRows, standardize_rows

__all__ = ["Parts", "Rows", "Run", "StandardizedRows", "open_rows", "standardize_rows"]
