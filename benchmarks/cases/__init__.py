"""The cases: each file of this folder that has a function `cases` adds its groups."""

from importlib import import_module
from pkgutil import iter_modules

from benchmarks.cases.case import Case, Size

_MODULES = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]


def all_cases(size: Size, *, quick: bool) -> list[Case]:
    """Return the cases for a machine of such a size; a few of each group if quick."""
    makers = [module.cases for module in _MODULES if hasattr(module, "cases")]
    return [case for cases in makers for case in cases(size, quick=quick)]
