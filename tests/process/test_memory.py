"""What happens when memory runs out: an error, nothing half-written, and the process goes on."""

import subprocess
import sys

import numpy as np
import pytest

import tilewise as tw

limits_memory = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="RLIMIT_AS works on Linux"
)


def run(script):
    """Run a program of its own and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


NO_ROOM_TO_PACK = """
import resource
import numpy as np
import tilewise as tw

tw.set_num_threads({threads})
a = np.ones((3000, 3000), np.float32).T
b = np.ones((3000, 3000), np.float32).T
out = np.full((3000, 3000), np.nan, np.float32)
with open("/proc/self/statm") as statm:
    in_use = int(statm.read().split()[0]) * resource.getpagesize()
limits = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (in_use + 2**20, limits[1]))
try:
    tw.matmul(a, b, {arguments}out=out)
except MemoryError as error:
    message = str(error)
else:
    raise SystemExit("no error")
resource.setrlimit(resource.RLIMIT_AS, limits)
assert "matmul" in message, message
assert np.isnan(out).all(), "out was written"
tw.matmul(a, b, out=out)
assert (out == 3000).all()
"""


@limits_memory
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("arguments", ["", "casting='safe', "], ids=["direct", "ufunc"])
def test_no_room_to_pack(threads, arguments):
    run(NO_ROOM_TO_PACK.format(threads=threads, arguments=arguments))


NO_ROOM_FOR_A_BLOCK = """
import resource
import numpy as np
import tilewise as tw

tw.set_num_threads(1)
a = np.full((3000, 3000), 2, np.float32)
out = {out}
before = out.copy()
with open("/proc/self/statm") as statm:
    in_use = int(statm.read().split()[0]) * resource.getpagesize()
limits = resource.getrlimit(resource.RLIMIT_AS)
# NumPy's own copy of out fits, the packed operands do not.
resource.setrlimit(resource.RLIMIT_AS, (in_use + 36 * 2**20, limits[1]))
try:
    tw.matmul(a.T, a.T, out=out)
except MemoryError as error:
    message = str(error)
else:
    raise SystemExit("no error")
resource.setrlimit(resource.RLIMIT_AS, limits)
assert message.startswith("matmul: no memory for the packed"), message
assert np.array_equal(out, before, equal_nan=True), "out was written"
"""


@limits_memory
@pytest.mark.parametrize("out", ["a", "np.full(a.shape, np.nan)"], ids=["operand", "float64"])
def test_what_numpy_would_copy_back_is_thrown_away(out):
    run(NO_ROOM_FOR_A_BLOCK.format(out=out))


NO_ROOM_FOR_A_THREAD = """
import ctypes, resource
import numpy as np
import tilewise as tw

malloc = ctypes.CDLL(None).malloc
malloc.restype, malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
free = ctypes.CDLL(None).free
free.argtypes = [ctypes.c_void_p]
a, b, out = (np.ones(shape, np.float32) for shape in [(700, 700), (700, 5), (700, 5)])
tw.set_num_threads(1)
tw.matmul(a, b, out=out)
tw.set_num_threads(2)

taken = (ctypes.c_void_p * 200_000)()
stack = resource.getrlimit(resource.RLIMIT_STACK)[0]
stack = 2**21 if stack == resource.RLIM_INFINITY else stack
limits = resource.getrlimit(resource.RLIMIT_AS)
with open("/proc/self/statm") as statm:
    in_use = int(statm.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (in_use, limits[1]))
count, size = 0, 2**20
while size >= 512:  # all that is left but for small objects
    taken[count] = malloc(size)
    if taken[count]:
        count += 1
    else:
        size //= 2
# The second thread's stack, and nothing more.
resource.setrlimit(resource.RLIMIT_AS, (in_use + stack + resource.getpagesize(), limits[1]))
try:
    tw.matmul(a, b, out=out)
except MemoryError:
    pass
for i in range(count):
    free(taken[i])
