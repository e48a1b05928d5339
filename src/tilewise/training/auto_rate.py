"""How large a learning rate may be, from the curvature of the loss."""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from tilewise._checks import Array
from tilewise.products import matmul
from tilewise.training.optimizers import Optimizer

_MOST_FOR_EIGENVALUES = 1000
_ITERATIONS = 100
_PRECISION = 1e-4
Blocks = Callable[[], Iterator[Array]]
_NUMBERS_IN_A_BLOCK = 1 << 17  # 1 MiB: beside data that fill the memory they were given


def largest_rates(
    X: Array,
    batch_size: int,
    sampling: str = "permutation",
    sample_weight: Array | None = None,
    weight_decay: float = 0.0,
) -> tuple[float, float]:
    r"""Return the largest learning rates, of full batches and of minibatches, for rows X (n, d).

    Full-batch descent converges if and only if the rate is below :math:`2 / \lambda_{\max}` of
    :math:`\tilde X^T \tilde X / n`, with a column of ones in :math:`\tilde X` for the bias.
    Minibatches have noise in the curvature too: below :math:`1 / L_b` SGD contracts, with the
    expected smoothness :math:`L_b` of Gower et al. 2019 (arXiv:1901.09401); see `_smoothness`.
    Sample weights have mean 1; the weight decay is added to the curvature. All is computed in
    float64, and a rate is 0 where the curvature is too large for it.
    """
    n, d = X.shape
    scale = max(float(X.max()), -float(X.min()), 1.0)  # no square leaves the range of float64
    blocks = partial(_blocks, X, scale, sample_weight)
    largest_eigenvalue = _gram if d <= _MOST_FOR_EIGENVALUES else _power_iteration
    largest = largest_eigenvalue(blocks, n, d) * scale * scale
    longest = max(float(np.einsum("ij,ij->i", block, block).max()) for block in blocks())
    longest *= scale * scale
    expected = _smoothness(n, min(batch_size, n), sampling, largest, longest)
    return 2 / (largest + weight_decay), 1 / (expected + weight_decay)


def momentum_factor(optimizer: Optimizer) -> float:
    r"""Return by what momentum multiplies the largest rate of full batches.

    With momentum :math:`\mu` the factor is :math:`1 + \mu`, with Nesterov's :math:`(1 + \mu) / (1 +
    2\mu)`, and 1 without: there the characteristic polynomial of an eigenvalue's recurrence has a
    root at -1.
    """
    momentum = optimizer.hyperparameters.get("momentum", 0.0)
    return (1 + momentum) / (1 + 2 * momentum if optimizer.name == "nesterov" else 1)


def _smoothness(n: int, b: int, sampling: str, largest: float, longest: float) -> float:
    r"""Return the expected smoothness of batches of b of n rows.

    It follows from the largest eigenvalue and the squared length of the longest row. Without
    replacement it is :math:`\frac{n(b-1)}{b(n-1)} \lambda_{\max} + \frac{n-b}{b(n-1)} \max_i
    |\tilde x_i|^2`, and with replacement :math:`\frac{b-1}{b} \lambda_{\max} + \frac1b \max_i
    |\tilde x_i|^2`: Gower et al. 2019, section 3. Rows that do not come at random may come in the
    worst order: there every step contracts with :math:`\max_i |\tilde x_i|^2`.
    """
    if sampling == "replacement":
        return (b - 1) / b * largest + longest / b
    if sampling in ("sequential", "chunked") or n == 1:
        return longest
    return n * (b - 1) / (b * (n - 1)) * largest + (n - b) / (b * (n - 1)) * longest


def _blocks(X: Array, scale: float, sample_weight: Array | None) -> Iterator[Array]:
    """Yield rows of X~ / scale in float64, times the roots of their weights.

    They lie in one buffer, which the next ones overwrite.
    """
    n, d = X.shape
    rows = max(_NUMBERS_IN_A_BLOCK // (d + 1), 1)
    buffer = np.empty((min(rows, n), d + 1))
    for first in range(0, n, rows):
        block = buffer[: n - first]
        block[:, :d] = X[first : first + rows]
        block[:, d] = 1
        block /= scale
        if sample_weight is not None:
            block *= np.sqrt(sample_weight[first : first + rows, None])
        yield block


def _gram(blocks: Blocks, n: int, d: int) -> float:
    gram = sum(matmul(block.T, block) for block in blocks())
    return float(np.linalg.eigvalsh(gram / n)[-1])


def _power_iteration(blocks: Blocks, n: int, d: int) -> float:
    # At random: no data are made so that it has no part in the largest direction.
    vector = np.random.default_rng(0).normal(size=d + 1)
    norm, vector = 0.0, vector / np.linalg.norm(vector)
    for _ in range(_ITERATIONS):
        before = norm
        images = (matmul(block.T, matmul(block, vector)) for block in blocks())
        image = sum(images, np.zeros(d + 1)) / n
        norm = float(np.linalg.norm(image))
        vector = image / norm
        if norm - before <= _PRECISION * norm:
            break
    return norm
