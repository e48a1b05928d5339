"""An epoch over rows that do not fit in memory, on the engine for rows that do."""

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tilewise.engine import Engine, Records
from tilewise.examples import Examples
from tilewise.history import History
from tilewise.streaming.source import Rows

__all__ = ["DEFAULT_BUFFER_BYTES", "stream_epoch", "stream_fit"]

Array = NDArray[Any]
DEFAULT_BUFFER_BYTES = 2**30
_CHUNKS = 32  # chunks that buffer_bytes holds; reading takes up to four of them
_ORDER_BYTES = 16  # a row's, of the engine's permutation


def stream_fit(engine: Engine, rows: Rows, epochs: int, progress: bool) -> History:
    """Train for some epochs, with a record for each buffer, and maybe a bar with its rate."""
    records = Records()
    with _bar(progress) as advance:
        for _ in range(epochs):
            stream_epoch(engine, rows, records, record=True, advance=advance)
    return engine.history(records, epochs)


def stream_epoch(
    engine: Engine,
    rows: Rows,
    records: Records,
    *,
    record: bool,
    advance: Callable[[int], Any] = lambda n_bytes: None,
) -> None:
    """Train for one epoch; a record is the loss over a buffer, after training on it.

    Chunks come in random order and rows are shuffled inside the buffer as the engine samples; with
    ``sampling='sequential'`` all come in order. Each buffer but the last holds whole batches.
    """
    config = engine.config
    if (rows.n_features, rows.dtype) != (config.n_features, config.dtype):
        raise ValueError(
            f"rows have {rows.n_features} features of {rows.dtype}, but the model "
            f"{config.n_features} of {config.dtype}; make them alike"
        )
    if config.n_targets is not None:
        raise ValueError(f"n_targets={config.n_targets}; streamed rows have one target, give None")
    capacity, chunk_rows = _sizes(rows, config.batch_size)
    ordered = config.sampling == "sequential"
    random = None if ordered else np.random.default_rng([config.seed, int(engine.counters[0])])
    finished = engine.epochs
    try:
        with closing(_buffers(rows.chunks(chunk_rows, random), capacity, rows)) as buffers:
            for X, y in buffers:
                engine.train(Examples(X, y, None), 1, records, 0, record_end=record)
                engine.epochs = finished  # a buffer is not an epoch
                advance(X.nbytes + y.nbytes)
    finally:
        engine.epochs = finished
    engine.epochs += 1


@contextmanager
def _bar(progress: bool) -> Iterator[Callable[[int], Any]]:
    """Give what counts bytes: on a bar that shows them and their rate, if wanted."""
    if not progress:
        yield lambda n_bytes: None
        return
    try:
        from tqdm import tqdm
    except ImportError:
        raise ImportError(
            'progress=True needs tqdm, which is missing; pip install "tilewise[report]"'
        ) from None
    with tqdm(unit="B", unit_scale=True) as bar:
        yield bar.update


def _sizes(rows: Rows, batch_size: int) -> tuple[int, int]:
    """Return the rows of a buffer, whole batches, and of a chunk."""
    item = rows.dtype.itemsize
    row_bytes = (rows.n_features + 1) * item
    chunk_rows = max(1, rows.buffer_bytes // _CHUNKS // row_bytes)
    left = rows.buffer_bytes - 4 * chunk_rows * row_bytes
    capacity = left // (2 * row_bytes + _ORDER_BYTES) // batch_size * batch_size
    if capacity < 1:
        least = 2 * batch_size * (2 * row_bytes + _ORDER_BYTES)
        raise ValueError(
            f"buffer_bytes={rows.buffer_bytes} is too small for batch_size={batch_size}; "
            f"give at least {least}"
        )
    return capacity, chunk_rows


def _buffers(
    chunks: Iterator[tuple[Array, Array]], capacity: int, rows: Rows
) -> Generator[tuple[Array, Array], None, None]:
    """Yield full buffers and the last; the next is filled by a thread while one is in use."""
    filler = _Filler(chunks)
    both = [
        (np.empty((capacity, rows.n_features), rows.dtype), np.empty((capacity, 1), rows.dtype))
        for _ in range(2)
    ]
    with ThreadPoolExecutor(1, "tilewise-reader") as pool:
        try:
            turn = 0
            filling = pool.submit(filler.fill, *both[turn])
            while n := filling.result():
                X, y = both[turn]
                turn = 1 - turn
                filling = pool.submit(filler.fill, *both[turn])
                yield X[:n], y[:n]
        finally:
            filler.stopped.set()


class _Filler:
    """Fills buffers with the rows of chunks; what does not fit goes to the next buffer."""

    def __init__(self, chunks: Iterator[tuple[Array, Array]]) -> None:
        self._chunks = chunks
        self._rest: tuple[Array, Array] | None = None
        self.stopped = threading.Event()

    def fill(self, X: Array, y: Array) -> int:
        """Fill the arrays and return how many rows they hold: 0 after the last."""
        n = 0
        while n < len(X) and not self.stopped.is_set():
            chunk = self._rest or next(self._chunks, None)
            if chunk is None:
                break
            count = min(len(chunk[0]), len(X) - n)
            X[n : n + count], y[n : n + count, 0] = chunk[0][:count], chunk[1][:count]
            self._rest = (chunk[0][count:], chunk[1][count:]) if count < len(chunk[0]) else None
            n += count
        return n
