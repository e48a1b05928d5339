"""The pool of threads: who takes which part, how many are free, and what the workers are."""

import os
import platform
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import tilewise as tw
from tests.support.threads import PATIENCE, crew, process_threads, status
from tilewise import _core

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc, and sets masks"),
]
needs_two_cpus = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="one CPU"
)


@pytest.fixture
def real_cpus():
    """Count the CPUs as they are: the other tests have more threads than those."""
    _core.assume_cpus(0)
    yield
    _core.assume_cpus(16)


def run(program, **variables):
    """Run a program that imports `crew` and `status`; return what it prints."""
    start = "import os, threading, time\nimport tilewise as tw\nfrom tilewise import _core\n"
    start += "from tests.support.threads import crew, status\n_core.assume_cpus(4)\n"
    done = subprocess.run(
        [sys.executable, "-c", start + program],
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        cwd=Path(__file__).parents[2],
        env=os.environ | variables,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def in_a_thread(call):
    """Return what a call returns in a thread of its own, whose mask it may change."""
    results = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    thread.join()
    return results[0]


def claims(parts):
    """Return how many parts each thread takes."""
    taken = []
    _core.for_each_part(parts, lambda part: taken.append((part, threading.get_native_id())))
    assert sorted(part for part, _ in taken) == list(range(parts))
    threads = [thread for _, thread in taken]
    return {thread: threads.count(thread) for thread in threads}


def test_parts_are_claimed():
    """Nobody goes on before four are there, so none of four threads can take more than two."""
    four = threading.Barrier(4)
    taken = []

    def meet(part):
        four.wait(PATIENCE)
        taken.append(threading.get_native_id())

    with tw.threads(4):
        _core.for_each_part(8, meet)
    assert sorted(taken.count(thread) for thread in set(taken)) == [2, 2, 2, 2]


def test_a_slow_worker_keeps_only_the_part_that_it_began():
    others, caller = threading.Semaphore(0), threading.get_native_id()
    begun = threading.Event()
    taken = []

    def work(part):
        taken.append(threading.get_native_id())
        if taken[-1] == caller:
            assert begun.wait(PATIENCE)
            others.release()
        else:
            begun.set()
            assert all(others.acquire(timeout=PATIENCE) for _ in range(7))

    with tw.threads(2):
        _core.for_each_part(8, work)
    assert taken.count(caller) == 7


def test_the_caller_waits_for_no_part_that_nobody_began():
    """In a process of its own, whose pool has no workers but those that are stopped."""
    printed = run("""
import numpy as np, pytest
from tests.support.threads import kept_from_running

def claims(parts):
    taken = []
    _core.for_each_part(parts, lambda part: taken.append(threading.get_native_id()))
    return taken

caller, *workers = crew(4)
A = np.ones((300, 300), np.float32)
try:
    with kept_from_running(workers), tw.threads(4):
        assert claims(8) == [caller] * 8
        assert (tw.matmul(A, A) == 300).all()
except pytest.skip.Exception:
    print("skip")
# They wake up late, find nothing, and sleep; and are there for the next job.
while any(status(worker, "State") != "S" for worker in workers):
    time.sleep(0)
assert set(crew(4)) == {caller, *workers}
""")
    if printed.strip() == "skip":
        pytest.skip("this system lets no process stop a thread of another")


def test_a_part_that_fails_ends_no_other():
    done = []

    def work(part):
        if part == 1:
            raise ZeroDivisionError
        done.append(part)

    with tw.threads(2), pytest.raises(ZeroDivisionError):
        _core.for_each_part(4, work)
    assert sorted(done) == [0, 2, 3]


def test_a_nested_call_is_the_callers_alone():
    free, threads = [], []

    def work(part):
        free.append(_core.free_threads(4))
        own = threading.get_native_id()
        _core.for_each_part(4, lambda _: threads.append(threading.get_native_id() == own))

    with tw.threads(4):
        _core.for_each_part(4, work)
    assert free == [1] * 4
    assert threads == [True] * 16


def free_beside(parts):
    """Return how many threads are free while another one does a job of some parts."""
    begun, end = threading.Event(), threading.Event()

    def wait(part):
        begun.set()
        assert end.wait(PATIENCE)

    other = threading.Thread(target=_core.for_each_part, args=[parts, wait])
    other.start()
    assert begun.wait(PATIENCE)
    try:
        with tw.threads(2):
            own = _core.free_threads(99)
        return _core.free_threads(99), own
    finally:
        end.set()
        other.join()


def test_callers_share_the_threads():
    with process_threads(4):
        assert _core.free_threads(99) == 4
        assert _core.free_threads(3) == 3
        assert free_beside(parts=1) == (3, 2)
        assert free_beside(parts=2) == (1, 1), "the pool is at work"
        assert _core.free_threads(99) == 4
    with process_threads(16):
        assert free_beside(parts=1) == (15, 2)


def test_a_caller_of_one_cpu_has_one_thread(real_cpus):
    def bound():
        caller = threading.get_native_id()
        os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
        assert claims(4) == {caller: 4}
        return _core.free_threads(99), tw.explain(3000, 3000, 3000).threads

    with process_threads(16):
        assert in_a_thread(bound) == (1, 1)
        assert _core.free_threads(99) == len(os.sched_getaffinity(0))


@needs_two_cpus
def test_workers_run_on_the_cpus_of_the_caller():
    def bound(cpus):
        os.sched_setaffinity(0, cpus)
        return [os.sched_getaffinity(worker) for worker in crew(3)[1:]]

    everywhere = os.sched_getaffinity(0)
    first, second = sorted(everywhere)[:2]
    for cpus in ({first}, {second}, everywhere, {second}):
        assert in_a_thread(lambda cpus=cpus: bound(cpus)) == [cpus] * 2
    assert bound(everywhere) == [everywhere] * 2


def test_no_thread_starts_at_import_or_for_a_small_product():
    printed = run(
        "import numpy as np\nA = np.ones((64, 64))\ntw.matmul(A, A)\n"
        "print(len(os.listdir('/proc/self/task')))\n",
        OPENBLAS_NUM_THREADS="1",
    )
    assert printed == "1\n"


def test_workers_hear_no_signals():
    """All but the faults, which are the thread's own."""
    blocked = int(status(crew(2)[1], "SigBlk"), base=16)
    faults = {4, 7, 8, 11}
    kernels_own = {9, 19, 32, 33}  # kill and stop, and two that the C library keeps
    assert faults == {i for i in range(1, 65) if not blocked >> i - 1 & 1} - kernels_own
    assert int(status(crew(2)[0], "SigBlk"), base=16) >> 1 & 1 == 0, "the caller hears Ctrl-C"


def test_workers_have_the_ordinary_policy():
    printed = run(
        "os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))\n"
        "print(*(os.sched_getscheduler(thread) for thread in crew(3)))\n"
    )
    assert printed.split() == [str(os.SCHED_BATCH), *[str(os.SCHED_OTHER)] * 2]


A_LESS_NICE_CALLER = """
go, crews, at_first = threading.Event(), [], os.nice(0)

def less_nice():
    go.wait()
    crews.append(crew(3))

def niceness(threads):
    return [os.getpriority(os.PRIO_PROCESS, thread) - at_first for thread in threads]

thread = threading.Thread(target=less_nice)
thread.start()
os.nice(5)
nice = crew(4)
print(*niceness(nice))
go.set()
while not crews:
    time.sleep(0)
print(*niceness(crews[0][1:]))
assert not set(nice) & set(crews[0])
while any(os.path.exists(f"/proc/self/task/{worker}") for worker in nice[1:]):
    time.sleep(0)
print(*niceness(crew(3)))
thread.join()
"""


def test_a_less_nice_caller_has_workers_of_its_own():
    assert run(A_LESS_NICE_CALLER).splitlines() == ["5 5 5 5", "0 0", "5 0 0"]


WITHOUT_A_CALL = """
import ctypes, struct
import numpy as np
square, column, row = np.ones((64, 64)), np.ones((64, 1)), np.ones((1, 5000))
X, y = np.ones((100, 5), np.float32), np.ones(100, np.float32)
tw.matmul(square, square)
code = [(0x20, 0, 0, 0), (0x15, 0, 1, {number}), (0x06, 0, 0, 0x80000000), (0x06, 0, 0, 0x7FFF0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 4, ctypes.addressof(code)))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(program)), 0, 0) == 0
for _ in range(2):
    tw.matmul(square, square)
    tw.matmul(square, column)
    tw.matmul(row, row.T)
    tw.matmul(row.T[:64], row[:, :64])
    tw.matmul(np.ones((80, 80)), np.ones((80, 80)))
    tw.matmul(np.ones((9, 5, 5)), np.ones((5, 5)), strategy="block")
    tw.fit(X, y, epochs=1, seed=0)
print("done", flush=True)
tw.matmul(np.ones((300, 300)), np.ones((300, 300)))
print("not killed", flush=True)
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the number of the call is x86-64's")
def test_what_uses_no_threads_reads_no_mask():
    """The system ends the process at the call that would read it."""
    sched_getaffinity = 204
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import tilewise as tw\n" + WITHOUT_A_CALL.format(number=sched_getaffinity),
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.stdout == "done\n", done.stderr
    assert done.returncode != 0


def reads():
    """Return how often this thread has read from a file."""
    with open("/proc/thread-self/io") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("syscr"))


@pytest.mark.skipif(not os.path.exists("/proc/thread-self/io"), reason="nobody counts the reads")
def test_the_quota_is_read_once_a_second_at_most(real_cpus):
    """The reads of a thread are counted: between two counts, the counting's own and the quota's."""
    before = reads()
    own = reads() - before
    times, start = 0, time.monotonic()
    while times < 2:
        before = reads()
        for _ in range(1000):
            _core.free_threads(99)
        times += reads() - before > own
        assert times <= time.monotonic() - start + 1
