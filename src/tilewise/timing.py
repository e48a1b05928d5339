"""A stopwatch that counts laps."""

from itertools import accumulate
from time import perf_counter


class Timer:
    """Time laps with a monotonic clock (``Timer`` of d2l.ai, section 12.5).

    A timer runs from its construction, so that ``timer = Timer(); work(); timer.stop()`` is a
    lap. Used as a context manager, it times the block as one lap; a block that raises leaves none.

    Attributes
    ----------
    times : list of float
        Seconds of each lap.

    Examples
    --------
    >>> timer = Timer()
    >>> for _ in range(3):
    ...     _ = timer.start()
    ...     total = sum(range(1000))
    ...     seconds = timer.stop()
    >>> len(timer.times), timer.avg() > 0, timer.cumsum()[-1] >= timer.avg()
    (3, True, True)

    >>> with Timer() as timer:
    ...     total = sum(range(1000))
    >>> timer.sum() == timer.times[0]
    True
    """

    def __init__(self) -> None:
        self.times: list[float] = []
        self._started: float | None = None
        self.start()

    def start(self) -> "Timer":
        """Begin a lap at this moment; a lap in progress is forgotten.

        Returns
        -------
        Timer
            Itself.
        """
        self._started = perf_counter()
        return self

    def stop(self) -> float:
        """End the lap and append it to `times`.

        Returns
        -------
        float
            Seconds of the lap.

        Raises
        ------
        RuntimeError
            No lap is in progress.
        """
        now = perf_counter()
        if self._started is None:
            raise RuntimeError("the timer is not running; call start() before stop()")
        self.times.append(now - self._started)
        self._started = None
        return self.times[-1]

    def avg(self) -> float:
        """Return the mean lap.

        Returns
        -------
        float
            Seconds.

        Raises
        ------
        RuntimeError
            There are no laps.
        """
        if not self.times:
            raise RuntimeError("the timer has no laps to average; call stop() to end one")
        return self.sum() / len(self.times)

    def sum(self) -> float:
        """Return the time of all laps together.

        Returns
        -------
        float
            Seconds; 0 without laps.
        """
        return float(sum(self.times))

    def cumsum(self) -> list[float]:
        """Return the time up to the end of each lap.

        Returns
        -------
        list of float
            Seconds.
        """
        return list(accumulate(self.times))

    def __enter__(self) -> "Timer":
        """Begin a lap."""
        return self.start()

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """End the lap, unless the block has stopped it or raised."""
        if error is not None:
            self._started = None
        if self._started is not None:
            self.stop()
