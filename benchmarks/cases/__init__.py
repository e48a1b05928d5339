"""The cases: each file of this folder that has a function `cases` adds its groups."""

from importlib import import_module
from pkgutil import iter_modules

from benchmarks.cases.case import Case

_MODULES = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]


def all_cases(cpus: int, *, quick: bool) -> list[Case]:
    """Return the cases for a machine of so many CPUs; a few of each group if quick."""
    makers = [module.cases for module in _MODULES if hasattr(module, "cases")]
    return [case for cases in makers for case in cases(cpus, quick=quick)]
