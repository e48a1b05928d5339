"""threadpoolctl sees and limits the threads of this package, and works without it."""

import subprocess
import sys

import pytest

import tilewise as tw
from tests.support.threads import process_threads

pytestmark = pytest.mark.once
threadpoolctl = pytest.importorskip("threadpoolctl")


def ours():
    return [pool for pool in threadpoolctl.threadpool_info() if pool["internal_api"] == "tilewise"]


def test_it_sees_the_threads():
    with process_threads(3), tw.threads(2):
        (pool,) = ours()
    assert (pool["user_api"], pool["num_threads"]) == ("blas", 3)
    assert pool["filepath"].endswith(tw._core.__file__.rsplit("/", 1)[-1])


@pytest.mark.parametrize(
    "limits",
    [{"limits": 1}, {"limits": 1, "user_api": "blas"}, {"limits": {"blas": 1}}],
    ids=["all", "blas", "a dict"],
)
def test_it_limits_the_threads(limits):
    with process_threads(3):
        with threadpoolctl.threadpool_limits(**limits):
            assert tw.get_num_threads() == 1
            with tw.threads(2):
                assert tw.get_num_threads() == 2, "a context has its own"
        assert tw.get_num_threads() == 3


def test_limits_of_openmp_are_not_ours():
    with process_threads(3), threadpoolctl.threadpool_limits(1, user_api="openmp"):
        assert tw.get_num_threads() == 3


@pytest.mark.parametrize("installed", ["None", "type(sys)('threadpoolctl')"], ids=["no", "old"])
def test_it_may_be_missing_or_too_old(installed):
    program = f"import sys; sys.modules['threadpoolctl'] = {installed}; import tilewise"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
