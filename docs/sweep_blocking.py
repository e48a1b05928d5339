"""Compare the blocking of the formula (cpp/gemm/blocking.cpp) with the best of a sweep.

``python docs/sweep_blocking.py``, twenty seconds, one thread. Only mc and kc vary.
"""

from itertools import product

import tilewise as tw
from tilewise import _core

_N = 1536
_KC = (192, 256, 384, 512, 768)
_MC = (0.25, 0.5, 1, 2, 4, 8)  # of the formula's
_ROUNDS = 3


def sweep(dtype: str) -> None:
    """Print the rate of the formula's blocking and of the best ones found."""
    plan = tw.explain(_N, _N, _N, dtype)
    rows, _ = plan.tile or (1, 1)
    mc, nc, kc = plan.blocking or (0, 0, 0)
    blockings = {(mc, nc, kc)} | {
        (max(rows, round(mc * part / rows) * rows), nc, depth) for part, depth in product(_MC, _KC)
    }
    rates = dict.fromkeys(sorted(blockings), 0.0)
    for _ in range(_ROUNDS):  # in turns: a change of the clock meets all of them
        for blocking in rates:
            rates[blocking] = max(
                rates[blocking], _core.gflops_with_blocking(dtype, _N, *blocking, 1)
            )
    print(f"{dtype}, n = {_N}, {tw.isa()}: mc, nc, kc and GFLOP/s")
    ours = rates[mc, nc, kc]
    print(f"  formula {mc:5} {nc:5} {kc:4} {ours:7.1f}")
    for found, rate in sorted(rates.items(), key=lambda item: -item[1])[:5]:
        sizes = "{:5} {:5} {:4}".format(*found)
        print(f"  found   {sizes} {rate:7.1f}  {rate / ours:.3f} of formula")


if __name__ == "__main__":
    for name in ("float32", "float64"):
        sweep(name)
