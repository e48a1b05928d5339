"""The cases: each file of this folder that has a function `cases` adds its groups."""

from importlib import import_module
from itertools import groupby
from operator import attrgetter
from pkgutil import iter_modules

from benchmarks.cases.case import Case

_MODULES = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
_QUICK_FLOPS, _QUICK_BYTES = 3e9, 1e7


def all_cases(cpus: int, *, quick: bool) -> list[Case]:
    """Return the cases for a machine of so many CPUs; if quick, five short ones of each group."""
    makers = [module.cases for module in _MODULES if hasattr(module, "cases")]
    found: list[Case] = [case for cases in makers for case in cases(cpus)]
    if not quick:
        return found
    short = [c for c in found if c.flops <= _QUICK_FLOPS and c.bytes <= _QUICK_BYTES]
    group = attrgetter("group")
    groups = [list(of) for _, of in groupby(sorted(short, key=group), group)]
    return [case for of in groups for case in of[:: -(-len(of) // 5)]]
