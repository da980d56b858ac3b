"""The pages of the order types say what the code does."""

from pathlib import Path

import pytest

from trading.orders.rulebook import FAMILIES, RULES, rules_table, times_table
from trading.orders.validity import POSSIBLE
from trading.vocabulary import OrdType

PAGES = Path(__file__).resolve().parents[3] / "docs" / "api" / "orders"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_page_shows_the_tables_of_its_family(family):
    page = (PAGES / f"{family}.md").read_text()
    for table in (times_table(family), rules_table(family)):
        assert table in page, f"write trading.orders.rulebook's tables into {family}.md"
    assert f"({family}.md)" in (PAGES / "README.md").read_text()


def test_every_type_has_a_page_and_no_rule_is_told_twice():
    assert sorted(word for family in FAMILIES.values() for word in family) == sorted(OrdType)
    told = [(rule.field, rule.code, word) for rule in RULES for word in rule.types]
    assert len(told) == len(set(told))
    assert POSSIBLE.keys() <= {rule.field for rule in RULES}
