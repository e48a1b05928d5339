"""Matrix products."""

from tilewise._core import STRATEGIES, matmul

__all__ = ["STRATEGIES", "matmul"]
