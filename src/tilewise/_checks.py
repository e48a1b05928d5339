"""Checks of arguments. An error names the argument, its value and the remedy, in one line."""

import operator
import reprlib
import secrets
from collections.abc import Iterable
from dataclasses import fields
from functools import cache
from numbers import Real
from typing import Any

import numpy as np
import numpy.ma  # now: at the first fit, a thread could fork while it holds the import's lock
from numpy.typing import ArrayLike, DTypeLike, NDArray

Array = NDArray[Any]

INT64_MAX = 2**63 - 1
UINT64_MAX = 2**64 - 1


def check_fields(record: Any) -> None:
    """Replace the values of a dataclass by what the checks in its fields' metadata return.

    A value that is the default itself is not looked at: it would stay.
    """
    values = vars(record)
    for name, check, default in _checked_fields(record.__class__):
        if (value := values[name]) is not default:
            values[name] = check(name, value)  # not by setattr: the dataclass may be frozen


@cache
def _checked_fields(kind: type) -> list[tuple[str, Any, Any]]:
    """Return name, check and default of each field that has a check."""
    checked = [field for field in fields(kind) if "check" in field.metadata]
    return [(field.name, field.metadata["check"], field.default) for field in checked]


def check_int(name: str, value: Any, *, minimum: int = 1, maximum: int = INT64_MAX) -> int:
    """Return an integer of at least `minimum` and at most `maximum`; booleans are not integers."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(
            f"{name}={_shown(value)} is not an integer; give an int of at least {minimum}"
        )
    if number < minimum:
        raise ValueError(f"{name}={number} is below {minimum}; give at least {minimum}")
    if number > maximum:
        raise ValueError(f"{name}={number} is above {maximum}; give at most {maximum}")
    return number


def check_seed(seed: Any) -> int:
    """Return a seed of 64 bits: the one given, or a fresh one for None."""
    if seed is None:
        return secrets.randbits(64)
    return check_int("seed", seed, minimum=0, maximum=UINT64_MAX)


def check_choice(name: str, value: Any, choices: Iterable[str]) -> None:
    """Raise unless the value is one of the strings."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name}={_shown(value)} is unknown; choose one of {', '.join(choices)}")


def check_bool(name: str, value: Any) -> bool:
    """Return True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name}={_shown(value)} is not a boolean; give True or False")
    return bool(value)


def check_callables(name: str, values: Any) -> tuple[Any, ...]:
    """Return a tuple of callables."""
    if not isinstance(values, Iterable):
        raise TypeError(f"{name}={_shown(values)} is not a sequence; give a list")
    listed = tuple(values)
    for i, value in enumerate(listed):
        if not callable(value):
            raise TypeError(f"{name}[{i}]={_shown(value)} is not callable; give a function")
    return listed


def check_positive(
    name: str, value: Any, dtype: DTypeLike | None = None, *, or_zero: bool = False
) -> float:
    """Return a float that is finite and above 0, or 0 or more, in `dtype` too."""
    number = check_real(name, value)
    if or_zero and number == 0:
        return number
    smallest, largest = _limits(np.dtype(dtype or np.float64))
    if not (0.0 if or_zero else smallest) <= number <= largest:
        where = f" in {np.dtype(dtype)}" if dtype else ""
        raise ValueError(
            f"{name}={_shown(value)} is out of range; give a number that is finite and "
            f"{'0 or more' if or_zero else 'above 0'}{where}"
        )
    return number


@cache
def _limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Return the smallest and the largest number above 0 of a dtype."""
    limits = np.finfo(dtype)
    return float(limits.smallest_subnormal), float(limits.max)


def check_fraction(name: str, value: Any) -> float:
    """Return a float above 0 and below 1."""
    number = check_real(name, value)
    if not 0 < number < 1:
        raise ValueError(f"{name}={_shown(value)} is out of range; give a part between 0 and 1")
    return number


def check_real(name: str, value: Any) -> float:
    """Return a float, maybe not finite; booleans are not numbers."""
    if type(value) is float:  # as nearly always; to ask for a Real takes long
        return value
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}={_shown(value)} is not a number; give a float")
    try:
        return float(value)
    except OverflowError:  # an int that no float can hold
        return float("inf")


