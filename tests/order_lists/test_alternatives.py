"""Orders that exclude each other, and orders that release others."""

import pytest

from oms.gateway import lists as gateway_lists
from oms.models import Command
from tests.order_lists.desk import leg, summary

TEN = {"order_qty": "10"}
WORKS = ("NEW", "10", "0")


@pytest.fixture
def pair(lists):
    """An OCO of two buys, and how to place other kinds of the same."""

    def _pair(kind: str = "OCO", second: str = "10") -> str:
        meant = {"allow_duplicate": True}
        lower = leg("BUY", "940.00", order_qty=second, **meant)
        return lists.placed(kind, leg("BUY", "950.00", **TEN, **meant), lower)

    return _pair


def test_the_first_execution_of_any_size_ends_the_others_and_goes_on_itself(
    gateway, market, pair, lists
):
    list_id = pair()
    lists.until_legs(list_id, WORKS, WORKS)
    market.show("949.00", "949.50", size=4)
    lists.until_legs(list_id, ("PARTIALLY_FILLED", "10", "4"), ("CANCELED", "10", "0"))
    market.show("949.00", "949.50", size=6)
    found = lists.until(list_id, lambda found: found["list_order_status"] == "ALL_DONE")
    assert (summary(found)[0], found["overfill_qty"]) == (("FILLED", "10", "10"), "0")


def test_cancelling_a_leg_ends_all_by_default_and_itself_alone_where_asked(
    gateway, market, pair, lists, alice
):
    both, alone = pair(), pair(second="9")
    for list_id in (both, alone):
        lists.until(list_id, lambda found: all(s == "NEW" for s, _, _ in summary(found)))
    assert alice.cancel(lists.order_id(both, 1)).status == 202
    lists.until_legs(both, ("CANCELED", "10", "0"), ("CANCELED", "10", "0"))
    assert alice.cancel(lists.order_id(alone, 1), scope="leg").status == 202
    lists.until_legs(alone, ("CANCELED", "10", "0"), ("NEW", "9", "0"))
    assert lists.get(alone)["list_order_status"] == "EXECUTING"


@pytest.mark.parametrize(
    ("kind", "second", "left"),
    [
        # 4 of 10 are gone: the other loses 4 lots, or four tenths
        ("OUO_ABSOLUTE", "10", "6"),
        ("OUO_PROPORTIONAL", "50", "30"),
    ],
)
def test_an_execution_takes_as_much_or_the_same_share_off_the_others(
    gateway, market, pair, lists, kind, second, left
):
    list_id = pair(kind, second)
    lists.until_legs(list_id, WORKS, ("NEW", second, "0"))
    market.show("949.00", "949.50", size=4)
    lists.until_legs(list_id, ("PARTIALLY_FILLED", "10", "4"), ("NEW", left, "0"))
    market.show("949.00", "949.50", size=6)
    found = lists.until(list_id, lambda found: found["list_order_status"] == "ALL_DONE")
    assert [row[0] for row in summary(found)] == ["FILLED", "CANCELED"]


@pytest.mark.parametrize("killed", ["before the cancel is asked for", "before it is sent"])
def test_a_gateway_killed_between_the_fill_and_the_linked_cancel_cancels_on_its_return(
    idle_gateway, market, pair, lists, alice, desk, monkeypatch, killed
):
    idle_gateway.start()
    list_id = pair()
    lists.until_legs(list_id, WORKS, WORKS)
    with monkeypatch.context() as dying:
        if killed == "before it is sent":
            dying.setattr("oms.services.protocol.claim_next", lambda **_: None)
        else:
            dying.setattr(gateway_lists, "_follow", _nobody)
        market.show("949.00", "949.50", size=4)
        lists.until(list_id, lambda found: found["legs"][0]["order"]["cum_qty"] == "4")
        if killed == "before it is sent":
            lists.until(list_id, lambda found: found["legs"][1]["order"]["pending"] != [])
        idle_gateway.stop()
    market.show("999.50", "1000.50")
    other = alice.placed("BUY", "1", price="930.00", tif="GTC")

    idle_gateway.start()
    lists.until_legs(list_id, ("PARTIALLY_FILLED", "10", "4"), ("CANCELED", "10", "0"))
    alice.until_status(other, "NEW")
    (cancel,) = desk.rows(Command, order_id=lists.order_id(list_id, 2), kind="CANCEL")
    (new,) = desk.rows(Command, order_id=other, kind="NEW")
    assert cancel.sending_at < new.sending_at


async def _nobody(_session, _list_ids) -> None:
    """No list is followed: the process is dead before it comes to that."""


@pytest.mark.parametrize(("sizing", "released"), [("MATCH", "4"), ("FIXED", "7")])
def test_one_releases_the_other_for_what_it_executes_or_whole(
    gateway, market, lists, sizing, released
):
    second = leg("BUY", "940.00", order_qty="7")
    list_id = lists.placed("OTO", leg("BUY", "950.00", **TEN), second, sizing=sizing)
    lists.until_legs(list_id, WORKS, ("SUSPENDED", "7", "0"))
    market.show("949.00", "949.50", size=4)
    found = lists.until_legs(list_id, ("PARTIALLY_FILLED", "10", "4"), ("NEW", released, "0"))
    assert found["legs"][1]["order"]["held_by"] is None


def test_nothing_is_released_before_the_whole_where_that_was_agreed(gateway, market, lists, alice):
    first, second = leg("BUY", "950.00", **TEN), leg("SELL", "1100.00")
    list_id = lists.placed("OTO", first, second, release="ON_FULL_FILL")
    lists.until_legs(list_id, WORKS, ("SUSPENDED", "10", "0"))
    market.show("949.00", "949.50", size=4)
    lists.until_legs(list_id, ("PARTIALLY_FILLED", "10", "4"), ("SUSPENDED", "10", "0"))
    # an entry that ends early releases for what it has
    assert alice.cancel(lists.order_id(list_id, 1)).status == 202
    lists.until_legs(list_id, ("CANCELED", "10", "4"), ("NEW", "4", "0"))
