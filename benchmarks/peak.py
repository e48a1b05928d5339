"""What one core can do."""

METHOD = "multiply-adds alone, in registers, one thread: tilewise.hardware.fma_gflops"


def peak(dtype: str) -> float:
    """Return GFLOP/s that one core's multiply-add units do now, measured for 5 ms.

    Each measurement asks again, since a core changes its clock.
    """
    import tilewise as tw  # only in the process that measures it

    return tw.hardware.fma_gflops(dtype, seconds=0.005)
