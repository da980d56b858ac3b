"""Lists of orders that depend on each other: partial fills, crashes, refusals and races."""

from datetime import timedelta

import pytest

from oms.gateway import lists as gateway_lists
from oms.models import Command
from oms.services.lists import follow
from tests.journeys.cast import utcnow
from tests.order_lists.desk import Lists, leg, summary

ENTRY = "950.00"
TARGET = "1100.00"


@pytest.fixture
def lists(alice) -> Lists:
    """Alice at the doors of order lists."""
    return Lists(alice)


@pytest.fixture
def bracket(lists, market):
    """A long bracket of which the entry executes so much; returns the list's id."""

    def _bracket(qty: str, filled: int, **more) -> str:
        list_id = lists.bracket_placed(qty, **more)
        lists.until(list_id, lambda found: found["legs"][0]["order"]["ord_status"] == "NEW")
        market.show("949.00", "949.50", size=filled)
        lists.until(list_id, lambda found: found["legs"][0]["order"]["cum_qty"] == str(filled))
        market.show("999.50", "1000.50")
        return list_id

    return _bracket


class Stalled:
    """The gateway's follower, which stops where the test wants it to."""

    def __init__(self, monkeypatch) -> None:
        self.monkeypatch = monkeypatch
        self.follow = gateway_lists._follow

    def stall(self) -> None:
        """From now on nothing follows a list: as after a crash, or while a cancel is on its way."""

        async def nobody(_session, _list_ids) -> None:
            """No list is followed."""

        self.monkeypatch.setattr(gateway_lists, "_follow", nobody)

    def go_on(self) -> None:
        self.monkeypatch.setattr(gateway_lists, "_follow", self.follow)


@pytest.fixture
def follower(monkeypatch) -> Stalled:
    return Stalled(monkeypatch)


def test_row_69_the_exits_of_a_bracket_live_for_what_the_entry_has_and_grow_with_it(
    gateway, market, bracket, lists
):
    list_id = bracket("10", 3)
    lists.until_legs(list_id, ("PARTIALLY_FILLED", "10", "3"), ("NEW", "3", "0"), ("NEW", "3", "0"))
    lists.until(list_id, lambda found: found["unprotected_qty"] == "0")
    market.show("949.00", "949.50", size=7)
    lists.until_legs(list_id, ("FILLED", "10", "10"), ("NEW", "10", "0"), ("NEW", "10", "0"))


def test_row_70_what_the_target_fills_is_taken_off_the_stop_which_stays(
    gateway, market, bracket, lists
):
    list_id = bracket("3", 3)
    lists.until_legs(list_id, ("FILLED", "3", "3"), ("NEW", "3", "0"), ("NEW", "3", "0"))
    market.show("1100.50", "1101.50", size=2)
    lists.until_legs(
        list_id, ("FILLED", "3", "3"), ("PARTIALLY_FILLED", "3", "2"), ("NEW", "1", "0")
    )


def test_row_71_exits_stay_for_what_a_cancelled_entry_had(gateway, bracket, lists, alice):
    list_id = bracket("10", 3)
    lists.until_legs(list_id, ("PARTIALLY_FILLED", "10", "3"), ("NEW", "3", "0"), ("NEW", "3", "0"))
    assert alice.cancel(lists.order_id(list_id, 1)).status == 202
    found = lists.until_legs(list_id, ("CANCELED", "10", "3"), ("NEW", "3", "0"), ("NEW", "3", "0"))
    assert found["list_order_status"] == "EXECUTING"
    lists.until(list_id, lambda found: found["unprotected_qty"] == "0")


def test_row_72_after_a_crash_the_stop_is_resized_before_a_new_order_is_sent(
    idle_gateway, market, follower, bracket, lists, alice, desk
):
    idle_gateway.start()
    list_id = bracket("3", 3)
    lists.until_legs(list_id, ("FILLED", "3", "3"), ("NEW", "3", "0"), ("NEW", "3", "0"))
    follower.stall()
    market.show("1100.50", "1101.50", size=2)
    lists.until_legs(
        list_id, ("FILLED", "3", "3"), ("PARTIALLY_FILLED", "3", "2"), ("NEW", "3", "0")
    )
    idle_gateway.stop()
    market.show("1098.00", "1099.00")
    other = alice.placed("BUY", "1", price="1090.00", tif="GTC")

    follower.go_on()
    idle_gateway.start()
    lists.until_legs(
        list_id, ("FILLED", "3", "3"), ("PARTIALLY_FILLED", "3", "2"), ("NEW", "1", "0")
    )
    alice.until_status(other, "NEW")
    (resized,) = desk.rows(Command, order_id=lists.order_id(list_id, 3), kind="REPLACE")
    (new,) = desk.rows(Command, order_id=other, kind="NEW")
    assert resized.sending_at < new.sending_at
    assert resized.created_at < new.sending_at


