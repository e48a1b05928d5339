"""How many threads a call may use."""

import os
import re
import reprlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tilewise import _core
from tilewise._checks import check_int

_MOST = 1024


def get_num_threads() -> int:
    """Return the most threads that a call may use: of `threads`, else of `set_num_threads`.

    Returns
    -------
    int
        Number of threads, the calling one included.

    Examples
    --------
    >>> import tilewise as tw
    >>> tw.get_num_threads() >= 1
    True
    """
    return _core.context_threads.get(0) or _core.get_num_threads()


def set_num_threads(n: int) -> None:
    """Set the most threads that a call may use, for the whole process.

    At first it is ``TILEWISE_NUM_THREADS``, else ``OMP_NUM_THREADS``, else the CPUs that the
    process may use: its affinity mask, cut to its cgroup's quota. A call uses no more threads than
    the CPUs that its own thread may use at that moment, and calls that run at once share them. A
    small product uses fewer. The result of a product is bitwise the same for every number.
    Inside `threads`, that number holds. threadpoolctl, where it is installed, sees and limits the
    number of the process as ``user_api="blas"``.

    Parameters
    ----------
    n : int
        Number of threads, 1 to 1024, the calling one included.

    Raises
    ------
    TypeError, ValueError
        `n` is not such a number.

    Examples
    --------
    >>> import tilewise as tw
    >>> before = tw.get_num_threads()
    >>> tw.set_num_threads(1)
    >>> tw.get_num_threads()
    1
    >>> tw.set_num_threads(before)
    """
    _core.set_num_threads(check_int("n", n, maximum=_MOST))


@contextmanager
def threads(n: int) -> Iterator[None]:
    """Use at most `n` threads inside a ``with`` block, in this thread or asyncio task.

    The number is a context variable (see `contextvars`): tasks that start inside the block inherit
    it; threads that start there have the number of the process, as all others. In a generator it
    holds for the caller too, until the generator leaves the block.

    Parameters
    ----------
    n : int
        Number of threads, 1 to 1024, the calling one included.

    Raises
    ------
    TypeError, ValueError
        `n` is not such a number.

    Examples
    --------
    >>> import tilewise as tw
    >>> with tw.threads(1):
    ...     tw.get_num_threads()
    1
    """
    token = _core.context_threads.set(check_int("n", n, maximum=_MOST))
    try:
        yield
    finally:
        _core.context_threads.reset(token)


def _set_from_environment() -> None:
    own = os.environ.get("TILEWISE_NUM_THREADS")
    shared = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()  # a list is per level
    digits = re.fullmatch(r"0*([0-9]{1,4})", own or shared)  # int() takes other scripts' digits too
    count = int(digits[1]) if digits else 0
    if 1 <= count <= _MOST:
        _core.set_num_threads(count)
    elif own:
        raise ImportError(
            f"TILEWISE_NUM_THREADS={reprlib.repr(own)} is not a number from 1 to {_MOST}; "
            "give one, or unset it"
        )


_set_from_environment()
with suppress(ImportError):  # threadpoolctl is not installed, or older than 3.2
    from threadpoolctl import register

    from tilewise._threadpoolctl import Controller

    register(Controller)
