"""The threads of the pool: how many, which, and one that is kept from running."""

import ctypes
import os
import threading
from contextlib import contextmanager

import pytest

import tilewise as tw
from tilewise import _core

TRACE_SEIZE, TRACE_INTERRUPT, WAIT_ALL = 0x4206, 0x4207, 0x40000000
PATIENCE = 60  # seconds until a wait that should have ended is an error


@contextmanager
def process_threads(n):
    """Give the process a number of threads, which holds in every thread."""
    before = _core.get_num_threads()
    tw.set_num_threads(n)
    try:
        yield
    finally:
        tw.set_num_threads(before)


def crew(count):
    """Return the ids of `count` threads of the pool that run a job together, the caller's first."""
    here = threading.Barrier(count)
    ids = [0] * count

    def meet(part):
        ids[part] = threading.get_native_id()
        here.wait(PATIENCE)

    with tw.threads(count):
        _core.for_each_part(count, meet)
    own = threading.get_native_id()
    assert own in ids
    assert len(set(ids)) == count
    return [own, *(thread for thread in ids if thread != own)]


def status(thread, field):
    """Return a line of what the system tells of a thread."""
    with open(f"/proc/self/task/{thread}/status") as lines:
        return next(line.split()[1] for line in lines if line.startswith(field + ":"))


@contextmanager
def kept_from_running(threads):
    """Stop some threads of this process, as if the system gave them no CPU. A child traces them."""
    libc = ctypes.CDLL(None)
    ready, go_on = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        stopped = all(
            libc.ptrace(TRACE_SEIZE, thread, None, None) == 0
            and libc.ptrace(TRACE_INTERRUPT, thread, None, None) == 0
            and os.waitpid(thread, WAIT_ALL)[0] == thread
            for thread in threads
        )
        os.write(ready[1], b"1" if stopped else b"0")
        os.read(go_on[0], 1)
        os._exit(0)  # lets go of them
    try:
        if os.read(ready[0], 1) == b"0":
            pytest.skip("this system lets no process stop a thread of another")
        yield
    finally:
        os.write(go_on[1], b"1")
        os.waitpid(child, 0)
        for end in (*ready, *go_on):
            os.close(end)
