"""The CPU, the instruction set in use and the versions that a result depends on."""

import platform

import numpy as np
from numpy.typing import DTypeLike

from tilewise import _core
from tilewise._validation import check_float_dtype, check_rate

__all__ = ["available_isas", "cpu_name", "fma_gflops", "isa", "show_config"]


def isa() -> str:
    """Return the instruction set in use: ``'avx512'``, ``'avx2'`` or ``'portable'``.

    It is the best that the CPU can run, or the one that the environment variable ``TILEWISE_ISA``
    named at import.

    Examples
    --------
    >>> import tilewise as tw
    >>> tw.isa() in tw.available_isas()
    True
    """
    return _core.isa()


def available_isas() -> tuple[str, ...]:
    """Return the instruction sets that this CPU can run, best first.

    Examples
    --------
    >>> import tilewise as tw
    >>> tw.available_isas()[-1]
    'portable'
    """
    return _core.available_isas()


def cpu_name() -> str:
    """Return the name that the CPU gives itself, or ``'unknown'``.

    Examples
    --------
    >>> import tilewise as tw
    >>> len(tw.machine.cpu_name()) > 0
    True
    """
    return _core.cpu_name()


def fma_gflops(dtype: DTypeLike = np.float32, seconds: float = 0.05) -> float:
    """Measure the multiply-adds that one core does in registers, in GFLOP/s: the limit of `matmul`.

    Parameters
    ----------
    dtype : dtype, default float32
        float32 or float64.
    seconds : float, default 0.05
        How long to measure.

    Returns
    -------
    float
        With the instruction set in use, two operations a multiply-add.

    Examples
    --------
    >>> import tilewise as tw
    >>> tw.machine.fma_gflops(seconds=0.001) > 0
    True
    """
    single = check_float_dtype(dtype).type is np.float32
    measure = _core.fma_gflops_float32 if single else _core.fma_gflops_float64
    return measure(check_rate("seconds", seconds))


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
        "Caches": ", ".join(f"{name.upper()} {size // 1024} KiB" for name, size in caches.items()),
        "NumPy": np.__version__,
        "Python": platform.python_version(),
    }
    for name, value in rows.items():
        print(f"{name:<20}{value}")
