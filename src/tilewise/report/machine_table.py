"""What was measured of the machine as a table and sentences."""

from collections.abc import Iterator

from tilewise._format import counted, three_digits
from tilewise.hardware.limits import Measured
from tilewise.hardware.measured import Machine
from tilewise.report.table import Table

_LIMITS = {
    "fma_float32": ("FMA float32", "GFLOP/s"),
    "fma_float64": ("FMA float64", "GFLOP/s"),
    "read_l1": ("reading L1", "GB/s"),
    "read_l2": ("reading L2", "GB/s"),
    "read_l3": ("reading L3", "GB/s"),
    "read_memory": ("reading memory", "GB/s"),
}
_LARGE_SPREAD = 0.05


def _figures(machine: Machine) -> Iterator[tuple[str, str, int, Measured]]:
    """Yield the name, the unit, the threads and the figure of each row."""
    for threads, limits in ((1, machine.one_core), (machine.cpus, machine.all_cores)):
        for key, (name, unit) in _LIMITS.items():
            yield name, unit, threads, getattr(limits, key)
    call = Measured(*(seconds / 1e-9 for seconds in vars(machine.call_seconds).values()))
    yield "matmul 2 x 2", "ns a call", 1, call


def facts_sentence(machine: Machine) -> str:
    """Name the CPU, its instruction sets, what of it is used, and its caches."""
    levels = {"L1": machine.l1, "L2": machine.l2, "L3": machine.l3}
    caches = ", ".join(f"{name} {size / 1024:g} KiB" for name, size in levels.items())
    return (
        f"{machine.cpu}: {counted(machine.cpus, 'CPU')} that this process may use. Its instruction "
        f"sets: {', '.join(machine.available_isas)}; in use: {machine.isa}. The caches that a core "
        f"sees: {caches}."
    )


def of_machine(machine: Machine) -> Table:
    """Return the table of what the machine does at most."""
    rows = []
    for name, unit, threads, figure in _figures(machine):
        found = {key: three_digits(number) for key, number in vars(figure).items()}
        quartiles = f"{found['low']} to {found['high']}"
        rows.append([f"{name}, {unit}", str(threads), found["best"], found["median"], quartiles])
    return Table(
        "What this machine does at most",
        ["limit", "threads", "best", "median", "quartiles"],
        rows,
        "Best, median and quartiles of short measurements, on one thread and on one for each CPU; "
        "the best is the limit, since other programs only ever slow one down. FMA: multiply-adds "
        "in registers, two operations each. A cache is read with data that the one below it cannot "
        "hold, memory with four times the last cache. The last line is what one call from Python "
        f"costs. Last measured {machine.date}; `tilewise machine --refresh` forgets these figures "
        "and measures again.",
    )


def spread_sentence(machine: Machine) -> str:
    """Name the figures whose quartiles lie far apart; empty if there are none."""
    wide = [
        f"{name} on {counted(threads, 'thread')} ({100 * figure.spread:.0f} %)"
        for name, _, threads, figure in _figures(machine)
        if figure.spread > _LARGE_SPREAD
    ]
    if not wide:
        return ""
    return (
        f"Half the distance of the quartiles is more than {100 * _LARGE_SPREAD:.0f} % of the "
        f"median in {', '.join(wide)}. Other programs may be the reason: measure again when the "
        "machine is idle."
    )