resource.setrlimit(resource.RLIMIT_AS, limits)
tw.matmul(a, b, out=out)
assert (out == 700).all()
"""


@limits_memory
def test_a_thread_that_starts_without_memory_ends_no_process():
    run(NO_ROOM_FOR_A_THREAD)


def test_results_too_large_to_count_raise_before_any_work():
    tall = np.broadcast_to(np.float32(1), (2**40, 1))
    for strategy in tw.STRATEGIES:
        with pytest.raises((ValueError, MemoryError)):
            tw.matmul(tall, tall.T, strategy=strategy)


NO_ROOM_TO_FIT = """
import resource
import numpy as np
import tilewise as tw

tw.set_num_threads(2)
X = np.ones((4_000_000, 1), np.float32)
y = np.ones(4_000_000, np.float32)
trainer = tw.Trainer(1, batch_size=1_000_000, learning_rate=0.1, seed=0)
with open("/proc/self/statm") as statm:
    in_use = int(statm.read().split()[0]) * resource.getpagesize()
limits = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (in_use + 16 * 2**20, limits[1]))
try:
    trainer.run_epoch(X, y)  # the order of the rows takes 32 MiB
except MemoryError:
    pass
else:
    raise SystemExit("no error")
resource.setrlimit(resource.RLIMIT_AS, limits)
assert trainer.steps == 0
trainer.run_epoch(X, y)
assert trainer.steps == 4 and np.isfinite(trainer.weights).all()
"""


@limits_memory
def test_no_room_to_fit():
    run(NO_ROOM_TO_FIT)


# A leak of one small object a call would add 16 bytes or more for each.
CALLS = {
    "matmul": ("tw.matmul(A, A)", 1_000_000),
    "out": ("tw.matmul(A, A, out=out)", 1_000_000),
    "ufunc": ("tw.matmul(stack, A, order='K')", 300_000),
    "errors": ("fails(tw.matmul, A, A[:2])", 100_000),
    "wrong strategy": ("fails(tw.matmul, A, A, strategy='fast')", 100_000),
    "step": ("trainer.step(A, A[0])", 100_000),
    "fit": ("tw.fit(A, A[0], epochs=1, seed=0)", 10_000),
}
MANY_CALLS = """
import gc, resource
import numpy as np
import tilewise as tw

A, out = np.ones((3, 3)), np.ones((3, 3))
stack = np.ones((2, 3, 3))
trainer = tw.Trainer(3, learning_rate=1e-9, dtype=np.float64)

def fails(function, *arguments, **options):
    try:
        function(*arguments, **options)
    except ValueError:
        return
    raise SystemExit("no error")

def resident():
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()

def repeat(times):
    for _ in range(times):
        {call}

repeat({times} // 10)
before = resident()
repeat({times})
print((resident() - before) / {times})
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("kind", CALLS)
def test_calls_leave_no_memory_behind(kind):
    call, times = CALLS[kind]
    growth = run(MANY_CALLS.format(call=call, times=times))
    # 256 KiB are no leak: what the allocator keeps.
    assert float(growth) < max(1, 2**18 / times)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_thread_keeps_little_of_what_a_large_product_packed():
    printed = run("""
import resource
import numpy as np
import tilewise as tw

def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()

tw.set_num_threads(2)
a, b = np.ones((8, 5_000_000), np.float32), np.ones((5_000_000, 8), np.float32)
square = np.ones((2000, 2000)).T
out, large_out = np.ones((8, 8), np.float32), np.ones((2000, 2000))
before = resident()
for _ in range(2):
    tw.matmul(a, b, out=out)
    tw.matmul(a, np.asfortranarray(b), out=out)
    for strategy in tw.STRATEGIES[1:]:
        tw.matmul(square, square, out=large_out, strategy=strategy)
print(resident() - before)
""")
    assert int(printed) < 80 * 2**20, "two threads keep 32 MiB each at most"
