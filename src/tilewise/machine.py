"""The CPU, the instruction set in use and the versions that a result depends on."""

import platform

import numpy as np

from tilewise import _core

__all__ = ["available_isas", "cpu_name", "isa", "show_config"]


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
