"""Each corner case of orders is a test that carries the number of its row, or says why not yet."""

import re
from pathlib import Path

from tests.corner_cases.rows import ROWS

TESTS = Path(__file__).resolve().parents[1]
AWAITED = {
    **dict.fromkeys(range(75, 80), "execution algorithms are not built yet"),
    **dict.fromkeys((80, 81), "smart order routing is not built yet"),
}
"""What rows without a test wait for; a row whose test is there may leave."""
NAME = re.compile(r"^ *(?:async )?def test_row_(\d\d)_[a-z]", re.MULTILINE)


def rows_with_a_test() -> set[int]:
    """The numbers in the names of the tests there are."""
    sources = (path.read_text() for path in TESTS.rglob("test_*.py"))
    return {int(number) for source in sources for number in NAME.findall(source)}


def test_each_row_is_a_test_named_after_it_or_has_its_reason():
    tested = rows_with_a_test()
    missing = {number: text for number, text in ROWS.items() if number not in tested}
    print(f"{len(ROWS) - len(missing)} of {len(ROWS)} rows have their test")
    for number in sorted(missing.keys() & AWAITED.keys()):
        print(f"  {number} waits: {AWAITED[number]} ({missing[number]})")
    assert {number: text for number, text in missing.items() if number not in AWAITED} == {}


def test_no_test_and_no_reason_is_of_a_row_there_is_not():
    assert rows_with_a_test() | AWAITED.keys() <= ROWS.keys()
