"""The processes of a job, and how they agree: on numbers, and on errors."""

import math
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cache
from typing import Any

import numpy as np

from tilewise._checks import Array
from tilewise._extras import required


class RankError(RuntimeError):
    """Another rank of the job could not go on; the message is that of the lowest such rank."""


class Ranks:
    """The ranks of an MPI communicator, or one process without MPI for None.

    An error on one rank would leave the others waiting for it. So what can fail is `agreed`, or
    is told to the others through the sum that they wait for (`summed`): then all ranks raise at the
    same place.
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
            _end_job_with_uncaught_errors()

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

    @contextmanager
    def summed(self, sums: Array) -> Iterator[None]:
        """Let a phase fill a contiguous array, and add up those of all ranks; see `agreed`.

        The last element is never NaN, except to tell that the phase failed.
        """
        failure = None
        try:
            yield
        except BaseException as error:
            failure, sums[-1] = error, np.nan
        self.allreduce(sums)
        if math.isnan(sums[-1]):
            self._agree(failure)
            raise AssertionError("a sum told of an error that no rank has")

    def _agree(self, error: BaseException | None) -> None:
        """Raise, on all ranks, if there is an error on any."""
        own = None if error is None else _message(error)
        for rank, message in enumerate(self.allgather(own)):
            if message is not None:
                agreed = error or RankError(f"rank {rank}: {message}")
                agreed.first_rank = rank  # type: ignore[attr-defined]
                raise agreed

    def check_alike(self, values: Mapping[str, Any]) -> None:
        """Let all ranks raise if one has another value than rank 0, and name it."""
        of_all = self.allgather(values)
        with self.agreed():
            for rank, own in enumerate(of_all):
                for name, value in own.items():
                    if value != of_all[0][name]:
                        raise ValueError(
                            f"rank {rank} has {name}={value}, but rank 0 {of_all[0][name]}; make "
                            "them alike"
                        )

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


@cache  # once
def _end_job_with_uncaught_errors() -> None:
    """Let an error that ends this process end the others, which would wait for it."""
    from mpi4py import MPI

    shown = sys.excepthook

    def show_and_abort(kind: Any, error: BaseException, trace: Any) -> None:
        if isinstance(error, RankError):
            time.sleep(_PATIENCE)  # unless that rank caught its error, it ends the job
        shown(kind, error, trace)
        _abort(MPI.COMM_WORLD)

    sys.excepthook = show_and_abort
