"""A bracket from its entry to its end: distances, amendments, cancels, silence, the way out."""

from datetime import timedelta

import pytest

from oms.models import Order
from oms.services.lists import follow
from tests.journeys.cast import follow_events, utcnow
from tests.order_lists.desk import Lists, leg, summary

OPEN = ("NEW", "3", "0")
DONE = ("FILLED", "3", "3")


def enter(lists: Lists, market, list_id: str, at: str = "949.00", size: int = 100) -> None:
    """Let the entry at 950 fill, and the market come back."""
    lists.until(list_id, lambda found: found["legs"][0]["order"]["ord_status"] == "NEW")
    market.show(at, f"{float(at) + 0.5:.2f}", size=size)
    lists.until(list_id, lambda found: found["legs"][0]["order"]["cum_qty"] != "0")
    market.show("999.50", "1000.50")


@pytest.fixture
def open_bracket(gateway, market, lists) -> str:
    """A bracket of 3 whose entry has filled; both exits work."""
    list_id = lists.bracket_placed("3")
    enter(lists, market, list_id)
    lists.until_legs(list_id, DONE, OPEN, OPEN)
    return list_id


def test_the_first_exit_to_fill_ends_the_other_and_the_list_is_done(
    open_bracket, market, lists, alice, desk, acme
):
    market.show("898.50", "899.50")
    found = lists.until(open_bracket, lambda found: found["list_order_status"] == "ALL_DONE")
    assert summary(found) == [DONE, ("CANCELED", "3", "0"), DONE]
    (position,) = alice.get(f"/positions?account={desk.code}").json["items"]
    assert position["qty"] == "0"
    follow_events(acme)
    events = alice.get("/events?type=list.*&limit=500").json["items"]
    told = [event["type"] for event in events if event["subject"] == open_bracket]
    assert told == ["list.accepted", "list.all_done"]


def test_an_entry_that_ends_with_nothing_takes_its_exits_with_it(gateway, market, lists, alice):
    list_id = lists.bracket_placed("3")
    lists.until(list_id, lambda found: found["legs"][0]["order"]["ord_status"] == "NEW")
    assert alice.cancel(lists.order_id(list_id, 1)).status == 202
    ended = ("CANCELED", "3", "0")
    found = lists.until_legs(list_id, ended, ended, ended)
    assert [one["order"]["text"] for one in found["legs"][1:]] == ["parent_closed"] * 2
    lists.until(list_id, lambda found: found["list_order_status"] == "ALL_DONE")


def test_exits_at_a_distance_follow_what_the_entry_paid(gateway, market, lists):
    legs = (
        leg("BUY", order_qty="3"),
        leg("SELL", ord_type="LIMIT", offset="20.005"),
        leg("SELL", ord_type="STOP", offset_percent="2"),
    )
    list_id = lists.placed("OTOCO", *legs)
    found = lists.until_legs(list_id, DONE, OPEN, OPEN)
    entry, target, stop = (one["order"] for one in found["legs"])
    assert entry["avg_px"] == "1000.5"
    # away from the entry, on the tick: 1020.505 up, 980.49 as it is
    assert (target["price"], stop["stop_px"]) == ("1020.51", "980.49")


def test_cancelling_an_exit_ends_the_pair_and_leaves_the_position(open_bracket, lists, alice):
    assert alice.cancel(lists.order_id(open_bracket, 2)).status == 202
    ended = ("CANCELED", "3", "0")
    lists.until_legs(open_bracket, DONE, ended, ended)
    found = lists.until(open_bracket, lambda found: found["list_order_status"] == "ALL_DONE")
    assert found["unprotected_qty"] == "0"


def test_cancelling_one_exit_alone_keeps_the_other(open_bracket, lists, alice):
    assert alice.cancel(lists.order_id(open_bracket, 2), scope="leg").status == 202
    lists.until_legs(open_bracket, DONE, ("CANCELED", "3", "0"), OPEN)
    sweep(lists, open_bracket)
    assert summary(lists.get(open_bracket))[2] == OPEN


