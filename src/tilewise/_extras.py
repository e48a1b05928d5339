"""Packages that the core install does without."""

from importlib import import_module
from typing import Any


def required(module: str, extra: str, why: str) -> Any:
    """Import a module of an extra, or raise ImportError with the remedy.

    Examples
    --------
    >>> required("math", "report", "pi needs math").pi > 3
    True
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.split(".")[0]:
            raise
        raise ImportError(f'{why}, which is missing; pip install "tilewise[{extra}]"') from None
