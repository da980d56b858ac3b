"""The table of corner cases of orders has 95 rows; each is a test that carries its number."""

import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROWS = set(range(1, 96))
LATER = set(range(75, 82))
"""Execution algorithms and routing, which the product does not have yet."""
AWAITED = {19, 20, 40, 41, 66, 93} | {
    *range(50, 53), *range(54, 59), 60, 62, *range(67, 69), 92,
}  # fmt: skip
"""Rows whose feature is being built; a row that has its test leaves this set."""
NAME = re.compile(r"^(?:async )?def test_row_(\d\d)_[a-z]", re.MULTILINE)


def rows_with_a_test() -> set[int]:
    """The numbers in the names of the tests there are."""
    sources = (path.read_text() for path in TESTS.rglob("test_*.py"))
    return {int(number) for source in sources for number in NAME.findall(source)}


def test_each_row_is_a_test_named_after_it():
    assert ROWS - LATER - AWAITED - rows_with_a_test() == set()


def test_no_test_is_named_after_a_row_there_is_not():
    assert rows_with_a_test() <= ROWS
