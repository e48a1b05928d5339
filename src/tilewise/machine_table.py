"""What was measured of the machine as a table and a sentence."""

from tilewise.limits import Measured
from tilewise.machine import Machine
from tilewise.tables import Table, three_digits

__all__ = ["of_machine", "spread_sentence"]

_ROWS = {
    "fma_float32": "FMA float32, GFLOP/s",
    "fma_float64": "FMA float64, GFLOP/s",
    "read_l1": "reading L1, GB/s",
    "read_l2": "reading L2, GB/s",
    "read_l3": "reading L3, GB/s",
    "read_memory": "reading memory, GB/s",
}
_CALL = "call of matmul 2 x 2, ns"
_LARGE_SPREAD = 0.05


def of_machine(machine: Machine) -> Table:
    """Return the table of what the machine does at most.

    Parameters
    ----------
    machine : Machine

    Returns
    -------
    Table
    """
    one, every = vars(machine.one_core), vars(machine.all_cores)
    rows = [[name, *_cells(one[key]), *_cells(every[key])] for key, name in _ROWS.items()]
    rows.append([_CALL, *_cells(machine.call_seconds, unit=1e-9), "-", "-"])
    return Table(
        "What this machine does at most",
        ["", "one core", "quartiles", f"all CPUs ({machine.cpus})", "quartiles"],
        rows,
        "Medians and quartiles of short measurements. FMA: multiply-adds in registers, two "
        "operations each. A cache is read with data that the one below it cannot hold, memory with "
        "four times the last cache. "
        f"Measured {machine.date}; `tilewise machine --refresh` measures again.",
    )


def spread_sentence(machine: Machine) -> str:
    """Name the figures whose quartiles lie far apart; empty if there are none.

    Parameters
    ----------
    machine : Machine

    Returns
    -------
    str
    """
    wide = [
        f"{name} ({100 * figure.spread:.0f} %)"
        for name, figure in machine.figures()
        if figure.spread > _LARGE_SPREAD
    ]
    if not wide:
        return ""
    return (
        f"Half the distance of the quartiles is more than {100 * _LARGE_SPREAD:.0f} % of the "
        f"median in {', '.join(wide)}. Other programs may be the reason: measure again when the "
        "machine is idle."
    )


def _cells(figure: Measured, unit: float = 1.0) -> list[str]:
    median, low, high = (
        three_digits(number / unit) for number in (figure.median, figure.low, figure.high)
    )
    return [median, f"{low} to {high}"]
