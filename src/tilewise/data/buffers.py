"""Two buffers of rows: one is filled while the other is used."""

from bisect import bisect
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from threading import Event

import numpy as np

from tilewise import _core
from tilewise.data.dataset import Batch, Dataset
from tilewise.data.training_set import TrainingSet

_ORDER_BYTES = 8  # a row's, of the order in which they are drawn
_PIECE_BYTES = 2**20  # read at once: still in the cache when it is split into X and y
_PIECES = 4  # that buffer_bytes allows for: of files as they lie, and what a thread takes
_SMALLEST_PARTS = 32  # of buffer_bytes: pieces are no larger

Places = list[tuple[int, Batch, int]]  # first row in the buffer, and its number in its batch


@dataclass(frozen=True)
class BufferedRows(TrainingSet):
    """Rows of a buffer, which know where they are from."""

    places: Places

    def check_finite(self, only_labels: bool = False) -> None:
        """Raise with the file and row of the first NaN or infinity, if there is one."""
        for array in (self.X, self.y)[only_labels:]:
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
        row_bytes = (rows.width + 1) * rows.dtype.itemsize
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
                f"give at least {least} ({-(-least >> 20)} MiB){groups}"
            )
        if rows.n_rows is not None:  # buffers alike: the last one is not a few rows
            in_all = -(-rows.n_rows // batch_size)
            batches = -(-in_all // -(-in_all // batches))
        size = batches * batch_size
        self._both = [
            (np.empty((size, rows.width), rows.dtype), np.empty((size, 1), rows.dtype))
            for _ in range(2)
        ]
        self._filling: Future[BufferedRows | None] = Future()

    @property
    def failed(self) -> bool:
        """Whether reading raised an error, other than one that comes from outside."""
        return self._filling.done() and isinstance(self._filling.exception(), Exception)

    def epoch(self, random: np.random.Generator | None) -> Generator[BufferedRows, None, None]:
        """Yield the rows of an epoch, each time a buffer full; what is yielded is then reused."""
        stopped = Event()
        filled = self._filled(self._rows.batches(random), stopped)
        with ThreadPoolExecutor(1, "tilewise-reader") as pool:
            try:
                self._filling = pool.submit(next, filled, None)
                while (full := self._filling.result()) is not None:
                    self._filling = pool.submit(next, filled, None)
                    yield full
            finally:
                stopped.set()

    def _filled(self, batches: Iterator[Batch], stopped: Event) -> Iterator[BufferedRows]:
        """Fill the buffers in turn; what of a batch does not fit goes to the next one."""
        d, turns = self._rows.n_features, cycle(self._both)
        (table, y), n = next(turns), 0
        places: Places = []
        for batch in batches:
            read, done = self._rows.reader(batch), 0
            while done < batch.n_rows:
                if stopped.is_set():
                    return
                count = min(batch.n_rows - done, len(table) - n, self._piece)
                places.append((n, batch, done))
                read(table[n : n + count], y[n : n + count, 0])
                n, done = n + count, done + count
                if n == len(table):
                    yield BufferedRows(table[:, :d], y, None, places)
                    (table, y), n, places = next(turns), 0, []
        if n > 0:
            yield BufferedRows(table[:n, :d], y[:n], None, places)
