"""The least time that the machine allows: the model of the design, beside which all is set."""

from typing import Any

from benchmarks.products import DTYPES


def least_seconds(record: dict[str, Any], case: dict[str, Any]) -> float:
    """Return the longer of computing and reading.

    Computing is the operations over the multiply-adds that so many cores do in registers. Reading
    is the bytes, each moved once, over the bandwidth of the smallest level of cache that holds
    what is met again and again. (Williams, Waterman, Patterson: Roofline, CACM 52(4), 2009.)

    Parameters
    ----------
    record : dict
        Of the run: its peaks and limits.
    case : dict
        One of its cases. Integers and float16 have no peak here, so that only reading counts.
    """
    reading = case["bytes"] / (1e9 * read_gbytes(record["limits"], case))
    if case["dtype"] not in DTYPES:
        return reading
    return max(reading, case["flops"] / (1e9 * record["peaks"][case["dtype"]] * case["threads"]))


def level(limits: dict[str, Any], case: dict[str, Any]) -> str:
    """Return the smallest cache that holds the case: "l1", "l2" or "l3", or else "memory"."""
    threads = case["threads"]
    sizes = {"l1": limits["l1"] * threads, "l2": limits["l2"] * threads, "l3": limits["l3"]}
    return next((name for name, size in sizes.items() if case["working_set"] <= size), "memory")


def read_gbytes(limits: dict[str, Any], case: dict[str, Any]) -> float:
    """Return the bandwidth there, of the threads of the case: at most that of all cores."""
    name = f"read_{level(limits, case)}"
    one, most = (limits[cores][name]["median"] for cores in ("one_core", "all_cores"))
    return float(one if case["threads"] == 1 else min(case["threads"] * one, most))


def of_peak(record: dict[str, Any], case: dict[str, Any], contestant: str) -> float | None:
    """Return the part of the peak of so many cores that a contestant reaches."""
    if case["dtype"] not in DTYPES:
        return None
    peak = record["peaks"][case["dtype"]] * case["threads"]
    return float(case["results"][contestant]["gflops"] / peak)
