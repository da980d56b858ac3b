"""Brackets at a venue that holds no stops: this system keeps the stop and fires it."""

import pytest

from tests.journeys.kept import desk
from tests.order_lists.desk import leg, summary

__all__ = ["desk"]

DONE, OPEN = ("FILLED", "3", "3"), ("NEW", "3", "0")


@pytest.fixture
def kept_bracket(gateway, market, lists) -> str:
    """A bracket of 3 at 950 whose entry has filled; its stop at 900 is kept here."""
    legs = (
        leg("BUY", "950.00", order_qty="3"),
        leg("SELL", "1100.00"),
        leg("SELL", stop_px="900.00"),
    )
    list_id = lists.placed("OTOCO", *legs)
    lists.until(list_id, lambda found: found["legs"][0]["order"]["ord_status"] == "NEW")
    market.show("949.00", "949.50")
    lists.until_legs(list_id, DONE, OPEN, OPEN)
    market.show("999.50", "1000.50")
    return list_id


def test_a_stop_kept_here_protects_and_shrinks_with_its_target(kept_bracket, market, lists, desk):
    found = lists.until(kept_bracket, lambda found: found["unprotected_qty"] == "0")
    assert found["legs"][2]["order"]["held_by"] == "OMS"
    assert len(desk.at_venue()) == 2
    market.show("1100.50", "1101.50", size=2)
    lists.until_legs(kept_bracket, DONE, ("PARTIALLY_FILLED", "3", "2"), ("NEW", "1", "0"))
    assert len(desk.at_venue()) == 2


def test_a_stop_that_fires_here_ends_the_target(kept_bracket, market, lists):
    market.show("898.50", "899.50")
    found = lists.until(kept_bracket, lambda found: found["list_order_status"] == "ALL_DONE")
    assert summary(found) == [DONE, ("CANCELED", "3", "0"), DONE]
