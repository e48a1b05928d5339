"""The CPU, the instruction set in use and the versions that a result depends on."""

import platform

import numpy as np

from tilewise import _core
from tilewise._core import available_isas, cpu_name, isa

__all__ = ["available_isas", "cpu_name", "isa", "show_config"]


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
