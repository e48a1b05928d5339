"""Cases of a run as tables in Markdown, from its record alone."""

import statistics
from collections.abc import Callable
from typing import Any

from benchmarks.model import best, least_seconds, level, of_peak
from benchmarks.products import DTYPES
from benchmarks.rival import OURS

Record = dict[str, Any]
Case = dict[str, Any]

_UNSTEADY = 0.05


def products(record: Record, cases: list[Case]) -> str:
    """Return rates of tilewise, and the times of rivals over its own."""

    def cells(case: Case) -> list[str]:
        ours, part = case["results"][OURS], of_peak(record, case, OURS)
        waits = level(record["limits"], case) == "memory"
        peak = "" if part is None else f"{part:.0%}"
        return [f"{ours['gflops']:.3g}", peak, f"{ours['gbytes']:.3g}" if waits else ""]

    return _beside_rivals(record, cases, ["GFLOP/s", "of peak", "GB/s"], cells)


def epochs(record: Record, cases: list[Case]) -> str:
    """Return microseconds of tilewise for an epoch, and the times of rivals over its own."""

    def cells(case: Case) -> list[str]:
        ours = case["results"][OURS]
        return [digits(1e6 * ours["seconds"], 4), digits(ours["gbytes"])]

    return _beside_rivals(record, cases, ["us an epoch", "GB/s"], cells)


def _beside_rivals(
    record: Record, cases: list[Case], header: list[str], cells: Callable[[Case], list[str]]
) -> str:
    names = [name for name in record["contestants"] if any(name in c["results"] for c in cases)]
    rivals = [name for name in names if name != OURS]
    mixed = len(dtypes(cases)) > 1
    rows = [
        [_name(case, with_dtype=mixed), *cells(case), of_model(record, case), spread(case)]
        + [ratio(case["results"].get(name)) for name in rivals]
        for case in cases
    ]
    return table(["Case", *header, "of model", "Spread", *rivals], rows)


def dtypes(cases: list[Case]) -> list[str]:
    """Return those of the cases, each once."""
    return list(dict.fromkeys(case["dtype"] for case in cases))


def _name(case: Case, *, with_dtype: bool) -> str:
    return f"{case['name']}, {case['dtype']}" if with_dtype else str(case["name"])


def growth(record: Record, cases: list[Case], what: str, value: Callable[[Case], int]) -> str:
    """Return the times of tilewise against one quantity, beside the model."""
    mixed = len(dtypes(cases)) > 1
    rows = [
        [
            f"{value(case):,}",
            _name(case, with_dtype=mixed),
            digits(1e6 * case["results"][OURS]["seconds"], 4),
            digits(1e6 * least_seconds(record, case), 4),
            of_model(record, case),
            level(record["limits"], case),
        ]
        for case in cases
    ]
    return table([what, "Case", "us", "us of the model", "of model", "fits in"], rows)


def contestants(record: Record) -> str:
    """Return who took part, in which versions, with which kernels and settings."""
    rows = [
        [name, about["version"], about["kernels"], _cpus(record, name), about["settings"]]
        for name, about in record["contestants"].items()
    ]
    return table(["Name", "Version", "Kernels", "CPUs busy", "Settings, and why"], rows)


def _cpus(record: Record, name: str) -> str:
    """Return how many CPUs were busy, the median of the cases, for each number of threads."""
    busy: dict[int, list[float]] = {}
    for case in record["cases"]:
        if (figures := case["results"].get(name)) is not None:
            busy.setdefault(case["threads"], []).append(figures["cpus"])
    medians = {threads: statistics.median(cpus) for threads, cpus in sorted(busy.items())}
    return ", ".join(f"{cpus:.1f} of {threads}" for threads, cpus in medians.items())


def limits(record: Record) -> str:
    """Return what the machine can do at most."""
    one, every = record["limits"]["one_core"], record["limits"]["all_cores"]
    rows = [
        [name.replace("_", " "), f"{best(one[name]):.1f}", f"{best(every[name]):.1f}"]
        for name in one
        if name.startswith("read")
    ]
    peaks = [[f"fma {dtype}", f"{peak:.1f}", ""] for dtype, peak in record["peaks"].items()]
    return table(["Limit, GFLOP/s or GB/s", "one core", "all cores"], [*peaks, *rows])


def losses(record: Record) -> list[str]:
    """Return a line for each rival that was faster than tilewise, most first."""
    found = [
        (figures["ratio"], f"{case['key']}: {name} takes {figures['ratio']:.2f} of the time")
        for case in record["cases"]
        for name, figures in case["results"].items()
        if figures["ratio"] < 1
    ]
    return [line for _, line in sorted(found)]


def of_model(record: Record, case: Case) -> str:
    """Return the least time that the machine allows over that of tilewise.

    Blank without a peak: that of reading alone is less than the least.
    """
    if case["dtype"] not in DTYPES:
        return ""
    return f"{least_seconds(record, case) / case['results'][OURS]['seconds']:.0%}"


def spread(case: Case) -> str:
    """Return half the distance of the outer quartiles of the visits over the median."""
    return f"{_spread(case):.1%}"


def agreement(found: dict[str, Any]) -> str:
    """Return in words how far two runs agree."""
    (times, cases), (ratios, compared) = found["times"], found["ratios"]
    return (
        f"{ratios} of {compared} ratios and {times} of {cases} times of tilewise agree, within "
        f"their quartiles and 5 %, with the run of {found['when']}, commit {found['commit']}"
    )


def unsteady(cases: list[Case]) -> str:
    """Return the share of the cases of which the spread is above 5 %."""
    return f"{statistics.mean(_spread(case) > _UNSTEADY for case in cases):.0%}"


def _spread(case: Case) -> float:
    ours = case["results"][OURS]
    return float((ours["q3"] - ours["q1"]) / 2 / ours["seconds"])


def ratio_spreads(cases: list[Case]) -> str:
    """Return in words what the spreads of the ratios are, where the run has them."""
    spreads = sorted(
        (figures["ratio_q3"] - figures["ratio_q1"]) / 2 / figures["ratio"]
        for case in cases
        for name, figures in case["results"].items()
        if name != OURS and "ratio_q1" in figures
    )
    if not spreads:
        return ""
    half, most = (spreads[int(share * len(spreads))] for share in (0.5, 0.9))
    return f"That of a ratio is at most {half:.1%} in half of them, {most:.1%} in nine of ten. "


def ratio(figures: dict[str, float] | None) -> str:
    """Return a rival's time over that of tilewise, in bold where the rival is faster."""
    if figures is None:
        return ""
    text = digits(figures["ratio"]) if figures["ratio"] >= 10 else f"{figures['ratio']:.2f}"
    return f"**{text}**" if figures["ratio"] < 1 else text


def digits(number: float, count: int = 3) -> str:
    """Return a number with so many significant digits, and without an exponent."""
    return f"{float(f'{number:.{count}g}'):,.10g}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
