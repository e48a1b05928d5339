"""How large the learning rate of full-batch descent may be."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tilewise._checks import check_float_matrix


@dataclass(frozen=True)
class StepLimit:
    """How large the learning rate of full-batch descent may be.

    Attributes
    ----------
    lambda_max : float
        Largest eigenvalue of the loss's second derivative.
    """

    lambda_max: float

    @property
    def learning_rate(self) -> float:
        """Descent converges below this learning rate, and from almost no start above it."""
        return 2 / self.lambda_max


def step_limit(X: ArrayLike) -> StepLimit:
    """Return how large the learning rate of full-batch descent may be on these rows.

    The loss is quadratic, with second derivative ``X1.T @ X1 / n`` where X1 is X with a column of
    ones for the bias. A step multiplies the error along each eigenvector by
    ``1 - learning_rate * eigenvalue``, so descent converges from every start if and only if the
    learning rate is below ``2 / lambda_max`` (Nocedal and Wright, Numerical Optimization,
    section 3.3).

    Parameters
    ----------
    X : array_like of float32 or float64, shape (n, d)
        Features of the rows.

    Returns
    -------
    StepLimit
        The limit, computed in float64.

    Raises
    ------
    TypeError, ValueError
        `X` is not a matrix of finite floats.

    Examples
    --------
    >>> step_limit([[1.0], [-1.0]]).learning_rate
    2.0
    """
    X = check_float_matrix("X", X)
    X1 = np.column_stack([X.astype(np.float64), np.ones(len(X))])
    hessian: NDArray[np.float64] = X1.T @ X1 / len(X)
    return StepLimit(lambda_max=float(np.linalg.eigvalsh(hessian)[-1]))