@pytest.fixture
def hasty(monkeypatch) -> None:
    """Five seconds without protection pass in one."""
    monkeypatch.setattr("oms.services.lists.protection.PROTECT_WITHIN", timedelta(seconds=1))


@pytest.fixture
def refused_stop(lists, market):
    """A bracket whose stop its venue refuses: the market is below it when the entry has filled."""
    legs = leg("BUY", ENTRY, order_qty="3"), leg("SELL", TARGET), leg("SELL", stop_px="949.50")
    list_id = lists.placed("OTOCO", *legs)
    lists.until(list_id, lambda found: found["legs"][0]["order"]["ord_status"] == "NEW")
    market.show("949.00", "949.50")
    lists.until(list_id, lambda found: found["legs"][2]["order"]["ord_status"] == "REJECTED")
    return list_id


def test_row_73_a_stop_the_venue_refuses_is_told_of_and_sent_once_more(
    gateway, hasty, refused_stop, lists
):
    found = lists.until(refused_stop, lambda found: len(found["legs"]) == 4)
    (alarm,) = found["alarms"]
    assert (alarm["alarm"], alarm["severity"], alarm["qty"]) == (
        "unprotected_position", "critical", "3",
    )  # fmt: skip
    again = found["legs"][3]
    assert (again["leg_no"], again["serves_leg"], again["role"]) == (4, 3, "STOP")
    lists.until(refused_stop, lambda found: found["legs"][3]["order"]["ord_status"] == "REJECTED")
    # one cause, one more try; the sibling stays and people are told
    sweep_twice(lists, refused_stop)
    found = lists.get(refused_stop)
    assert summary(found)[1:] == [
        ("NEW", "3", "0"), ("REJECTED", "3", "0"), ("REJECTED", "3", "0"),
    ]  # fmt: skip
    (alarm,) = found["alarms"]
    assert alarm["alarm"] == "unprotected_position"
    assert alarm["reason"].startswith("the stop is REJECTED")
    assert on_the_desk(lists) == ["UNPROTECTED_POSITION"]


def test_row_73_the_alarm_closes_itself_once_the_stop_works(
    gateway, hasty, refused_stop, market, lists
):
    market.show("999.50", "1000.50")
    found = lists.until(
        refused_stop,
        lambda found: summary(found)[3:] == [("NEW", "3", "0")] and not found["alarms"],
    )
    assert found["unprotected_qty"] == "0"
    assert on_the_desk(lists) == []


def on_the_desk(lists) -> list[str]:
    """What the break desk shows open for the account."""
    rows = lists.person.get(f"/breaks?account={lists.person.desk.code}").json["items"]
    return [row["kind"] for row in rows]


def sweep_twice(lists, list_id: str) -> None:
    """Follow the list as the sweeper does."""
    for _ in range(2):
        follow.follow(schema=lists.person.desk.schema, list_id=list_id, now=utcnow())


def test_row_74_both_exits_filled_in_the_gap_are_booked_and_a_way_back_is_proposed(
    gateway, market, follower, bracket, lists, alice, desk
):
    list_id = bracket("3", 3)
    lists.until_legs(list_id, ("FILLED", "3", "3"), ("NEW", "3", "0"), ("NEW", "3", "0"))
    follower.stall()
    market.show("1100.50", "1101.50")
    lists.until_legs(list_id, ("FILLED", "3", "3"), ("FILLED", "3", "3"), ("NEW", "3", "0"))
    market.show("898.50", "899.50")
    lists.until_legs(list_id, ("FILLED", "3", "3"), ("FILLED", "3", "3"), ("FILLED", "3", "3"))
    follower.go_on()
    found = lists.until(list_id, lambda found: found["list_order_status"] == "ALL_DONE")
    assert found["overfill_qty"] == "3"
    assert [alarm["alarm"] for alarm in found["alarms"]] == ["oco_both_filled"]
    assert on_the_desk(lists) == ["OCO_BOTH_FILLED"]
    assert found["proposed_order"] == {
        "symbol": "SPX", "side": "BUY", "ord_type": "MARKET", "order_qty": "3",
    }  # fmt: skip
    (position,) = alice.get(f"/positions?account={desk.code}").json["items"]
    assert position["qty"] == "-3"

    taken_back = alice.post(f"/order-lists/{list_id}/flatten", {})
    assert taken_back.status == 201
    alice.until_final(taken_back.json["id"])
    found = lists.get(list_id)
    assert (found["alarms"], found["proposed_order"], on_the_desk(lists)) == ([], None, [])
    assert alice.post(f"/order-lists/{list_id}/flatten", {}).status == 409
