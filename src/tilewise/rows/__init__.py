"""Rows of X and y that are read when they are needed: data larger than memory."""

from tilewise.rows.open import open_rows
from tilewise.rows.source import Parts, Rows, Run

__all__ = ["Parts", "Rows", "Run", "open_rows"]
