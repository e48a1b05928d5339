"""The processes of a job, and how they agree: on numbers, and on errors."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

import numpy as np

from tilewise._checks import Array
from tilewise._extras import required


class RankError(RuntimeError):
    """Another rank of the job could not go on; the message is that of the lowest such rank."""


class Ranks:
    """The ranks of an MPI communicator, or one process without MPI.

    An error on one rank would leave the others waiting for it. So what can fail is `agreed`, or
    is told to the others through the sum that they wait for (`sum_of`): then all ranks raise at the
    same place.

    Attributes
    ----------
    comm : mpi4py.MPI.Intracomm or None
    rank, size : int
    """

    def __init__(self, comm: Any | None) -> None:
        self.comm = comm
        self.rank, self.size = 0, 1
        if comm is None:
            return
        MPI = required("mpi4py.MPI", "mpi", "comm needs mpi4py")
        if not isinstance(comm, MPI.Intracomm):
            raise TypeError(
                f"comm is a {type(comm).__name__}; give a communicator such as MPI.COMM_WORLD"
            )
        self._in_place = MPI.IN_PLACE
        self.rank, self.size = comm.Get_rank(), comm.Get_size()
        if max(self.size, MPI.COMM_WORLD.Get_size()) > 1:
            _end_job_with_uncaught_errors(MPI.COMM_WORLD)

    @property
    def on_this_machine(self) -> int:
        """How many ranks share this machine."""
        if self.comm is None:
            return 1
        from mpi4py import MPI

        return int(self.comm.Split_type(MPI.COMM_TYPE_SHARED).Get_size())

    def allreduce(self, array: Array) -> None:
        """Replace a contiguous array by the sum of those of all ranks, without a copy of it."""
        if self.comm is not None:
            self.comm.Allreduce(self._in_place, array)

    def bcast(self, array: Array) -> None:
        """Replace a contiguous array by that of rank 0."""
        if self.comm is not None:
            self.comm.Bcast(array, root=0)

    def allgather(self, value: Any) -> list[Any]:
        """Return the values of all ranks."""
        return [value] if self.comm is None else list(self.comm.allgather(value))

    @contextmanager
    def agreed(self) -> Iterator[None]:
        """Let all ranks raise if a phase of the work fails on any.

        A rank whose own work failed raises that error, the others a `RankError`.
        """
        failure = None
        try:
            yield
        except BaseException as error:
            failure = error
        self._agree(failure)

    def sum_of(self, sums: Array, work: Callable[[], None]) -> None:
        """Let `work` fill a contiguous array, and add up those of all ranks; see `agreed`.

        The last element is never NaN, except to tell that the work failed.
        """
        failure = None
        try:
            work()
        except BaseException as error:
            failure, sums[-1] = error, np.nan
        self.allreduce(sums)
        if np.isnan(sums[-1]):
            self._agree(failure)
            raise AssertionError("a sum told of an error that no rank has")

    def _agree(self, error: BaseException | None) -> None:
        messages = self.allgather(None if error is None else _message(error))
        failed = [rank for rank, message in enumerate(messages) if message is not None]
        if not failed:
            return
        agreed = error or RankError(f"rank {failed[0]}: {messages[failed[0]]}")
        agreed.first_rank = failed[0]  # type: ignore[attr-defined]
        raise agreed

    def speaks_of(self, error: BaseException) -> bool:
        """Return whether this rank is the lowest of those that raised: to print the message."""
        return bool(getattr(error, "first_rank", self.rank) == self.rank)

    def abort_unless_agreed(self, error: BaseException) -> None:
        """End the whole job if the other ranks do not know of this error: they would wait."""
        if self.comm is None or self.size == 1 or hasattr(error, "first_rank"):
            return
        print(f"rank {self.rank}: {type(error).__name__}: {_message(error)}", file=sys.stderr)
        _abort(self.comm)


def agreed(comm: Any | None) -> AbstractContextManager[None]:
    """Let all ranks of a communicator, if there is one, raise if a phase fails on any."""
    return nullcontext() if comm is None else Ranks(comm).agreed()


def _message(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


_FORWARDING = 0.2  # seconds that mpiexec has to pass on what was printed
_PATIENCE = 1.0  # seconds for the rank that has the message


def _abort(comm: Any) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # closed, or a full disk
            stream.flush()
    time.sleep(_FORWARDING)
    comm.Abort(1)
    os._exit(1)  # it may return before the process is ended


_hooks: list[Any] = []  # what sys.excepthook is set to, once


def _end_job_with_uncaught_errors(comm: Any) -> None:
    """Let an error that ends this process end the others, which would wait for it."""
    if _hooks:
        return
    shown = sys.excepthook

    def show_and_abort(kind: Any, error: BaseException, trace: Any) -> None:
        if isinstance(error, RankError):
            time.sleep(_PATIENCE)  # unless that rank caught its error, it ends the job
        shown(kind, error, trace)
        _abort(comm)

    _hooks.append(show_and_abort)
    sys.excepthook = show_and_abort
