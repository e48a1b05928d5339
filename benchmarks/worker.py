"""A contestant in a process of its own, told over a pipe what to do, and timed inside."""

import gc
import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import cycle, repeat
from multiprocessing.connection import Connection
from typing import Any
from unittest.mock import patch

from benchmarks.cases.case import Case
from benchmarks.cases.products import Product
from benchmarks.clock import clock
from benchmarks.rivals import RIVALS
from benchmarks.rivals.rival import Call, UnsupportedError
from benchmarks.start import neighbour, start

_LONG = 0.1  # seconds; a call that takes longer needs no second one to be warm
_LOOK = 0.004  # seconds between two looks at the CPU time of a process
_CPU_TIME = 2  # of a process, in Linux's numbers of clocks: CPUCLOCK_SCHED
_PATIENCE = 300  # seconds for an answer; no case takes so long


class SkippedError(Exception):
    """A contestant cannot take part; the message says why."""


class EndedError(SkippedError):
    """Its process has ended, or does not answer: it cannot take part any more."""


class Worker:
    """A running contestant, with a number of threads; it is asked for methods of `_Server`."""

    def __init__(self, name: str, threads: int = 1) -> None:
        self.name = name
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(name, other), daemon=True)
        with patch.dict(os.environ, RIVALS[name].environment(threads)):
            self._process.start()
        other.close()

    def ask(self, task: str, *arguments: Any) -> Any:
        """Return what a task gives; raise SkippedError or ArithmeticError with the reason."""
        with suppress(OSError):  # told by the receiving side
            self._pipe.send((task, arguments))
        return self.receive()

    def receive(self) -> Any:
        """Return the next answer; the first one says that the library is imported."""
        try:
            if not self._pipe.poll(_PATIENCE):
                raise EndedError(f"the process of {self.name} gave no answer for {_PATIENCE} s")
            answer = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join(5)
            code = self._process.exitcode
            raise EndedError(f"the process of {self.name} ended with exit code {code}") from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def rest(self) -> None:
        """Wait until its threads rest, at most a second.

        Those of OpenBLAS spin for some 100 ms after a product, in case there is another. In the
        turn of the next contestant they would take one of its CPUs.
        """
        cpu_time = ~(self._process.pid or 0) << 3 | _CPU_TIME
        deadline = time.monotonic() + 1
        with suppress(OSError):  # it has ended
            while time.monotonic() < deadline:
                before = time.clock_gettime(cpu_time)
                time.sleep(_LOOK)
                if time.clock_gettime(cpu_time) - before < _LOOK / 10:
                    return

    def close(self) -> None:
        """End the process."""
        with suppress(OSError):
            self._pipe.close()  # ends the loop of the other side
        self._process.join(0.5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


class _Server:
    """The tasks, on the other side of the pipe."""

    def __init__(self, name: str) -> None:
        self.rival = RIVALS[name]()
        self.calls: Iterator[Call] = iter(())
        self.units, self.seconds = 1, 0.0

    def about(self) -> dict[str, str]:
        """Return version, settings, and kernels: some libraries pick them in a first product."""
        with suppress(UnsupportedError):
            start(Product("warm", a=(64, 64), b=(64, 64)), self.rival)
        about = {name: getattr(self.rival, name)() for name in ("version", "kernels")}
        return about | {"settings": self.rival.settings}

    def load(self, case: Case, answer: Any) -> tuple[float, str]:
        """Make the data, check the first answer; return the seconds of a warm call, and a form."""
        self.calls = iter(())  # the data of two cases at once may not fit
        self.calls, self.units = cycle(start(case, self.rival, answer)), case.units
        self.before = neighbour(case)
        self.seconds = clock(self.calls)
        if self.seconds < _LONG:
            self.seconds = min(clock(self.calls) for _ in range(3))
        if self.before:  # its time is not measured, but spent
            self.seconds += clock(repeat(self.before))
        return self.seconds, self.rival.form()

    def sample(self, repeats: int) -> tuple[float, float]:
        """Return the mean seconds of a unit, and how many CPUs were busy meanwhile."""
        if self.seconds < _LONG:
            clock(self.calls)
        before = time.process_time()
        seconds = clock(self.calls, repeats, self.before)
        return seconds / self.units, (time.process_time() - before) / (seconds * repeats)


def _serve(name: str, pipe: Connection) -> None:
    gc.disable()
    try:
        server = _Server(name)
    except Exception as error:  # such as OSError for a shared library
        return pipe.send(_to_raise(error))
    pipe.send("ready")
    with suppress(EOFError, KeyboardInterrupt):
        while True:
            task, arguments = pipe.recv()
            try:
                pipe.send(getattr(server, task)(*arguments))
            except Exception as error:  # whatever a library raises is a finding about it
                pipe.send(_to_raise(error))


def _to_raise(error: Exception) -> Exception:
    """Return an error that the other side can raise, with the reason in a line."""
    if isinstance(error, ArithmeticError):
        return error
    if isinstance(error, (ImportError, UnsupportedError)):
        return SkippedError(str(error))
    return SkippedError(f"{type(error).__name__}: {error}".splitlines()[0])
