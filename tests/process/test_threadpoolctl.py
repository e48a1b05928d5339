"""threadpoolctl sees and limits the threads of this package, and works without it."""

import subprocess
import sys

import pytest

import tilewise as tw

pytestmark = pytest.mark.once
threadpoolctl = pytest.importorskip("threadpoolctl")


def ours():
    return [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "tilewise"]


def test_it_sees_the_threads():
    with tw.threads(3):
        (pool,) = ours()
    assert pool["num_threads"] == 3
    assert pool["filepath"].endswith(tw._core.__file__.rsplit("/", 1)[-1])


@pytest.mark.parametrize("limits", [1, {"tilewise": 1}])
def test_it_limits_the_threads(limits):
    with tw.threads(3):
        with threadpoolctl.threadpool_limits(limits):
            assert tw.get_num_threads() == 1
        assert tw.get_num_threads() == 3


@pytest.mark.parametrize("installed", ["None", "type(sys)('threadpoolctl')"], ids=["no", "old"])
def test_it_may_be_missing_or_too_old(installed):
    program = f"import sys; sys.modules['threadpoolctl'] = {installed}; import tilewise"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
