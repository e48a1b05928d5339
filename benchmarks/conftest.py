"""What the suite shares: contestants in this process, of one thread at its start."""

import os
from functools import cache

import pytest

from benchmarks.rivals import RIVALS
from benchmarks.rivals.rival import Rival

for _rival in RIVALS.values():  # some libraries read their number of threads at their start
    os.environ.update(_rival.environment(1))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the libraries of others warn."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("default"))


@cache
def _started(name: str) -> Rival | str:
    try:
        return RIVALS[name]()
    except ImportError as error:
        return f"{name}: {error}"


@pytest.fixture
def contestant(request: pytest.FixtureRequest) -> Rival:
    """Return the contestant that a test's parameter `rival` names, or skip."""
    found = _started(request.getfixturevalue("rival"))
    if isinstance(found, str):
        pytest.skip(found)
    return found