def test_a_leg_is_amended_through_its_list_only(open_bracket, lists, alice):
    target = lists.order_id(open_bracket, 2)
    refused = alice.replace(target, price="1090.00")
    assert (refused.status, refused.code, refused.inner) == (
        409, "state_conflict", "managed_by_parent",
    )  # fmt: skip
    moved = lists.replace(
        open_bracket, {"leg_no": 2, "price": "1090.00"}, {"leg_no": 3, "stop_px": "910.00"}
    )
    assert moved.status == 202, moved.text
    found = lists.until(
        open_bracket,
        lambda found: (
            found["legs"][1]["order"]["price"] == "1090"
            and found["legs"][2]["order"]["stop_px"] == "910"
        ),
    )
    assert summary(found) == [DONE, OPEN, OPEN]


@pytest.mark.parametrize(
    ("legs", "code"),
    [
        ([{"leg_no": 1, "price": "951.00"}], "out_of_range"),
        ([{"leg_no": 4, "price": "951.00"}], "out_of_range"),
        ([{"leg_no": 2, "price": "899.00"}], "bracket_prices"),
        ([{"leg_no": 3, "stop_px": "1101.00"}], "bracket_prices"),
        ([{"leg_no": 3, "stop_px": "1001.00"}], "would_trigger_immediately"),
        ([{"leg_no": 2, "price": "1100.00"}], "no_change"),
        ([{"leg_no": 2, "price": "1100.001"}], "off_tick"),
        ([{"leg_no": 2, "price": "1090.00", "order_qty": "2"}], "unknown_field"),
    ],
)
def test_exits_refuse_what_cannot_be(open_bracket, lists, legs, code):
    refused = lists.replace(open_bracket, *legs)
    assert (refused.status, refused.inner) == (422, code), refused.text


def test_exits_that_wait_take_other_prices_at_once(gateway, market, lists):
    list_id = lists.bracket_placed("3")
    wrong = lists.replace(list_id, {"leg_no": 3, "stop_px": "955.00"})
    assert (wrong.status, wrong.code) == (422, "bracket_prices")
    moved = lists.replace(list_id, {"leg_no": 3, "stop_px": "930.00"})
    assert moved.json["legs"][2]["order"]["stop_px"] == "930"
    assert moved.json["legs"][2]["order"]["ord_status"] == "SUSPENDED"
    enter(lists, market, list_id)
    found = lists.until_legs(list_id, DONE, OPEN, OPEN)
    assert found["legs"][2]["order"]["stop_px"] == "930"


def test_a_list_cancelled_before_anything_is_sent_ends_at_once(market, lists, desk):
    list_id = lists.bracket_placed("3")
    cancelled = lists.cancel(list_id)
    ended = ("CANCELED", "3", "0")
    assert (cancelled.status, summary(cancelled.json)) == (202, [ended] * 3)
    assert cancelled.json["list_order_status"] == "ALL_DONE"
    again = lists.cancel(list_id)
    assert (again.status, again.code) == (409, "state_conflict")
    assert desk.at_venue() == []


def test_a_stop_nobody_answers_for_is_not_doubled_and_not_called_protection(
    gateway, impatient, market, lists, program, desk, monkeypatch
):
    monkeypatch.setattr("oms.services.lists.protection.PROTECT_WITHIN", timedelta(seconds=1))
    list_id = lists.bracket_placed("3")
    lists.until(list_id, lambda found: found["legs"][0]["order"]["ord_status"] == "NEW")
    body = {"switch": "drop_before_read", "times": 1, "command": "NEW"}
    assert program.post(f"/connections/{desk.connection}/faults", body).status == 200
    enter(lists, market, list_id)
    found = lists.until(list_id, lambda found: found["alarms"] != [])
    assert found["alarms"][0]["reason"] == "the outcome of the stop is unknown"
    lists.until_legs(list_id, DONE, OPEN, OPEN)  # sent again under the same id, as any order
    lists.until(list_id, lambda found: not found["alarms"])
    assert len(desk.at_venue()) == 3


