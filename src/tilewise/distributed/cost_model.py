"""How long the steps of a job take on many ranks: a model of computing and of messages."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tilewise import _core
from tilewise._threads import threads
from tilewise.distributed.fit import fit_on_ranks
from tilewise.distributed.ranks import Ranks
from tilewise.hardware.measured import Machine
from tilewise.timing import Timer
from tilewise.training.settings import Config
from tilewise.training.state import Engine

__all__ = ["JobShape", "Network", "Prediction", "StepCost", "doubled", "predict", "step_cost"]

_ITEMSIZE = 4  # bytes of a float32
_FEW_MESSAGES = 0.1  # of the time
_CACHED_BYTES, _REPEATS = 2**18, 50
_MOST_FEATURES = 2**14  # of a row that is measured; longer ones take as much more


@dataclass(frozen=True)
class JobShape:
    """What is trained.

    Attributes
    ----------
    rows, features : int
        Of the whole data set.
    batch_size : int
        Rows in a step of all ranks together.
    """

    rows: int
    features: int
    batch_size: int

    @property
    def row_bytes(self) -> int:
        """Bytes of the features and the label of a row."""
        return (self.features + 1) * _ITEMSIZE

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-self.rows // self.batch_size)


@dataclass(frozen=True)
class Network:
    """What is between two ranks.

    Attributes
    ----------
    latency : float
        Seconds that a message takes, however short.
    bandwidth : float
        Bytes per second.
    """

    latency: float
    bandwidth: float


@dataclass(frozen=True)
class StepCost:
    """What a step takes of a core, whatever the memory does; see `step_cost`.

    Attributes
    ----------
    fixed : float
        Seconds without rows.
    row : float
        Seconds for each row, which is in a cache.
    """

    fixed: float
    row: float


@dataclass(frozen=True)
class Prediction:
    """The parts of a step, in seconds.

    Attributes
    ----------
    ranks : int
    steps : int
        Of an epoch.
    computing : float
        The rank's own part of the batch, and what a step costs without rows.
    messages : float
        One Allreduce of the gradient.
    """

    ranks: int
    steps: int
    computing: float
    messages: float

    def epoch_seconds(self, average_every: int = 1) -> float:
        """Return the time of an epoch, with an Allreduce after so many steps and at its end."""
        return self.steps * self.computing + -(-self.steps // average_every) * self.messages

    def step_seconds(self, average_every: int = 1) -> float:
        """Return the mean time of a step."""
        return self.epoch_seconds(average_every) / self.steps

    @property
    def useful_average_every(self) -> int:
        """After how many steps of an epoch to average, for messages of a tenth of the time.

        1 if they take no more without; an epoch if that is not enough.
        """
        share = _FEW_MESSAGES / (1 - _FEW_MESSAGES)
        wanted = math.ceil(self.messages / (share * self.computing))
        return min(max(1, wanted), self.steps)


def predict(
    shape: JobShape, ranks: int, network: Network, machine: Machine, cost: StepCost
) -> Prediction:
    r"""Return what a step takes if each rank is a core like those of this machine.

    Computing takes the longer of reading the rank's rows of the batch, from the smallest cache that
    holds its share of the data or from memory, and of training on rows that are in a cache; an
    Allreduce of m bytes :math:`2 \lceil \log_2 p \rceil l + 2 \frac{p-1}{p} \frac mw` with
    latency l and bandwidth w: halving and doubling, Thakur, Rabenseifner and Gropp, "Optimization
    of collective communication operations in MPICH" (2005).

    Parameters
    ----------
    shape : JobShape
    ranks : int
    network : Network
    machine : Machine
    cost : StepCost
        Of rows with as many features.
    """
    rows = shape.batch_size / ranks
    reading = rows * shape.row_bytes / _read_bytes_per_second(shape, ranks, machine)
    computing = cost.fixed + max(reading, rows * cost.row)
    size = (shape.features + 2) * _ITEMSIZE  # weights, bias and count
    trips = 2 * math.ceil(math.log2(ranks))
    messages = trips * network.latency + 2 * (ranks - 1) / ranks * size / network.bandwidth
    return Prediction(ranks, shape.steps, computing, messages)


def _read_bytes_per_second(shape: JobShape, ranks: int, machine: Machine) -> float:
    share = shape.rows / ranks * shape.row_bytes
    core = machine.one_core
    levels = [(machine.l1, core.read_l1), (machine.l2, core.read_l2), (machine.l3, core.read_l3)]
    for size, speed in levels:
        if share <= size:
            return speed.best * 1e9
    return core.read_memory.best * 1e9


def step_cost(features: int) -> StepCost:
    """Measure what a step costs a core, without messages and with rows in a cache."""
    with threads(1):
        return StepCost(_seconds_without_rows(), _seconds_of_a_row(features))


def _seconds_without_rows() -> float:
    n = 2048
    config = Config.checked(
        n_features=1, n_targets=None, batch_size=1, optimizer="sgd", sampling="sequential",
        weight_decay=0.0, clip_norm=None, average=False, dtype=np.float32, seed=0,
    )  # fmt: skip
    engine = Engine(config, 0.01, np.zeros(1, np.float32))
    X, y = np.ones((n, 1), np.float32), np.ones(n, np.float32)
    history = fit_on_ranks(engine, X, y, 5, Ranks(None), (1, None, 1), progress=False)
    return float(np.diff(history.seconds, prepend=0).min()) / n


def _seconds_of_a_row(features: int) -> float:
    d = min(features, _MOST_FEATURES)
    n = _CACHED_BYTES // (_ITEMSIZE * (d + 1))
    X, y = np.ones((n, d), np.float32), np.ones((n, 1), np.float32)
    parameters = np.zeros((d + 1, 1), np.float32)
    gradient = np.empty_like(parameters)
    timer = Timer()
    for _ in range(_REPEATS):
        with timer:
            _core.sum_gradients(X, y, None, None, 0, n, parameters, gradient)
    return min(timer.times) / n * (features + 1) / (d + 1)


def doubled(ranks: int) -> Sequence[int]:
    """Return 1, 2, 4, .. and the number of ranks itself."""
    powers = [2**i for i in range(ranks.bit_length())]
    return powers if powers[-1] == ranks else [*powers, ranks]
