"""The least time that the machine allows (Williams, Waterman, Patterson, CACM 52(4), 2009)."""

from typing import Any

from benchmarks.cases.case import DTYPES, Case


def least_seconds(limits: dict[str, Any], case: Case) -> float:
    """Return the longer of computing and reading; of reading alone for types without a peak.

    Computing is the operations over the multiply-adds that so many cores do in registers. Reading
    is the bytes, each moved once, over the bandwidth of the smallest level of cache that holds
    them.
    """

    def rate(name: str) -> float:
        one, most = (float(limits[cores][name]) for cores in ("one_core", "all_cores"))
        return 1e9 * (one if case.threads == 1 else min(case.threads * one, most))

    sizes = {"l1": limits["l1"] * case.threads, "l2": limits["l2"] * case.threads}
    sizes["l3"] = limits["l3"]
    level = next((name for name, size in sizes.items() if case.bytes <= size), "memory")
    computing = case.flops / rate(f"fma_{case.dtype}") if case.dtype in DTYPES else 0.0
    return float(max(case.bytes / rate(f"read_{level}"), computing))
