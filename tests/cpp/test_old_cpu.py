"""The package on CPUs that lack the newest instructions, emulated by QEMU in user mode."""

import json
import os
import platform
import shutil
import signal
import subprocess
import sys

import pytest

QEMU = shutil.which("qemu-x86_64")

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="emulates x86-64 on itself only"),
    pytest.mark.skipif(QEMU is None, reason="needs qemu-x86_64 (Debian package qemu-user)"),
]

# The oldest CPU that NumPy's own wheels run on, and one with AVX2 but without AVX-512.
CPUS = [("Nehalem", ["portable"]), ("Haswell", ["avx2", "portable"])]

# Odd sizes, so that whole tiles, partial tiles and masked vectors all run.
PROGRAM = """
import json
import numpy as np
import tilewise as tw

wrong = []
for dtype in (np.float32, np.float64):
    a = np.arange(23 * 37, dtype=dtype).reshape(23, 37) % 7 - 3
    b = np.arange(37 * 71, dtype=dtype).reshape(37, 71) % 5 - 2
    for strategy in tw.STRATEGIES:
        c = tw.matmul(a, b, strategy=strategy)
        if not np.array_equal(c, a.astype(int) @ b.astype(int)):
            wrong.append([strategy, c.dtype.name])

X, y, weights, bias = tw.data.synthetic(200, 21, noise=0.0, seed=0)
history = tw.fit(X, y, batch_size=10, learning_rate=0.05, epochs=20, seed=0)
error = float(abs(history.weights - weights).max())
print(json.dumps([tw.isa(), list(tw.available_isas()), wrong, error]))
"""


def run_on(cpu: str, program: str, isa: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program in this interpreter on an emulated CPU."""
    real = ("TILEWISE_ISA", "OPENBLAS_CORETYPE")  # what is forced is for the CPU that there is
    env = {name: value for name, value in os.environ.items() if name not in real}
    if isa is not None:
        env["TILEWISE_ISA"] = isa
    command = [QEMU, "-cpu", cpu, sys.executable, "-c", program]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize(("cpu", "isas"), CPUS)
def test_an_older_cpu_computes_the_right_answers(cpu, isas):
    done = run_on(cpu, PROGRAM)
    assert done.returncode == 0, done.stderr
    isa, available, wrong, error = json.loads(done.stdout)
    assert isa == isas[0]
    assert available == isas
    assert not wrong
    assert error < 1e-3


@pytest.mark.parametrize(("cpu", "isas"), CPUS)
def test_a_forced_isa_that_the_cpu_lacks_fails_at_import(cpu, isas):
    done = run_on(cpu, "import tilewise", isa="avx512")
    assert done.returncode == 1  # by an exception, not a signal
    message = done.stderr.strip().splitlines()[-1]
    assert message.startswith("ImportError: TILEWISE_ISA='avx512'")
    assert f"one of: {', '.join(isas)}" in message


def test_the_emulator_lacks_what_the_cpu_lacks():
    # Else the tests above would pass whatever the library executes.
    vzeroupper = "c5f877c3"  # VEX-encoded, as all of AVX is; then a return
    program = f"""
import ctypes, mmap
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("{vzeroupper}"))
ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
"""
    assert run_on("Nehalem", program).returncode == -signal.SIGILL
    assert run_on("Haswell", program).returncode == 0
