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
    return max(reading, case["flops"] / (1e9 * peak(record, case)))


def level(limits: dict[str, Any], case: dict[str, Any]) -> str:
    """Return the smallest cache that holds the case: "l1", "l2" or "l3", or else "memory"."""
    threads = case["threads"]
    sizes = {"l1": limits["l1"] * threads, "l2": limits["l2"] * threads, "l3": limits["l3"]}
    return next((name for name, size in sizes.items() if case["working_set"] <= size), "memory")


def read_gbytes(limits: dict[str, Any], case: dict[str, Any]) -> float:
    """Return the bandwidth there, of the threads of the case: at most that of all cores."""
    name = f"read_{level(limits, case)}"
    one, most = (best(limits[cores][name]) for cores in ("one_core", "all_cores"))
    return one if case["threads"] == 1 else min(case["threads"] * one, most)


def peak(record: dict[str, Any], case: dict[str, Any]) -> float:
    """Return the GFLOP/s of its threads: as many times one core's as all cores do, at most.

    That of one core is the greatest of the run, which met more of its clocks than the limits did.
    """
    name = f"fma_{case['dtype']}"
    one, most = (best(record["limits"][cores][name]) for cores in ("one_core", "all_cores"))
    times = 1 if case["threads"] == 1 else min(case["threads"], most / one)
    return float(record["peaks"][case["dtype"]] * times)


def best(figure: dict[str, float]) -> float:
    """Return the greatest of what was measured of a limit."""
    return float(figure.get("best", figure["high"]))


def of_peak(record: dict[str, Any], case: dict[str, Any], contestant: str) -> float | None:
    """Return the part of the peak of so many cores that a contestant reaches."""
    if case["dtype"] not in DTYPES:
        return None
    return float(case["results"][contestant]["gflops"] / peak(record, case))
