"""What the tests of rows that are read while the model trains share."""

import numpy as np

import tilewise as tw

N, D = 1000, 5
SMALL = 20_000  # bytes: about 300 rows a buffer

USED = """
import sys
import numpy as np
import tilewise as tw

def peak():  # not ru_maxrss, which a process inherits from the one that starts it
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024

tw.fit(np.ones((9, 2)), np.ones(9), learning_rate={rate!r})  # the first use loads code
{open}
before = peak()
tw.fit(rows, epochs=2, learning_rate={rate!r}, seed=0)
print(peak() - before)
"""


def sequential(X, y=None, **settings):
    return tw.fit(X, y, batch_size=7, epochs=2, sampling="sequential", seed=3, **settings)


def assert_same(one, other):
    np.testing.assert_array_equal(one.weights, other.weights)
    assert one.bias == other.bias
    assert one.examples[-1] == other.examples[-1]
