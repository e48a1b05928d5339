"""A contestant in a process of its own, told what to do, and timed inside."""

import gc
import multiprocessing
import os
import signal
import time
from concurrent.futures import ProcessPoolExecutor, TimeoutError
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import cache
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
    """A running contestant, with a number of threads; it is asked for methods of `Server`."""

    def __init__(self, name: str, threads: int = 1) -> None:
        self.name = name
        self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
        with patch.dict(os.environ, RIVALS[name].environment(threads)):
            self._pid = self._pool.submit(os.getpid)
        self._about = self._pool.submit(_answer, name, "about")  # imports, while others do

    def ask(self, task: str, *arguments: Any) -> Any:
        """Return what a task gives; raise SkippedError or ArithmeticError with the reason."""
        try:
            if task == "about":
                return self._about.result(_PATIENCE)
            return self._pool.submit(_answer, self.name, task, *arguments).result(_PATIENCE)
        except (BrokenProcessPool, TimeoutError):
            reason = f"the process of {self.name} ended, or gave no answer for {_PATIENCE} s"
            raise EndedError(reason) from None

    def rest(self) -> None:
        """Wait until its threads rest, at most a second.

        Those of OpenBLAS spin for some 100 ms after a product, in case there is another. In the
        turn of the next contestant they would take one of its CPUs.
        """
        cpu_time = ~self._pid.result() << 3 | _CPU_TIME
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
            os.kill(self._pid.result(), signal.SIGKILL)
        self._pool.shutdown()


class Server:
    """The tasks, on the other side."""

    def __init__(self, name: str) -> None:
        self.rival = RIVALS[name]()

    def about(self) -> dict[str, str]:
        """Return version, settings, and kernels: some libraries pick them in a first product."""
        with suppress(UnsupportedError):
            start(Product("warm", a=(64, 64), b=(64, 64)), self.rival)
        about = {name: getattr(self.rival, name)() for name in ("version", "kernels")}
        return about | {"settings": self.rival.settings}

    def load(self, case: Case, answer: Any) -> float:
        """Make the data, check the first answer; return the seconds of a warm call."""
        self.call: Call = int  # the data of two cases at once may not fit
        self.call, self.units = start(case, self.rival, answer), case.units
        self.before = neighbour(case)
        self.seconds = clock(self.call)
        if self.seconds < _LONG:
            self.seconds = min(clock(self.call) for _ in range(3))
        if self.before:  # its time is not measured, but spent
            self.seconds += clock(self.before)
        return self.seconds

    def sample(self, repeats: int) -> float:
        """Return the mean seconds of a unit."""
        if self.seconds < _LONG:
            clock(self.call)
        return clock(self.call, repeats, self.before) / self.units


@cache
def _server(name: str) -> Server:
    gc.disable()
    return Server(name)


def _answer(name: str, task: str, *arguments: Any) -> Any:
    """Do a task; its errors are such that the other side can raise them, with a line of reason."""
    try:
        return getattr(_server(name), task)(*arguments)
    except ArithmeticError:
        raise
    except (ImportError, UnsupportedError) as error:
        raise SkippedError(str(error)) from None
    except Exception as error:  # whatever a library raises is a finding about it
        raise SkippedError(f"{type(error).__name__}: {error}".splitlines()[0]) from None
