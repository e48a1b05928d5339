"""What is measured of the machine: figures without bounds, since no test measures time."""

import pytest

import tilewise as tw


@pytest.mark.parametrize("size", [4096, 2**16, 3 * 2**20])
@pytest.mark.parametrize("threads", [1, 2])
def test_read_gbytes(size, threads):
    with tw.threads(2):
        assert 0 < tw.hardware.read_gbytes(size, threads, seconds=1e-3) < 1e5


def test_fma_gflops():
    assert 0 < tw.hardware.fma_gflops("float64", seconds=1e-3) < 1e5


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((100,), ValueError, "size=100 is below 4096"),
        ((4096, 0), ValueError, "threads=0 is below 1"),
        ((4096, 5), ValueError, "threads=5 is above 2"),
        ((4096, 1, 0.0), ValueError, "seconds=0.0"),
        ((4096.0,), TypeError, "size=4096.0"),
        ((2**60,), MemoryError, f"size={2**60} bytes cannot be had"),
        ((4096, 1, 1e9), ValueError, "seconds=1000000000.0 is above 60"),
    ],
)
def test_wrong_arguments_of_read_gbytes(arguments, error, message):
    with tw.threads(2), pytest.raises(error, match=message):
        tw.hardware.read_gbytes(*arguments)
