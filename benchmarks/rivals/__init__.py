"""The contestants: each file of this folder that defines a `Rival` lets it take part."""

from importlib import import_module
from pkgutil import iter_modules

from benchmarks.rivals.rival import RIVALS

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["RIVALS"]
