"""The machine: its CPU, what of it is used, and what it can do, measured once and kept."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tilewise import _core
from tilewise._validation import check_bool
from tilewise.cache_folder import cache_folder
from tilewise.hardware import available_isas, cpu_name, isa
from tilewise.limits import Limits, Measured, measure

__all__ = ["Machine", "machine"]


@dataclass(frozen=True)
class Machine:
    """A CPU, and what was measured of it.

    Attributes
    ----------
    cpu : str
        The name that the CPU gives itself, or "unknown".
    isa : str
        The instruction set in use.
    available_isas : tuple of str
        Those that the CPU can run, best first.
    cpus : int
        That the process may use: its affinity mask, cut to its cgroup's quota.
    l1, l2, l3 : int
        Bytes of the data caches that a core sees. A level that the system does not tell has a
        common size.
    one_core, all_cores : Limits
        Of one thread, and of a thread for each of `cpus`, all together.
    call_seconds : Measured
        The time of a call of `matmul` for two 2 x 2 matrices: the cost of one call from Python.
    date : str
        When it was measured: ISO 8601, in UTC.
    """

    cpu: str
    isa: str
    available_isas: tuple[str, ...]
    cpus: int
    l1: int
    l2: int
    l3: int
    one_core: Limits
    all_cores: Limits
    call_seconds: Measured
    date: str

    def figures(self) -> Iterator[tuple[str, Measured]]:
        """Yield what was measured, by attribute.

        Examples
        --------
        >>> import tilewise as tw
        >>> [name for name, figure in tw.machine().figures()][-2:]
        ['all_cores.read_memory', 'call_seconds']
        """
        for group in ("one_core", "all_cores"):
            for name, figure in vars(getattr(self, group)).items():
                yield f"{group}.{name}", figure
        yield "call_seconds", self.call_seconds


def machine(refresh: bool = False) -> Machine:
    """Return the CPU, what of it is used, and how fast it computes, reads and is called.

    Measuring takes about three seconds on all CPUs that the process may use. The figures are kept
    in the user's cache, for each CPU name, instruction set, number of CPUs, sizes of caches and
    version of tilewise. Where the cache cannot be written, each call measures.

    Parameters
    ----------
    refresh : bool, default False
        Measure again, and replace what was kept.

    Returns
    -------
    Machine

    Raises
    ------
    TypeError
        `refresh` is not a boolean.
    MemoryError
        There is no room for four times the last cache.

    Examples
    --------
    >>> import tilewise as tw
    >>> found = tw.machine()
    >>> found.isa == tw.isa(), found.one_core.fma_float32.median > 0
    (True, True)
    """
    check_bool("refresh", refresh)
    # The core reads its number once, but the affinity mask may have changed since.
    cpus = min(_core.usable_cpus(), len(os.sched_getaffinity(0)))
    facts: dict[str, Any] = {
        "cpu": cpu_name(),
        "isa": isa(),
        "available_isas": available_isas(),
        "cpus": cpus,
        **_core.caches(),
    }
    key = json.dumps({**facts, "tilewise": version("tilewise")})
    path = cache_folder() / f"machine-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
    kept = None if refresh else _read(path)
    found = Machine(**facts, **(kept or _measure(cpus)))
    if kept is None:
        with suppress(OSError):
            _write(path, json.dumps(asdict(found), indent=2) + "\n")
    return found


def _measure(cpus: int) -> dict[str, Any]:
    """Return the attributes of `Machine` that take time."""
    one_core, all_cores, call_seconds = measure(cpus)
    return {
        "one_core": one_core,
        "all_cores": all_cores,
        "call_seconds": call_seconds,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _read(path: Path) -> dict[str, Any] | None:
    """Return what `_measure` did, or None if there is no such file or anything is wrong with it."""
    try:
        content = json.loads(path.read_bytes())
        return {
            "one_core": _limits(content["one_core"]),
            "all_cores": _limits(content["all_cores"]),
            "call_seconds": Measured(**content["call_seconds"]),
            "date": datetime.fromisoformat(content["date"]).isoformat(timespec="seconds"),
        }
    except Exception:  # a damaged file can fail anywhere, and all of it can be measured again
        return None


def _limits(content: dict[str, dict[str, float]]) -> Limits:
    return Limits(**{name: Measured(**figure) for name, figure in content.items()})


def _write(path: Path, content: str) -> None:
    """Put the file there, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".unfinished-") as folder:
        unfinished = Path(folder, path.name)
        unfinished.write_text(content, encoding="utf-8")
        os.replace(unfinished, path)
