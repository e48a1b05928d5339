"""Numbers, times and counts as people read them."""

import numpy as np


def counted(number: int, noun: str) -> str:
    """Return a number of things.

    Examples
    --------
    >>> counted(1, "epoch"), counted(20, "epoch")
    ('1 epoch', '20 epochs')
    """
    return f"{number} {noun}{'s' * (number != 1)}"


def duration(seconds: float) -> str:
    """Return a time above 0 with three digits, in s, ms, us or ns.

    Examples
    --------
    >>> duration(2.0), duration(0.0000125)
    ('2 s', '12.5 us')
    """
    units = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
    unit = next((unit for unit, size in units.items() if seconds >= size), "ns")
    return f"{three_digits(seconds / units[unit])} {unit}"


def three_digits(number: float) -> str:
    """Return a number with three significant digits and without an exponent.

    Parameters
    ----------
    number : float

    Returns
    -------
    str

    Examples
    --------
    >>> three_digits(1234.5), three_digits(0.0000172)
    ('1230', '0.0000172')
    """
    return np.format_float_positional(number, precision=3, fractional=False, trim="-")