def test_what_stands_unprotected_is_closed_where_that_was_agreed(
    gateway, market, lists, alice, desk, monkeypatch
):
    monkeypatch.setattr("oms.services.lists.protection.PROTECT_WITHIN", timedelta(seconds=1))
    legs = (
        leg("BUY", "950.00", order_qty="3"),
        leg("SELL", "1100.00"),
        leg("SELL", stop_px="949.50"),
    )
    list_id = lists.placed("OTOCO", *legs, reprotect="FLATTEN")
    enter_below(lists, market, list_id)
    found = lists.until(list_id, lambda found: found["list_order_status"] == "ALL_DONE")
    assert [one["order"]["ord_type"] for one in found["legs"]] == [
        "LIMIT", "LIMIT", "STOP", "MARKET",
    ]  # fmt: skip
    assert summary(found)[1:] == [("CANCELED", "3", "0"), ("REJECTED", "3", "0"), DONE]
    assert (found["alarms"], found["unprotected_qty"]) == ([], "0")
    (position,) = alice.get(f"/positions?account={desk.code}").json["items"]
    assert position["qty"] == "0"


def test_nothing_is_sent_again_where_that_was_agreed(gateway, market, lists, desk, monkeypatch):
    monkeypatch.setattr("oms.services.lists.protection.PROTECT_WITHIN", timedelta(seconds=1))
    legs = (
        leg("BUY", "950.00", order_qty="3"),
        leg("SELL", "1100.00"),
        leg("SELL", stop_px="949.50"),
    )
    list_id = lists.placed("OTOCO", *legs, reprotect="NONE")
    enter_below(lists, market, list_id)
    lists.until(list_id, lambda found: found["alarms"] != [])
    sweep(lists, list_id)
    assert len(desk.rows(Order, list_id=list_id)) == 3


def test_many_who_ask_at_once_get_answers_and_the_list_ends(open_bracket, lists, alice):
    target, stop = lists.order_id(open_bracket, 2), lists.order_id(open_bracket, 3)
    path = f"/order-lists/{open_bracket}"
    prices = [{"legs": [{"leg_no": 2, "price": f"{1090 + n}.00"}]} for n in range(4)]
    calls = [lambda me, body=body: me.post(f"{path}/replace", body) for body in prices]
    calls += [lambda me: me.get(path)] * 4
    calls += [lambda me, leg=leg: me.cancel(leg, scope="leg") for leg in (target, stop)]
    calls += [lambda me: me.post(f"{path}/cancel", {})] * 2
    answers = alice.many(calls, threads=12)
    assert {answer.status for answer in answers} <= {200, 202, 409}
    found = lists.until(open_bracket, lambda found: found["list_order_status"] == "ALL_DONE")
    assert summary(found) == [DONE] + [("CANCELED", "3", "0")] * 2


def test_a_limit_set_meanwhile_does_not_keep_a_stop_from_protecting(
    gateway, market, lists, program, desk
):
    list_id = lists.bracket_placed("3")
    lists.until(list_id, lambda found: found["legs"][0]["order"]["ord_status"] == "NEW")
    body = {"scope": "account", "target": desk.code, "rule": "max_order_qty", "value": "1"}
    assert program.call("PUT", "/risk/limits", body).status == 200
    enter(lists, market, list_id)
    lists.until_legs(list_id, DONE, OPEN, OPEN)


def test_a_position_people_look_after_themselves_is_taken_off_the_alarm(
    gateway, market, lists, monkeypatch
):
    monkeypatch.setattr("oms.services.lists.protection.PROTECT_WITHIN", timedelta(seconds=1))
    legs = (
        leg("BUY", "950.00", order_qty="3"),
        leg("SELL", "1100.00"),
        leg("SELL", stop_px="949.50"),
    )
    list_id = lists.placed("OTOCO", *legs, reprotect="NONE")
    enter_below(lists, market, list_id)
    lists.until(list_id, lambda found: found["alarms"] != [])
    assert lists.person.cancel(lists.order_id(list_id, 2), scope="leg").status == 202
    lists.until(list_id, lambda found: found["list_order_status"] == "ALL_DONE")
    assert lists.get(list_id)["alarms"] != []
    assert lists.cancel(list_id).json["alarms"] == []
    assert lists.cancel(list_id).status == 409


def enter_below(lists: Lists, market, list_id: str) -> None:
    """Let the entry fill in a market that is below its stop already."""
    lists.until(list_id, lambda found: found["legs"][0]["order"]["ord_status"] == "NEW")
    market.show("949.00", "949.50")
    lists.until(list_id, lambda found: found["legs"][2]["order"]["ord_status"] == "REJECTED")


def sweep(lists: Lists, list_id: str) -> None:
    """Follow the list as the sweeper does."""
    follow.follow(schema=lists.person.desk.schema, list_id=list_id, now=utcnow())