def check_float_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """Return the dtype float32 or float64, in native byte order."""
    try:
        found = None if dtype is None else np.dtype(dtype).type  # NumPy takes None for float64
    except TypeError:
        found = None
    if found not in (np.float32, np.float64):
        raise TypeError(f"dtype={_shown(dtype)} is not supported; choose float32 or float64")
    return np.dtype(found)


def check_float_matrix(name: str, value: ArrayLike) -> Array:
    """Return a finite float32 or float64 array (n, d) with n, d >= 1; a copy only if needed."""
    return check_finite(name, check_shape(name, check_float_array(name, value), ndim=2))


def check_examples(X: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    """Return X (n, d) and y (n,), finite, both with the dtype of X."""
    X, y = check_float_matrix("X", X), check_float_array("y", y)
    if y.shape != X.shape[:1]:
        raise ValueError(f"y has shape {y.shape}; give shape {X.shape[:1]}")
    return X, converted("y", check_finite("y", y), X.dtype)


def check_float_array(name: str, value: ArrayLike) -> Array:
    """Return a float32 or float64 array of any shape, in native byte order; a copy only if needed.

    Takes what NumPy can read: arrays and data frames of other libraries, and lists.
    """
    array = check_array(name, value)
    if array.dtype.type in (np.float32, np.float64):
        return array.astype(array.dtype.type, copy=False)
    remedy = "give real numbers"
    if array.dtype.kind in "biufO":
        remedy = f"convert it with np.asarray({name}, np.float32)"
    raise TypeError(f"{name} has dtype {array.dtype}; {remedy}")


def check_array(name: str, value: ArrayLike) -> Array:
    """Return an array of any shape and dtype; a copy only if needed."""
    check_unmasked(name, value)
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} has rows of different lengths; give a full array") from None
    except (TypeError, RuntimeError) as error:  # such as PyTorch's, which tell the remedy
        reason = " ".join(str(error).split())
        raise TypeError(f"{name} cannot be read as a NumPy array: {reason}") from None
    if array.dtype == object:
        _check_objects(name, array, type(value).__name__)
    return array


def check_unmasked(name: str, value: ArrayLike) -> None:
    """Raise if it is a masked array."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array; fill or remove what is masked")


def check_finite(name: str, array: Array) -> Array:
    """Return the array, or raise with the position of its first NaN or infinity."""
    finite = np.isfinite(array)
    if finite.all():
        return array
    raise nonfinite(name, array, int(np.argmin(finite)))


def nonfinite(name: str, array: Array, at: int) -> ValueError:
    """Return the error of the NaN or infinity that is number `at` of the array."""
    return ValueError(f"{_entry(name, array, at)}; remove or replace NaN and infinity")


def converted(name: str, array: Array, dtype: DTypeLike) -> Array:
    """Return the array in `dtype`, or raise if it has a number too large; a copy only if needed."""
    if array.dtype == dtype:
        return array
    with np.errstate(over="ignore"):
        new = array.astype(dtype)
    lost = np.isinf(new) & np.isfinite(array)
    if lost.any():
        entry = _entry(name, array, int(np.argmax(lost)))
        raise ValueError(f"{entry}, too large for {np.dtype(dtype)}")
    return new


def _entry(name: str, array: Array, at: int) -> str:
    position = np.unravel_index(at, array.shape)
    return f"{name}[{', '.join(map(str, position))}] is {array[position]}"


def check_shape(name: str, array: Array, *, ndim: int) -> Array:
    """Return the array, or raise unless it has one or two dimensions, as wanted, and a value."""
    if array.ndim == ndim and array.size > 0:
        return array
    wanted = "(n, d)" if ndim == 2 else "(n,)"
    raise ValueError(f"{name} has shape {array.shape}; give shape {wanted} with at least one value")


def _check_objects(name: str, array: Array, type_name: str) -> None:
    """Raise and name the first object that is not a number, if there is one."""
    if array.ndim == 0:
        raise TypeError(f"{name} is a {type_name}; give a dense array of float32 or float64")
    for position, item in np.ndenumerate(array):
        if not isinstance(item, Real):
            where = ", ".join(map(str, position))
            raise TypeError(f"{name}[{where}] is {_shown(item)}, not a number; give real numbers")


def _shown(value: object) -> str:
    """Return the value as text for a message: short, and in one line."""
    return " ".join(reprlib.repr(value).split())
