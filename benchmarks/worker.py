"""A contestant in a process of its own, told over a pipe what to do, and timed inside."""

import gc
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from itertools import cycle, islice
from multiprocessing.connection import Connection
from time import perf_counter, process_time
from typing import Any

import benchmarks.rivals  # noqa: F401, so that RIVALS has them
from benchmarks.products import Product
from benchmarks.rival import RIVALS, Rival, UnsupportedError

_LONG = 0.1  # seconds; a call that takes longer needs no second one to be warm
_LOOK = 0.004  # seconds between two looks at the CPU time of a process
_CPU_TIME = 2  # of a process, in Linux's numbers of clocks: CPUCLOCK_SCHED
_PATIENCE = 300  # seconds for an answer; no case takes so long


class SkippedError(Exception):
    """A contestant cannot take part; the message says why."""


class EndedError(SkippedError):
    """Its process has ended, or does not answer: it cannot take part any more."""


class Worker:
    """A running contestant.

    Parameters
    ----------
    name : str
        A key of `RIVALS`.
    threads : int, default 1
        Of all its cases: some libraries read their number at their start.
    environment : dict of str, optional
        Set in its process before anything is imported.
    """

    def __init__(
        self, name: str, threads: int = 1, environment: dict[str, str] | None = None
    ) -> None:
        self.name = name
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(name, other), daemon=True)
        with _environment(RIVALS[name].environment(threads) | (environment or {})):
            self._process.start()
        other.close()

    def wait(self) -> None:
        """Wait until it has imported its library; raise SkippedError where it cannot."""
        self._receive()

    def about(self) -> dict[str, str]:
        """Return its version, the kernels that it picked, and its settings."""
        return dict(self._ask("about"))

    def load(self, case: Any) -> float:
        """Make the data, compute once, check the answer; return the seconds of a warm call.

        Raises
        ------
        SkippedError
            The library has no such thing, or its process has ended.
        ArithmeticError
            The answer is wrong.
        """
        return float(self._ask("load", case, case.reference()))

    def form(self) -> str | None:
        """Return which of several ways of writing the case down is timed."""
        form = self._ask("form")
        return None if form is None else str(form)

    def sample(self, repeats: int) -> tuple[float, float]:
        """Return mean seconds of what the case counts, and how many CPUs were busy meanwhile."""
        seconds, cpus = self._ask("sample", repeats)
        return seconds, cpus

    def peak(self, dtype: str) -> float:
        """Return the GFLOP/s that one core reaches just now; for tilewise only."""
        return float(self._ask("peak", dtype))

    def limits(self, *, kept: bool) -> dict[str, Any]:
        """Return what `tilewise.machine` measures, or has measured; for tilewise only."""
        return dict(self._ask("limits", kept))

    def rest(self) -> None:
        """Wait until its threads rest, at most a second.

        Those of OpenBLAS spin for some 100 ms after a product, in case there is another. In the
        turn of the next contestant they would take one of its CPUs.
        """
        clock = ~self._process.pid << 3 | _CPU_TIME
        deadline = perf_counter() + 1
        with suppress(OSError):  # it has ended
            while perf_counter() < deadline:
                before = time.clock_gettime(clock)
                time.sleep(_LOOK)
                if time.clock_gettime(clock) - before < _LOOK / 10:
                    return

    def close(self) -> None:
        """End the process."""
        with suppress(OSError):
            self._pipe.close()  # ends the loop of the other side
        self._process.join(0.5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _ask(self, task: str, *arguments: Any) -> Any:
        with suppress(OSError):  # told by the receiving side
            self._pipe.send((task, arguments))
        return self._receive()

    def _receive(self) -> Any:
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
        self.calls: Iterator[Callable[[], object]] = iter(())
        self.units = 1
        self.seconds = 0.0

    def about(self) -> dict[str, str]:
        """See `Worker.about`. Some libraries pick their kernels in the first product."""
        with suppress(UnsupportedError):
            self.load(Product("warm", (64, 64), (64, 64)), None)
        about = {"version": self.rival.version(), "kernels": self.rival.kernels()}
        return about | {"settings": self.rival.settings}

    def load(self, case: Any, reference: Any) -> float:
        """See `Worker.load`."""
        self.calls = iter(())  # the data of two cases at once may not fit
        self.rival.set_threads(case.threads)
        self.calls, self.units = cycle(case.start(self.rival, reference)), case.units
        self.seconds = self._clock(1)
        if self.seconds < _LONG:
            self.seconds = min(self._clock(1) for _ in range(3))
        return self.seconds

    def form(self) -> str | None:
        """See `Worker.form`."""
        return self.rival.form()

    def sample(self, repeats: int) -> tuple[float, float]:
        """See `Worker.sample`."""
        if self.seconds < _LONG:
            self._clock(1)
        before = process_time()
        seconds = self._clock(repeats)
        cpus = (process_time() - before) / (seconds * repeats)
        return seconds / self.units, cpus

    def peak(self, dtype: str) -> float:
        """See `Worker.peak`. Each measurement asks again, since a core changes its clock."""
        from tilewise.hardware import fma_gflops

        return fma_gflops(dtype, seconds=0.005)

    def limits(self, kept: bool) -> dict[str, Any]:
        """See `Worker.limits`."""
        from tilewise import machine

        return asdict(machine(refresh=not kept))

    def _clock(self, repeats: int) -> float:
        calls = islice(self.calls, repeats)
        start = perf_counter()
        for call in calls:
            call()
        return (perf_counter() - start) / repeats


def _serve(name: str, pipe: Connection) -> None:
    gc.disable()
    try:
        server = _Server(name)
    except ImportError as error:
        return pipe.send(SkippedError(str(error)))
    except Exception as error:  # such as OSError for a shared library
        return pipe.send(_raised(error))
    pipe.send("ready")
    with suppress(EOFError, KeyboardInterrupt):
        while True:
            task, arguments = pipe.recv()
            pipe.send(_answer(server, task, arguments))


def _answer(server: _Server, task: str, arguments: tuple[Any, ...]) -> Any:
    """Return what a task does, or an error to be raised on the other side."""
    try:
        return getattr(server, task)(*arguments)
    except UnsupportedError as reason:
        return SkippedError(str(reason))
    except ArithmeticError as error:
        return error
    except Exception as error:  # whatever a library raises is a finding about it
        return _raised(error)


def _raised(error: Exception) -> SkippedError:
    return SkippedError(f"{type(error).__name__}: {error}".splitlines()[0])
