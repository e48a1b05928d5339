"""The CPU, the instruction set in use and the versions that a result depends on."""

from tilewise.hardware.facts import (
    available_isas,
    cpu_name,
    fma_gflops,
    isa,
    read_gbytes,
    show_config,
)

__all__ = ["available_isas", "cpu_name", "fma_gflops", "isa", "read_gbytes", "show_config"]
