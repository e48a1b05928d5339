"""What was measured as points of a roofline picture: speed against operations per byte."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tilewise.experiments.products import StrategyResult
from tilewise.experiments.runs import Run
from tilewise.products import STRATEGIES


@dataclass(frozen=True)
class RooflinePoint:
    """How fast something ran, and how much it computes for each byte.

    Attributes
    ----------
    series : str
        What ran, such as a strategy of `tilewise.matmul`.
    name : str
        On what, such as "n = 256".
    flops_per_byte : float
        Floating-point operations over the bytes that must be moved at least.
    gflops : float
        Floating-point operations in 10^9 a second.
    """

    series: str
    name: str
    flops_per_byte: float
    gflops: float


def roofline_points(results: Iterable[StrategyResult], runs: Iterable[Run]) -> list[RooflinePoint]:
    """Return the points of products and training runs that were measured.

    A product of two n x n matrices takes 2 n^3 operations and moves its three matrices once at
    least. An epoch of n rows with d features takes 4 n d operations for the predictions and the
    gradients, whatever the batch size, and reads the n d numbers of X once (Williams, Waterman,
    Patterson: Roofline, CACM 52(4), 2009, where flops over bytes is the operational intensity).

    Parameters
    ----------
    results : iterable of StrategyResult
        Of `tilewise.experiments.strategies`, at any sizes. NumPy's are left out.
    runs : iterable of Run
        Of `tilewise.experiments.four_runs`.

    Returns
    -------
    list of RooflinePoint

    Examples
    --------
    >>> roofline_points([StrategyResult("full", 384, "float32", gflops=100.0)], [])
    [RooflinePoint(series='full', name='n = 384', flops_per_byte=64.0, gflops=100.0)]
    """
    products = [_of_product(result) for result in results if result.name in STRATEGIES]
    return products + [_of_run(run) for run in runs]


def _of_product(result: StrategyResult) -> RooflinePoint:
    numbers = 3 * result.n**2
    flops_per_byte = 2 * result.n**3 / (numbers * np.dtype(result.dtype).itemsize)
    return RooflinePoint(result.name, f"n = {result.n}", flops_per_byte, result.gflops)


def _of_run(run: Run) -> RooflinePoint:
    rows = int(run.history.examples[-1]) // run.epochs
    numbers = rows * run.history.weights.size
    gflops = 4 * numbers / run.seconds_per_epoch / 1e9
    flops_per_byte = 4 / run.history.weights.dtype.itemsize
    return RooflinePoint("SGD", f"batch {run.batch_size}", flops_per_byte, gflops)
