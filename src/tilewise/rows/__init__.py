"""Rows of X and y that are read when they are needed: data larger than memory."""

from tilewise.rows.open import open_rows
from tilewise.rows.source import Parts, Rows, Run
from tilewise.rows.standardized import (
    StandardizedRows,
    moments_of,
    standardize_rows,
    standardized_by,
)

__all__ = [
    "Parts",
    "Rows",
    "Run",
    "StandardizedRows",
    "moments_of",
    "open_rows",
    "standardize_rows",
    "standardized_by",
]
