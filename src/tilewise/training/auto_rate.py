"""How large a learning rate may be, from the curvature of the loss."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from tilewise import _core
from tilewise._checks import Array
from tilewise.data.training_set import TrainingSet
from tilewise.products import matmul
from tilewise.training.optimizers import Optimizer

_MOST_FOR_EIGENVALUES = 1000
_ITERATIONS = 100
_PRECISION = 1e-4
Blocks = Callable[[], Iterator[Array]]
_NUMBERS_IN_A_BLOCK = 1 << 17  # 1 MiB: beside data that fill the memory they were given

# Of a sample, of which half the limit is taken: 30 iterations are cheaper than all eigenvalues from
# some 100 features on, and find the largest one to a tenth.
_FEWEST_ROWS = 1024
_ROWS_A_DIRECTION = 16
_MOST_FOR_EIGENVALUES_OF_SAMPLE = 100
_ITERATIONS_ON_SAMPLE = 30
_PRECISION_ON_SAMPLE = 1e-3


def stable_rate(
    rows: TrainingSet, batch_size: int, sampling: str, weight_decay: float = 0.0
) -> float:
    """Return about the largest rate of minibatches, in less time than an epoch takes.

    See `largest_rates`, which reads all rows in float64 some times over. Here, where they are many,
    their lengths are found, and the largest eigenvalue is that of a sample drawn by these: long
    rows are in it for certain. Only what is added to the longest row's share of a batch comes from
    the sample, so it need not be large. 0 where the curvature is too large for float64.

    Raises
    ------
    ValueError
        X or y has NaN or infinity.
    """
    n, d = rows.X.shape
    b = min(batch_size, n)
    count = max(_FEWEST_ROWS, _ROWS_A_DIRECTION * min(b, d + 1))
    if n <= 2 * count and d <= _MOST_FOR_EIGENVALUES_OF_SAMPLE:
        rows.check_finite()
        return largest_rates(rows.X, b, sampling, rows.weights, weight_decay)[1]
    longest, piece, drawn = _core.sample_rows(rows.X, rows.weights, count)
    rows.check_finite(only_labels=math.isfinite(longest))
    if math.isinf(longest):
        return 0.0
    units = np.empty((len(drawn), d + 1))
    units[:, :d], units[:, d] = rows.X[drawn], 1
    units /= np.sqrt(np.einsum("ij,ij->i", units, units))[:, np.newaxis]
    if d <= _MOST_FOR_EIGENVALUES_OF_SAMPLE:
        largest = _gram(lambda: iter([units]), n, d)
    else:
        largest = _power_iteration(
            lambda: iter([units]), n, d, _ITERATIONS_ON_SAMPLE, _PRECISION_ON_SAMPLE
        )
    return 1 / (_smoothness(n, b, sampling, largest * piece, longest) + weight_decay)


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
    r"""Return the expected smoothness of batches of b of n rows: the mean of an epoch's steps.

    The last batch may be smaller, and then less smooth. That of a step follows from the largest
    eigenvalue and the squared length of the longest row. Without replacement it is
    :math:`\frac{n(b-1)}{b(n-1)} \lambda_{\max} + \frac{n-b}{b(n-1)} \max_i |\tilde x_i|^2`, and
    with replacement :math:`\frac{b-1}{b} \lambda_{\max} + \frac1b \max_i |\tilde x_i|^2`: Gower et
    al. 2019, section 3. Rows that do not come at random may come in the worst order: there every
    step contracts with :math:`\max_i |\tilde x_i|^2`.
    """
    if sampling in ("sequential", "chunked") or n == 1:
        return longest

    def of_step(b: int) -> float:
        if sampling == "replacement":
            return (b - 1) / b * largest + longest / b
        return n * (b - 1) / (b * (n - 1)) * largest + (n - b) / (b * (n - 1)) * longest

    whole, rest = divmod(n, b)
    return (whole * of_step(b) + of_step(rest)) / (whole + 1) if rest else of_step(b)


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


def _power_iteration(
    blocks: Blocks, n: int, d: int, iterations: int = _ITERATIONS, precision: float = _PRECISION
) -> float:
    # At random: no data are made so that it has no part in the largest direction.
    vector = np.random.default_rng(0).normal(size=d + 1)
    norm, vector = 0.0, vector / np.linalg.norm(vector)
    for _ in range(iterations):
        before = norm
        images = (matmul(block.T, matmul(block, vector)) for block in blocks())
        image = sum(images, np.zeros(d + 1)) / n
        norm = float(np.linalg.norm(image))
        vector = image / norm
        if norm - before <= precision * norm:
            break
    return norm
