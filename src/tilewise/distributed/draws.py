"""A rank's own rows, and an epoch of them in the order in which they are drawn."""

from collections.abc import Generator, Sequence
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from tilewise import _core
from tilewise._checks import Array
from tilewise.data.buffers import Buffers
from tilewise.data.dataset import Dataset
from tilewise.data.training_set import TrainingSet
from tilewise.training.settings import Settings
from tilewise.training.state import State

Pieces = Generator[TrainingSet, None, None]


class LocalRows:
    """The rows that a rank holds, in memory or read while they train."""

    def __init__(self, data: TrainingSet | Dataset, settings: Settings) -> None:
        self._buffers: Buffers | None = None
        if isinstance(data, TrainingSet):
            data.check_finite()
            self._examples, self.n_rows = data, len(data.X)
            return
        if data.n_rows is None:
            raise ValueError(
                "X is an iterable of chunks, whose number of rows is not known before; give files "
                "or arrays"
            )
        self._buffers, self.n_rows = Buffers(data, batch_size=1), data.n_rows

    def draws(self, state: State, key: Sequence[int]) -> "Draws":
        """Return an epoch; the seed and `key` alone decide its order."""
        settings = state.settings
        in_order = settings.sampling == "sequential"
        random = None if in_order else np.random.default_rng([settings.seed, *key])
        return Draws(self._pieces(random), state, key)

    def _pieces(self, random: np.random.Generator | None) -> Pieces:
        if self._buffers is not None:
            with closing(self._buffers.epoch(random)) as pieces:
                for piece in pieces:
                    piece.check_finite()
                    yield piece
        else:
            yield self._examples


class Draws:
    """An epoch's rows: piece by piece, each in an order drawn for it."""

    piece: TrainingSet
    _done: int

    def __init__(self, pieces: Pieces, state: State, key: Sequence[int]) -> None:
        self._pieces, self._state, self._key = pieces, state, key
        self._second = np.empty_like(state.parameters)
        self._number = 0  # of the next piece
        self._weighted_losses, self._rows = 0.0, 0

    def close(self) -> None:
        """Stop reading."""
        self._pieces.close()

    def skip(self, count: int) -> None:
        """Pass over the next rows."""
        while count > 0:
            passed = min(count, self._left)
            self._done, count = self._done + passed, count - passed
            if count > 0:
                self.begin_piece()

    def sum_gradients(self, count: int, gradient: Array) -> None:
        """Set `gradient`, like the parameters, to the sum over the next rows."""
        if count == 0:
            gradient[...] = 0
        summed = 0
        while summed < count:
            if self._left == 0:
                self._end_piece()
                self.begin_piece()
            part = min(count - summed, self._left)
            out = self._second if summed else gradient
            _core.sum_gradients(
                self.piece.X, self.piece.y, None, self._order, self._done, part,
                self._state.parameters, out,
            )  # fmt: skip
            if summed:
                gradient += out
            summed, self._done = summed + part, self._done + part

    def loss(self) -> tuple[float, int]:
        """Return the sum of the losses of all rows, each taken at the end of its piece."""
        self._end_piece()
        return self._weighted_losses, self._rows

    @property
    def _left(self) -> int:
        return len(self.piece.X) - self._done

    def begin_piece(self) -> None:
        """Read the next piece: the first one too."""
        self.piece = next(self._pieces)
        self._order = self._drawn()
        self._number, self._done = self._number + 1, 0

    def _drawn(self) -> NDArray[np.int64] | None:
        settings = self._state.settings
        if settings.sampling == "sequential":
            return None
        key = np.random.SeedSequence([settings.seed, *self._key, self._number])
        seed = int(key.generate_state(1, np.uint64)[0])
        X = self.piece.X
        return _core.Sampler(len(X), settings.sampling, seed, X[0].nbytes).next_epoch()

    def _end_piece(self) -> None:
        rows = len(self.piece.X)
        self._weighted_losses += self._state.loss(self.piece) * rows
        self._rows += rows
