"""How large a learning rate may be, from the curvature of the loss."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.linalg import matmul

__all__ = ["largest_rates", "smoothness"]

_MOST_FOR_EIGENVALUES = 1000
_ITERATIONS = 100


def largest_rates(
    X: NDArray[Any], batch_size: int, sampling: str = "permutation"
) -> tuple[float, float]:
    r"""Return the largest learning rates, of full batches and of minibatches.

    Full-batch descent converges if and only if the rate is below :math:`2 / \lambda_{\max}` of
    :math:`\tilde X^T \tilde X / n`, with a column of ones in :math:`\tilde X` for the bias.
    Minibatches have noise in the curvature too: below :math:`1 / L_b` SGD contracts, with the
    expected smoothness :math:`L_b` of Gower et al. 2019 (arXiv:1901.09401); see `smoothness`.

    Parameters
    ----------
    X : ndarray of float32 or float64, shape (n, d)
    batch_size : int
    sampling : str, default 'permutation'

    Returns
    -------
    tuple of float
        :math:`2 / \lambda_{\max}` and :math:`1 / L_b`.

    Examples
    --------
    >>> import numpy as np
    >>> largest_rates(np.array([[1.0], [-1.0]]), batch_size=2)
    (2.0, 1.0)
    """
    largest = _largest_eigenvalue(X)
    return 2 / largest, 1 / smoothness(X, batch_size, sampling, largest)


def smoothness(X: NDArray[Any], batch_size: int, sampling: str, largest: float) -> float:
    r"""Return the expected smoothness of minibatches, from the largest eigenvalue.

    For b of n rows without replacement :math:`\frac{n(b-1)}{b(n-1)} \lambda_{\max} +
    \frac{n-b}{b(n-1)} \max_i |\tilde x_i|^2`, and with replacement :math:`\frac{b-1}{b}
    \lambda_{\max} + \frac1b \max_i |\tilde x_i|^2`: Gower et al. 2019, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> smoothness(np.array([[1.0], [-1.0]]), 1, "permutation", 1.0)
    2.0
    """
    n = len(X)
    b = min(batch_size, n)
    longest = 1 + float(np.einsum("ij,ij->i", X, X, dtype=np.float64).max())
    if sampling == "replacement":
        return (b - 1) / b * largest + longest / b
    if n == 1:
        return longest
    return n * (b - 1) / (b * (n - 1)) * largest + (n - b) / (b * (n - 1)) * longest


def _largest_eigenvalue(X: NDArray[Any]) -> float:
    """Return the largest eigenvalue of X~^T X~ / n."""
    n, d = X.shape
    if d <= _MOST_FOR_EIGENVALUES:
        gram = np.empty((d + 1, d + 1))
        gram[:d, :d] = matmul(X.T, X)
        gram[d, :d] = gram[:d, d] = X.sum(axis=0, dtype=np.float64)
        gram[d, d] = n
        return float(np.linalg.eigvalsh(gram / n)[-1])
    vector = np.ones(d + 1) / np.sqrt(d + 1)
    for _ in range(_ITERATIONS):
        product = (matmul(X, vector[:d].astype(X.dtype)) + vector[d]).astype(X.dtype)
        image = np.append(matmul(X.T, product), product.sum()).astype(np.float64) / n
        norm = float(np.linalg.norm(image))
        vector = image / norm
    return norm
