"""The rows of a rank, an epoch after the other in the order in which they are drawn."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager

import numpy as np
from numpy.typing import NDArray

from tilewise import _core
from tilewise._checks import Array
from tilewise.data.buffers import Buffers
from tilewise.data.dataset import Dataset
from tilewise.data.training_set import TrainingSet
from tilewise.training.state import State


class LocalRows:
    """The rows that a rank holds, in memory or read while they train.

    An epoch comes piece by piece, each in an order drawn for it; the seed, the rank and the number
    of the epoch alone decide it.
    """

    piece: TrainingSet
    _order: NDArray[np.int64] | None  # of the piece

    def __init__(self, data: TrainingSet | Dataset, state: State, rank: int) -> None:
        self._state, self._rank = state, rank
        self._second = np.empty_like(state.parameters)
        self._data: TrainingSet | Buffers
        if isinstance(data, TrainingSet):
            data.check_finite()
            self._data, self.n_rows = data, len(data.X)
            return
        if data.n_rows is None:
            raise ValueError(
                "X is an iterable of chunks, whose number of rows is not known before; give files "
                "or arrays"
            )
        self._data, self.n_rows = Buffers(data, batch_size=1), data.n_rows

    @contextmanager
    def epoch(self) -> Iterator[None]:
        """Give the state's next epoch: `begin` it, take its rows, and `end` it."""
        settings = self._state.settings
        self._key = [settings.seed, self._rank, self._state.epochs]
        self._pieces_begun = 0
        self._losses = np.zeros(2)  # their sum over the rows of the pieces that ended, and the rows
        in_order = settings.sampling == "sequential"
        random = None if in_order else np.random.default_rng(self._key)
        with closing(self._read(random)) as self._pieces:
            yield

    def _read(self, random: np.random.Generator | None) -> Generator[TrainingSet, None, None]:
        if isinstance(self._data, TrainingSet):
            yield self._data
            return
        with closing(self._data.epoch(random)) as pieces:
            for piece in pieces:
                piece.check_finite()
                yield piece

    def begin(self, done: int) -> None:
        """Read the first piece of which not all rows are done, and pass over those."""
        self._begin_piece()
        while done > self._left:
            done -= self._left
            self._begin_piece()
        self._done = done

    def _begin_piece(self) -> None:
        """Read the next piece, and draw its order."""
        self.piece, settings = next(self._pieces), self._state.settings
        self._order, self._done = None, 0  # rows that are done
        if settings.sampling != "sequential":
            key = np.random.SeedSequence([*self._key, self._pieces_begun])
            seed = int(key.generate_state(1, np.uint64)[0])
            X = self.piece.X
            sampler = _core.Sampler(len(X), settings.sampling, seed, X[0].nbytes)
            self._order = sampler.next_epoch()
        self._pieces_begun += 1

    def sum_gradients(self, count: int, gradient: Array) -> None:
        """Set `gradient`, like the parameters, to the sum over the next rows."""
        if count == 0:
            gradient[...] = 0
        summed = 0
        while summed < count:
            if self._left == 0:
                self._end_piece()
                self._begin_piece()
            part = min(count - summed, self._left)
            out = self._second if summed else gradient
            _core.sum_gradients(
                self.piece.X, self.piece.y, None, self._order, self._done, part,
                self._state.native, out,
            )  # fmt: skip
            if summed:
                gradient += out
            summed, self._done = summed + part, self._done + part

    def take_steps(self, steps: Sequence[tuple[int, int, float]]) -> int:
        """Take those of the steps whose rows lie in the piece, in native code; return how many.

        `steps` are those of one process: see `tilewise.distributed.steps`.
        """
        whole = self._left // steps[0][0]  # the last one alone may be smaller
        taken = steps[: whole or int(steps[0][0] <= self._left)]
        if not taken:
            return 0
        rows = sum(own for own, _, _ in taken)
        rates = np.array([rate for _, _, rate in taken])
        _core.take_steps(
            self.piece.X, self.piece.y, self._order, self._done, rows, self._state.native, rates
        )
        self._done += rows
        return len(taken)

    def end(self) -> Array:
        """Return the sum of the losses of all rows, each at the end of its piece, and the rows."""
        self._end_piece()
        return self._losses

    @property
    def _left(self) -> int:
        return len(self.piece.X) - self._done

    def _end_piece(self) -> None:
        rows = len(self.piece.X)
        self._losses += self._state.loss(self.piece) * rows, rows
