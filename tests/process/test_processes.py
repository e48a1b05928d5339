"""Forks, Python threads, and the end of the process."""

import multiprocessing
import re
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

import tilewise as tw
from tests.support.threads import process_threads

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks, and reads /proc")
A = np.arange(90_000).reshape(300, 300).astype(np.float32) % 7
SQUARE = (A.astype(np.int64) @ A.astype(np.int64)).astype(np.float32)


def run(program, **options):
    """Run a program in a new interpreter; it fails the test if it does not end with 0."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, **options
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def is_right_here_and_in_a_child(depth):
    """Multiply in this process, and `depth` times in a fork of it."""
    right = np.array_equal(tw.matmul(A, A), SQUARE)
    if depth == 0:
        return right
    answers = multiprocessing.get_context("fork").SimpleQueue()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this process has threads
        child = multiprocessing.get_context("fork").Process(
            target=lambda: answers.put(is_right_here_and_in_a_child(depth - 1))
        )
        child.start()
    child.join()
    return right and child.exitcode == 0 and answers.get()


@LINUX
def test_forks_of_forks():
    with process_threads(3):
        assert is_right_here_and_in_a_child(3)


@LINUX
@pytest.mark.filterwarnings("ignore:.*fork:")
def test_forks_while_other_threads_multiply():
    stop = threading.Event()

    def multiply():
        while not stop.is_set():
            tw.matmul(A, A)

    with process_threads(3):
        threads = [threading.Thread(target=multiply) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            assert all(is_right_here_and_in_a_child(1) for _ in range(10))
        finally:
            stop.set()
            for thread in threads:
                thread.join()


FORK_DURING_THE_FIRST_FIT = """
import os, threading
import numpy as np
import tilewise as tw

X, y, _, _ = tw.data.synthetic(2000, 50, seed=0)
thread = threading.Thread(target=lambda: [tw.fit(X, y, seed=0) for _ in range(50)])
thread.start()
for _ in range(20):
    child = os.fork()
    if child == 0:
        tw.fit(X, y, seed=0)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
thread.join()
"""


@LINUX
def test_forks_during_the_first_fit():
    run = [sys.executable, "-W", "ignore", "-c", FORK_DURING_THE_FIRST_FIT]
    subprocess.run(run, check=True, timeout=300)


@LINUX
def test_pools_of_processes():
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        squares = pool.starmap(tw.matmul, [(A, A)] * 4)
    for square in squares:
        np.testing.assert_array_equal(square, SQUARE)


def test_products_and_fits_from_many_threads_at_once():
    X, y, _, _ = tw.data.synthetic(5000, 300, seed=0)
    with process_threads(2):
        expected = tw.fit(X, y, batch_size=1000, learning_rate=0.01, seed=0).weights
        wrong = []

        def work(i):
            for _ in range(5):
                if i % 2:
                    right = np.array_equal(tw.matmul(A, A), SQUARE)
                else:
                    history = tw.fit(X, y, batch_size=1000, learning_rate=0.01, seed=0)
                    right = np.array_equal(history.weights, expected)
                if not right:
                    wrong.append(i)

        threads = [threading.Thread(target=work, args=[i]) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


# The object in a module is deleted when the interpreter has begun to shut down; globals of the
# program are not, since its threads use them. It waits until all other threads sleep: then those
# that computed have asked for the interpreter's lock, in vain. Else they would be gone, or crash.
CALLS_AT_THE_END = """
import os, threading, time
import numpy as np
import tilewise as tw

tw.set_num_threads(2)
A = np.ones((300, 300), np.float32)
X, y, _, _ = tw.data.synthetic(20_000, 5, seed=0)

done = threading.Semaphore(0)

def start(call):
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return str(thread.native_id)

def multiply(**options):
    def repeat():
        while True:
            tw.matmul(A, A, **options)
            done.release()

    thread = start(repeat)
    done.acquire()
    return thread

def train(**options):
    trainer = tw.Trainer(5, **options)
    thread = start(lambda: trainer.fit(X, y, 10**6))
    while trainer.steps == 0:
        time.sleep(0)
    return thread

calls = dict(
    direct=lambda: multiply(),
    ufunc=lambda: multiply(order="K"),
    fit=lambda: train(learning_rate=1e-4),
    callable=lambda: train(learning_rate=lambda step: 1e-4, batch_size=1),
)

class WaitsAtTheEnd:
    computed = {{calls[{which!r}]() for _ in range(2)}}

    def __del__(self, listdir=os.listdir, open=open, sleep=time.sleep, write=os.write):
        awake = 2
        while awake > 1:
            sleep(0)
            awake = 0
            for thread in listdir("/proc/self/task"):
                with open("/proc/self/task/" + thread + "/stat", "rb") as stat:
                    awake += stat.read().rsplit(b") ")[-1][:1] != b"S"
        if self.computed <= set(listdir("/proc/self/task")):
            write(1, b"they sleep")

os.last = WaitsAtTheEnd()
"""


@LINUX
@pytest.mark.parametrize("which", ["direct", "ufunc", "fit", "callable"])
def test_python_may_end_while_a_call_runs(which):
    assert run(CALLS_AT_THE_END.format(which=which)) == "they sleep"


def test_a_product_at_exit():
    assert run(
        "import atexit, numpy as np, tilewise as tw\n"
        "A = np.ones((300, 300))\n"
        "atexit.register(lambda: print(tw.matmul(A, A).max()))\n"
        "tw.set_num_threads(2); tw.matmul(A, A)"
    ).split() == ["300.0"]


IN_A_SUBINTERPRETER = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters  # before Python 3.13

interpreters.run_string(interpreters.create(), '''
import warnings
warnings.simplefilter("ignore")
try:
    import tilewise
except ImportError as error:
    print("ImportError:", error, flush=True)
''')
"""


def test_subinterpreters_are_refused():
    assert re.match(
        "ImportError: .*tilewise.* not support .*subinterpreters", run(IN_A_SUBINTERPRETER)
    )


def test_a_refused_subinterpreter_leaves_the_main_one_usable():
    product = "import numpy as np, tilewise as tw\nprint(tw.matmul(np.ones(3), np.ones(3)))\n"
    printed = run(product + IN_A_SUBINTERPRETER + product).splitlines()
    assert [line.split(":")[0] for line in printed] == ["3.0", "ImportError", "3.0"]
