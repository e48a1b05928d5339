"""The CPU, the instruction set in use and the versions that a result depends on."""

import platform

import numpy as np
from numpy.typing import DTypeLike

from tilewise import _core
from tilewise._checks import check_float_dtype, check_int, check_positive
from tilewise._threads import get_num_threads

_MOST_SECONDS = 60  # a measurement cannot be interrupted


def isa() -> str:
    """Return the instruction set in use: ``'avx512'``, ``'avx2'`` or ``'portable'``.

    It is the best that the CPU can run, or the one that the environment variable ``TILEWISE_ISA``
    named at import.

    Returns
    -------
    str
        Name of the instruction set.

    Examples
    --------
    >>> import tilewise as tw
    >>> tw.isa() in tw.available_isas()
    True
    """
    return _core.isa()


def available_isas() -> tuple[str, ...]:
    """Return the instruction sets that this CPU can run, best first.

    Returns
    -------
    tuple of str
        Names of the instruction sets.

    Examples
    --------
    >>> import tilewise as tw
    >>> tw.available_isas()[-1]
    'portable'
    """
    return _core.available_isas()


def cpu_name() -> str:
    """Return the name that the CPU gives itself, or ``'unknown'``.

    Returns
    -------
    str
        Name of the CPU.

    Examples
    --------
    >>> import tilewise as tw
    >>> len(tw.hardware.cpu_name()) > 0
    True
    """
    return _core.cpu_name()


def fma_gflops(dtype: DTypeLike = np.float32, seconds: float = 0.05) -> float:
    """Measure the multiply-adds that one core does in registers, in GFLOP/s: the limit of `matmul`.

    Parameters
    ----------
    dtype : dtype, default float32
        Data type of the numbers, float32 or float64.
    seconds : float, default 0.05
        How long to measure.

    Returns
    -------
    float
        Speed with the instruction set in use, at two operations a multiply-add.

    Examples
    --------
    >>> import tilewise as tw
    >>> tw.hardware.fma_gflops(seconds=0.001) > 0
    True
    """
    return _core.peak_fma(check_float_dtype(dtype), _check_seconds(seconds))


def read_gbytes(size: int, threads: int = 1, seconds: float = 0.05) -> float:
    """Measure how fast memory of some size is read again and again, in GB/s.

    A size below that of a cache gives the bandwidth of this cache; one of several times the last
    cache that of the memory: the limit of products that use each number once or twice, and of SGD.

    Parameters
    ----------
    size : int
        Bytes that each thread reads, one inner product of their two halves a turn.
    threads : int, default 1
        At most those of `tilewise.set_num_threads`.
    seconds : float, default 0.05
        How long to measure.

    Returns
    -------
    float
        Bandwidth of all threads together, in 1e9 bytes a second.

    Raises
    ------
    MemoryError
        There is no room for so many bytes.

    Examples
    --------
    >>> import tilewise as tw
    >>> tw.hardware.read_gbytes(2**14, seconds=0.001) > 0
    True
    """
    size = check_int("size", size, minimum=4096)
    threads = check_int("threads", threads, maximum=get_num_threads())
    seconds = _check_seconds(seconds)
    try:
        return _core.read_gbytes(size, threads, seconds)
    except MemoryError:
        raise MemoryError(f"size={size} bytes cannot be had {threads} times; give less") from None


def _check_seconds(seconds: float) -> float:
    seconds = check_positive("seconds", seconds)
    if seconds > _MOST_SECONDS:
        raise ValueError(f"seconds={seconds} is above {_MOST_SECONDS:g}; give less")
    return seconds


def show_config() -> None:
    """Print the CPU, the instruction sets, the caches and the versions.

    Examples
    --------
    >>> import tilewise as tw
    >>> tw.show_config()  # doctest: +ELLIPSIS
    CPU                 ...
    Instruction set     ...
    """
    caches = _core.caches()
    rows = {
        "CPU": cpu_name(),
        "Instruction set": f"{isa()} (this CPU can run: {', '.join(available_isas())})",
        "Threads": f"at most {get_num_threads()} (usable CPUs: {_core.usable_cpus()})",
        "Caches": ", ".join(f"{name.upper()} {size // 1024} KiB" for name, size in caches.items()),
        "NumPy": np.__version__,
        "Python": platform.python_version(),
    }
    for name, value in rows.items():
        print(f"{name:<20}{value}")
