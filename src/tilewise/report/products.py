"""The sections of the ways to compute a matrix product, and of what the machine allows them."""

from tilewise import plots
from tilewise._format import three_digits
from tilewise.experiments.products import StrategyResult
from tilewise.experiments.published import PUBLISHED_GFLOPS
from tilewise.report.results import Results
from tilewise.report.section import Section
from tilewise.report.table import Table


def strategies(results: Results) -> Section:
    """Return the section of the strategies at one size, beside what d2l.ai prints."""
    measured = results.strategies
    fast = max(measured, key=lambda result: result.gflops)
    slow = min(measured, key=lambda result: result.gflops)
    n = fast.n
    title = f"Product of two {n} x {n} matrices, {fast.dtype}, in GFLOP/s"
    rows = [
        [
            result.name,
            three_digits(result.gflops),
            *(published.get(result.name, "-") for published in PUBLISHED_GFLOPS.values()),
        ]
        for result in measured
    ]
    return Section(
        title="Ways to compute a matrix product",
        names={
            "element": "one element of the product at a time: a row of the first matrix times a "
            "column of the second, whose numbers lie far apart in memory",
            "row": "one row at a time: a row of the first matrix times all of the second",
            "column": "one column at a time: all of the first matrix times a column of the second",
            "block": "some columns at a time, in tiles that stay in the registers",
            "full": "tiles, from blocks that stay in the caches: what tilewise.matmul does unless "
            "told otherwise",
            "numpy": "numpy.matmul, as NumPy is installed here",
        },
        draw=lambda: plots.strategies(measured),
        picture_title=title,
        caption="All do the same arithmetic in another order. The fastest was "
        f"{fast.name} with {three_digits(fast.gflops)} GFLOP/s, the slowest {slow.name} with "
        f"{three_digits(slow.gflops)}.",
        table=Table(
            title,
            ["strategy", "here", *(f"{framework}*" for framework in PUBLISHED_GFLOPS)],
            rows,
            f"Here: 2 n^3 = {2 * n**3:,} operations over the median time, all on one thread; "
            "NumPy is as installed. * As printed in d2l.ai, section 12.5, which divides 0.03 "
            "GFLOP by the time where the true count for n = 256 is 0.03355, on another "
            "machine.",
        ),
    )


def size_sweep(results: Results) -> Section:
    """Return the section of the strategies at several sizes, with the best size of each."""
    peaks: dict[str, StrategyResult] = {}
    for result in results.size_sweep:
        if result.name not in peaks or result.gflops > peaks[result.name].gflops:
            peaks[result.name] = result
    found = ", ".join(f"{name} at n = {result.n}" for name, result in peaks.items())
    speeds = {(result.n, result.name): three_digits(result.gflops) for result in results.size_sweep}
    rows = [
        [str(n), *(speeds[n, name] for name in peaks)] for n in dict.fromkeys(n for n, _ in speeds)
    ]
    return Section(
        title="The same at several sizes",
        draw=lambda: plots.size_sweep(results.size_sweep),
        picture_title="Product of two n x n matrices, float32",
        caption="Each line against itself shows what size costs. Of these sizes, fastest were "
        f"{found}.",
        table=Table(
            "Strategies by size",
            ["n", *peaks],
            rows,
            "GFLOP/s of the product of two n x n matrices in float32, on one thread.",
        ),
    )


def roofline(results: Results) -> Section:
    """Return the section of the fastest points beside the limits, with what no limit allows."""
    machine, points = results.limits, results.roofline
    best = {name: figure.best for name, figure in vars(machine.one_core).items()}
    peak = best["fma_float32"]
    steepest = max(rate for name, rate in best.items() if name.startswith("read_"))
    fast = max(points, key=lambda point: point.gflops)
    above = [
        f"{point.series} at {point.name}"
        for point in points
        if point.gflops > min(peak, steepest * point.flops_per_byte)
    ]
    warning = (
        f" Above the lines: {'; '.join(above)}. The machine was busy when the lines were measured, "
        "or its clock slower; run the report again alone."
    )
    rows = [
        [point.series, point.name, three_digits(point.flops_per_byte), three_digits(point.gflops)]
        for point in points
    ]
    return Section(
        title="What the machine allows",
        draw=lambda: plots.roofline(machine, points),
        picture_title="One core, float32",
        caption="The flat line is the most that multiply-adds alone have reached on one core, the "
        "sloping ones the most that reading alone has, from each cache and from memory. Where "
        "several names stand below one another, the fastest is at the top. The fastest point, "
        f"{fast.series} at {fast.name}, has {100 * fast.gflops / peak:.0f} % of the "
        f"{three_digits(peak)} GFLOP/s of the flat line, which the line of the memory meets at "
        f"{three_digits(peak / best['read_memory'])} operations a byte.{warning if above else ''}",
        table=Table(
            "Points of the roofline",
            ["what", "on", "flop / byte", "GFLOP/s"],
            rows,
            "Operations over the bytes that must be moved at least: those of three matrices, "
            "or of the features of all rows once an epoch.",
            names=2,
        ),
    )


def frameworks(results: Results) -> Section:
    """Return the section of the loops in Python, with what an element costs in each framework."""
    loops, published = results.frameworks, PUBLISHED_GFLOPS["MXNet"]
    n = loops[0].n
    costs = [
        f"{loop.framework} {three_digits(loop.seconds / n**2 * 1e6)}"
        for loop in loops
        if loop.strategy == "element"
    ]
    speeds = {(loop.framework, loop.strategy): three_digits(loop.gflops) for loop in loops}
    ways = list(dict.fromkeys(loop.strategy for loop in loops))
    rows = [
        [name, *(speeds[name, way] for way in ways)]
        for name in dict.fromkeys(loop.framework for loop in loops)
    ]
    return Section(
        title="The same as loops in Python",
        draw=lambda: plots.frameworks(loops),
        picture_title=f"Product of two {n} x {n} matrices, float32",
        caption=f"The three matrices take {3 * 4 * n**2 / 1024:g} KiB together; tilewise loops in "
        "C++, the others in Python. Microseconds for one element, element by element: "
        f"{'; '.join(costs)}.",
        table=Table(
            "Loops in Python",
            ["framework", *ways],
            [*rows, ["MXNet*", *(published[way] for way in ways)]],
            f"GFLOP/s of the product of two {n} x {n} matrices in float32; the loop of "
            "tilewise is in C++. In Python a block has a quarter of the rows and of the "
            "columns. * As printed in d2l.ai, section 12.5, for n = 256 on another machine.",
        ),
    )


SECTIONS = (strategies, size_sweep, roofline, frameworks)
