"""Two buffers of rows: one is filled while the other is used."""

from bisect import bisect
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

import numpy as np

from tilewise import _core
from tilewise._checks import Array
from tilewise.data.dataset import Batch, Dataset, Reader
from tilewise.data.training_set import TrainingSet

_ORDER_BYTES = 8  # a row's, of the order in which they are drawn
_PIECE_BYTES = 2**20  # read at once: still in the cache when it is split into X and y
_PIECES = 4  # that buffer_bytes allows for: of files as they lie, and what a thread takes
_SMALLEST_PARTS = 32  # of buffer_bytes: pieces are no larger


@dataclass(frozen=True)
class BufferedRows(TrainingSet):
    """Rows of a buffer, which know where they are from."""

    places: list[tuple[int, Batch, int]]  # first row in the buffer, and its number in its batch

    def check_finite(self) -> None:
        """Raise with the file and row of the first NaN or infinity, if there is one."""
        for array in (self.X, self.y):
            at = _core.first_nonfinite(array)
            if at >= 0:
                i, j = map(int, np.unravel_index(at, array.shape))
                first, batch, number = self.places[bisect(self.places, i, key=lambda p: p[0]) - 1]
                column = j if array is self.X else None
                raise batch.nonfinite(number + i - first, column, array.flat[at])


class Buffers:
    """Memory for two buffers, of whole batches, within the bound of the rows."""

    def __init__(self, rows: Dataset, batch_size: int) -> None:
        self._rows = rows
        item = rows.dtype.itemsize
        row_bytes = (rows.width + 1) * item
        piece_bytes = min(_PIECE_BYTES, rows.buffer_bytes // _SMALLEST_PARTS)
        self._piece = max(1, piece_bytes // row_bytes)
        reading = _PIECES * self._piece * row_bytes + rows.reading_bytes
        left = rows.buffer_bytes - reading
        batches = left // (2 * row_bytes + _ORDER_BYTES) // batch_size
        if batches < 1:
            least = 2 * batch_size * (2 * row_bytes + _ORDER_BYTES) + 2 * rows.reading_bytes
            groups = ", or write smaller row groups" if rows.reading_bytes else ""
            raise ValueError(
                f"buffer_bytes={rows.buffer_bytes} is too small for batch_size={batch_size}; "
                f"give at least {least}{groups}"
            )
        if rows.n_rows is not None:  # buffers alike: the last one is not a few rows
            in_all = -(-rows.n_rows // batch_size)
            batches = -(-in_all // -(-in_all // batches))
        shape = batches * batch_size, rows.width
        self._both = [_Buffer(np.empty(shape, rows.dtype)) for _ in range(2)]
        self._filling: Future[int] = Future()

    @property
    def failed(self) -> bool:
        """Whether reading raised an error, other than one that comes from outside."""
        return self._filling.done() and isinstance(self._filling.exception(), Exception)

    def epoch(self, random: np.random.Generator | None) -> Generator[BufferedRows, None, None]:
        """Yield the rows of an epoch, each time a buffer full; what is yielded is then reused."""
        filler = _Filler(self._rows.batches(random), self._piece)
        with ThreadPoolExecutor(1, "tilewise-reader") as pool:
            try:
                turn = 0
                self._filling = pool.submit(filler.fill, self._both[turn])
                while n := self._filling.result():
                    full, turn = self._both[turn], 1 - turn
                    self._filling = pool.submit(filler.fill, self._both[turn])
                    X = full.table[:n, : self._rows.n_features]
                    yield BufferedRows(X, full.y[:n], None, full.places)
            finally:
                filler.stopped.set()


@dataclass
class _Buffer:
    table: Array
    y: Array = field(init=False)
    places: list[tuple[int, Batch, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.y = np.empty((len(self.table), 1), self.table.dtype)


class _Filler:
    """Fills buffers with the rows of batches; what does not fit goes to the next buffer."""

    def __init__(self, batches: Iterator[Batch], piece: int) -> None:
        self._batches = batches
        self._piece = piece
        self._left: tuple[Batch, Reader, int] | None = None  # and how many rows are done
        self.stopped = Event()

    def fill(self, buffer: _Buffer) -> int:
        """Fill the buffer and return how many rows it holds: 0 after the last."""
        n, size = 0, len(buffer.table)
        buffer.places.clear()
        while n < size and not self.stopped.is_set():
            if self._left is None:
                batch = next(self._batches, None)
                if batch is None:
                    break
                self._left = batch, batch.reader(), 0
            batch, read, done = self._left
            count = min(batch.n_rows - done, size - n, self._piece)
            buffer.places.append((n, batch, done))
            read(buffer.table[n : n + count], buffer.y[n : n + count, 0])
            n, done = n + count, done + count
            self._left = (batch, read, done) if done < batch.n_rows else None
        return n
