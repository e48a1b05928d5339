"""A contestant in a process of its own, told over a pipe what to do, and timed inside."""

import gc
import multiprocessing
import os
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

from benchmarks.cases import Case, check, operands
from benchmarks.peak import peak
from benchmarks.rival import Rival, UnsupportedError
from benchmarks.rivals import RIVALS

_LONG = 0.1  # seconds; a call that takes longer needs no second one to be warm


class SkippedError(Exception):
    """A contestant cannot take part; the message says why."""


class Worker:
    """A running contestant.

    Parameters
    ----------
    name : str
        A key of `RIVALS`.
    environment : dict of str, optional
        Set in its process before anything is imported.

    Raises
    ------
    SkippedError
        The library is missing, or does not start.
    """

    def __init__(self, name: str, environment: dict[str, str] | None = None) -> None:
        self.name = name
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(name, other), daemon=True)
        with _environment(environment or {}):
            self._process.start()
        other.close()
        try:
            self.about: dict[str, str] = self._receive()
        except SkippedError:
            self.close()
            raise

    def load(self, case: Case) -> float:
        """Make the operands, compute once, check the answer; return the seconds of a warm call.

        Raises
        ------
        SkippedError
            The library has no such product.
        ArithmeticError
            The answer is wrong.
        """
        return float(self._ask("load", case))

    def sample(self, repeats: int) -> float:
        """Return the mean seconds of a call, after a warm one where calls are short."""
        return float(self._ask("sample", repeats))

    def peak(self, dtype: str) -> float:
        """Return the GFLOP/s that one core reaches just now; for tilewise only."""
        return float(self._ask("peak", dtype))

    def close(self) -> None:
        """End the process."""
        with suppress(OSError):
            self._pipe.close()  # ends the loop of the other side
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _ask(self, task: str, argument: Any) -> Any:
        with suppress(OSError):  # told by the receiving side
            self._pipe.send((task, argument))
        return self._receive()

    def _receive(self) -> Any:
        try:
            answer = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join(5)
            raise SkippedError(
                f"its process ended with exit code {self._process.exitcode}"
            ) from None
        if isinstance(answer, Exception):
            raise answer
        return answer


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class _Server:
    """The tasks, on the other side of the pipe."""

    def __init__(self, name: str) -> None:
        self.rival: Rival = RIVALS[name]()
        self.operands: Any = None
        self.call: Callable[[], object] = lambda: None
        self.seconds = 0.0

    def about(self) -> dict[str, str]:
        """Return how the contestant is set up."""
        self.load(Case("warm", (64, 64), (64, 64), "float32"))
        about = {"version": self.rival.version(), "kernels": self.rival.kernels()}
        return about | {"settings": self.rival.settings}

    def load(self, case: Case) -> float:
        """See `Worker.load`."""
        self.call = lambda: None
        self.operands = None  # two sets at once may not fit
        self.rival.set_threads(case.threads)
        self.operands = operands(case)
        self.call = self.rival.prepare(*self.operands)
        self.seconds = self._clock()
        check(*self.operands)
        if self.seconds < _LONG:
            self.seconds = min(self._clock() for _ in range(3))
        return self.seconds

    def sample(self, repeats: int) -> float:
        """See `Worker.sample`."""
        if self.seconds < _LONG:
            self.call()
        return timeit.Timer(self.call).timeit(repeats) / repeats

    def peak(self, dtype: str) -> float:
        """See `Worker.peak`."""
        return peak(dtype)

    def _clock(self) -> float:
        start = perf_counter()
        self.call()
        return perf_counter() - start


def _serve(name: str, pipe: Connection) -> None:
    gc.disable()
    try:
        server = _Server(name)
        pipe.send(server.about())
    except ImportError as error:
        return pipe.send(SkippedError(str(error)))
    with suppress(EOFError, KeyboardInterrupt):
        while True:
            task, argument = pipe.recv()
            try:
                answer: Any = getattr(server, task)(argument)
            except UnsupportedError as reason:
                answer = SkippedError(str(reason))
            except ArithmeticError as error:
                answer = error
            pipe.send(answer)
