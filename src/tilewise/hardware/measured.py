"""The machine: its CPU, what of it is used, and what it can do, measured once and kept."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tilewise import _core
from tilewise._checks import check_bool
from tilewise._files import outputs
from tilewise.hardware.facts import available_isas, cpu_name, isa
from tilewise.hardware.limits import Limits, Measured, measure


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
        Instruction sets that the CPU can run, best first.
    cpus : int
        CPUs that the process may use: its affinity mask, cut to its cgroup's quota.
    l1, l2, l3 : int
        Bytes of the data caches that a core sees. A level that the system does not tell has a
        common size.
    one_core, all_cores : Limits
        Limits of one thread, and of a thread for each of `cpus`, all together.
    call_seconds : Measured
        The time of a call of `matmul` for two 2 x 2 matrices: the cost of one call from Python.
    date : str
        When it was last measured: ISO 8601, in UTC.
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

        Yields
        ------
        name : str
            Path of the attribute, such as "one_core.read_l1".
        figure : Measured
            What was measured.

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

    Measuring takes about three seconds on all CPUs that the process may use, and longer where the
    last cache has hundreds of MiB. The figures are kept in the user's cache, for each CPU name,
    instruction set, number of CPUs, sizes of caches and version of tilewise. Where the cache cannot
    be written, each call measures.

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
    facts = _facts()
    kept = None if refresh else _read(facts)
    return kept or _measured(facts)


def measured_again() -> Machine:
    """Measure, keep and return the faster of each figure: that just measured, or that kept before.

    So figures of a busy machine do not take the place of those of a quiet one, and what ran faster
    than ever before raises its limit.
    """
    facts = _facts()
    return _measured(facts, _read(facts))


def _facts() -> dict[str, Any]:
    """Return the attributes of `Machine` that take no time."""
    return {
        "cpu": cpu_name(),
        "isa": isa(),
        "available_isas": available_isas(),
        # The core reads its number once, but the affinity mask may have changed since.
        "cpus": min(_core.usable_cpus(), len(os.sched_getaffinity(0))),
        **_core.caches(),
    }


def _measured(facts: dict[str, Any], kept: Machine | None = None) -> Machine:
    """Measure; keep and return that, or the faster of each figure of that and of `kept`."""
    one_core, all_cores, call_seconds = measure(facts["cpus"])
    if kept is not None:
        one_core = one_core.or_faster(kept.one_core)
        all_cores = all_cores.or_faster(kept.all_cores)
        call_seconds = min(call_seconds, kept.call_seconds, key=lambda time: time.best)
    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    found = Machine(
        **facts, one_core=one_core, all_cores=all_cores, call_seconds=call_seconds, date=date
    )
    path = _path(facts)  # whole or not at all; where it cannot be written, each call measures
    with suppress(OSError), outputs(path.parent, [path.name], force=True) as unfinished:
        text = json.dumps(asdict(found), indent=2) + "\n"
        (unfinished / path.name).write_text(text, encoding="utf-8")
    return found


def _path(facts: dict[str, Any]) -> Path:
    key = json.dumps({**facts, "tilewise": version("tilewise")})
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    name = f"machine-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
    return Path(cache, "tilewise", name)


def _read(facts: dict[str, Any]) -> Machine | None:
    """Return what was kept, or None if there is no such file or anything is wrong with it."""
    try:
        content = json.loads(_path(facts).read_bytes())
        return Machine(
            **facts,
            one_core=_limits(content["one_core"]),
            all_cores=_limits(content["all_cores"]),
            call_seconds=Measured(**content["call_seconds"]),
            date=datetime.fromisoformat(content["date"]).isoformat(timespec="seconds"),
        )
    except Exception:  # a damaged file can fail anywhere, and all of it can be measured again
        return None


def _limits(content: dict[str, dict[str, float]]) -> Limits:
    return Limits(**{name: Measured(**figure) for name, figure in content.items()})
