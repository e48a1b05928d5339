"""The page of the benchmark of ranks is that of the file of its last run."""

import json

import pytest

from benchmarks.ranks import PAGE, RESULT, page

pytestmark = pytest.mark.once


def test_the_page_has_the_table_of_the_file():
    text = PAGE.read_text()
    assert page(text, json.loads(RESULT.read_text())) == text
