"""The least time that the machine allows (Williams, Waterman, Patterson, CACM 52(4), 2009)."""

from typing import Any

from benchmarks.cases.case import DTYPES, Case


def least_seconds(limits: dict[str, Any], case: Case) -> float:
    """Return the longer of computing and reading; of reading alone for types without a peak.

    Computing is the operations over the multiply-adds that so many cores do in registers. Reading
    is the bytes, each moved once, over the bandwidth of the smallest level of cache that holds
    what is met again and again.
    """
    reading = float(case.bytes / (1e9 * rate(limits, f"read_{level(limits, case)}", case.threads)))
    if case.dtype not in DTYPES:
        return reading
    return max(reading, case.flops / (1e9 * rate(limits, f"fma_{case.dtype}", case.threads)))


def level(limits: dict[str, Any], case: Case) -> str:
    """Return the smallest cache that holds the case: "l1", "l2" or "l3", or else "memory"."""
    sizes = {"l1": limits["l1"] * case.threads, "l2": limits["l2"] * case.threads}
    sizes["l3"] = limits["l3"]
    return next((name for name, size in sizes.items() if case.working_set <= size), "memory")


def rate(limits: dict[str, Any], name: str, threads: int) -> float:
    """Return what so many threads reach: as many times one core's, at most that of all cores."""
    one, most = (float(limits[cores][name]) for cores in ("one_core", "all_cores"))
    return one if threads == 1 else min(threads * one, most)
