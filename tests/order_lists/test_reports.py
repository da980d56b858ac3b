"""What venues say of legs, late, wrong or taken back, and what their list then asks for.

No gateway runs: a test says what the venue reports and follows the list itself.
"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.adapters.capabilities import Amend
from brokers.adapters.paper.adapter import PaperBroker
from oms.models import Command, Order
from oms.services import protocol
from oms.services.lists import follow
from oms.services.reports import Incoming, apply_reports
from tenants.binding import tenant_bound
from tests.journeys.cast import fresh, utcnow
from tests.order_lists.desk import leg, summary
from trading.orders.reports import ExecutionReport
from trading.vocabulary import ExecType, ReportSource

PX = {"BUY": "950", "SELL": "1100"}


class Venue:
    """What the venue says of the legs of one list."""

    def __init__(self, lists, list_id: str) -> None:
        self.lists, self.list_id, self.desk = lists, list_id, lists.person.desk

    def order(self, leg_no: int) -> Order:
        (order,) = self.desk.rows(Order, list_id=self.list_id, leg_no=leg_no)
        return order

    def says(self, leg_no: int, *words: str, **values) -> None:
        """Reports about one order of the list, then the list is followed."""
        order = self.order(leg_no)
        for word in words:
            report = ExecutionReport(
                exec_type=ExecType(word),
                source=ReportSource.VENUE,
                exec_id=values.get("exec_id") or fresh("E"),
                transact_time=utcnow(),
                venue_cl_ord_id=self.version(order),
                order_id=f"V-{order.id}",
                **{name: value for name, value in values.items() if name != "exec_id"},
            )
            apply_reports(
                schema=self.desk.schema, account_id=self.desk.account_id,
                incoming=[Incoming(report, None)], actor="system:test", now=utcnow(),
            )  # fmt: skip
        self.follow()

    def version(self, order: Order) -> str:
        """The id under which the venue has heard of the order last."""
        rows = self.desk.rows(Command, order_id=order.id)
        return [row.venue_cl_ord_id for row in rows if row.kind == "NEW"][-1]

    def fills(self, leg_no: int, qty: int, **values) -> None:
        px = Decimal(PX[self.order(leg_no).side])
        self.says(leg_no, "TRADE", last_qty=Decimal(qty), last_px=px, **values)

    def carries_out(self) -> None:
        """Say that everything asked for has been done, until nothing more is asked for."""
        for _ in range(12):
            waiting = self.desk.rows(Command, state="QUEUED", account_id=self.desk.account_id)
            if not waiting:
                return
            for command in waiting:
                self._does(command)
            self.follow()
        raise AssertionError("the list finds no rest")

    def _does(self, command: Command) -> None:
        """Take the command off the queue and let the venue say that it is done."""
        with tenant_bound(self.desk.schema):
            held, order = protocol.locked_command(command.id)
            protocol.claim(held, order, 1, utcnow())
        word = {"NEW": "NEW", "CANCEL": "CANCELED", "REPLACE": "REPLACED"}[command.kind]
        more = {}
        if command.kind == "REPLACE":
            more = {"order_qty": Decimal(command.payload["order_qty"])}
        report = ExecutionReport(
            exec_type=ExecType(word),
            source=ReportSource.VENUE,
            exec_id=fresh("E"),
            transact_time=utcnow(),
            cl_ord_id=command.cl_ord_id,
            orig_cl_ord_id=command.orig_cl_ord_id,
            venue_cl_ord_id=command.venue_cl_ord_id,
            **more,
        )
        apply_reports(
            schema=self.desk.schema, account_id=self.desk.account_id,
            incoming=[Incoming(report, None)], actor="system:test", now=utcnow(),
        )  # fmt: skip

    def follow(self, after_s: int = 0) -> None:
        """Follow the list, as the sweeper will so many seconds from now."""
        now = utcnow() + timedelta(seconds=after_s)
        follow.follow(schema=self.desk.schema, list_id=self.list_id, now=now)

    def shows(self) -> list[tuple[str, str, str]]:
        return summary(self.lists.get(self.list_id))


@pytest.fixture
def bracket(market, lists) -> Venue:
    """A bracket of 10 whose entry the venue has."""
    venue = Venue(lists, lists.bracket_placed("10"))
    venue.says(1, "NEW")
    return venue


@pytest.fixture
def half_open(bracket) -> Venue:
    """A bracket whose entry was cancelled with 3 of 10 filled; both exits work for 3."""
    bracket.fills(1, 3)
    bracket.says(1, "CANCELED")
    bracket.carries_out()
    assert bracket.shows() == [("CANCELED", "10", "3"), ("NEW", "3", "0"), ("NEW", "3", "0")]
    return bracket


def test_following_twice_asks_for_nothing_more(bracket, desk):
    bracket.fills(1, 3)
    asked = len(desk.rows(Command, account_id=desk.account_id))
    bracket.follow()
    bracket.follow()
    assert len(desk.rows(Command, account_id=desk.account_id)) == asked == 3


def test_exits_grow_with_a_late_fill_of_a_closed_entry(half_open):
    half_open.fills(1, 2)
    half_open.carries_out()
    assert half_open.shows() == [("CANCELED", "10", "5"), ("NEW", "5", "0"), ("NEW", "5", "0")]


def test_a_late_fill_after_the_exits_are_done_is_closed_by_new_ones(half_open, lists):
    half_open.fills(2, 3)
    half_open.carries_out()
    assert lists.get(half_open.list_id)["list_order_status"] == "ALL_DONE"
    half_open.fills(1, 2)
    found = lists.get(half_open.list_id)
    assert (found["list_order_status"], found["unprotected_qty"]) == ("EXECUTING", "2")
    half_open.carries_out()
    assert half_open.shows()[3:] == [("NEW", "2", "0")] * 2
    assert lists.get(half_open.list_id)["unprotected_qty"] == "0"


def test_exits_shrink_when_a_fill_of_the_entry_is_taken_back(bracket):
    bracket.fills(1, 3)
    bracket.fills(1, 4, exec_id="bust-me")
    bracket.carries_out()
    assert bracket.shows()[1:] == [("NEW", "7", "0")] * 2
    bracket.says(1, "TRADE_CANCEL", exec_ref_id="bust-me")
    bracket.carries_out()
    assert bracket.shows()[1:] == [("NEW", "3", "0")] * 2


def test_a_target_the_venue_ends_leaves_its_stop(half_open, lists):
    half_open.says(2, "EXPIRED")
    half_open.carries_out()
    assert half_open.shows()[1:] == [("EXPIRED", "3", "0"), ("NEW", "3", "0")]
    assert lists.get(half_open.list_id)["unprotected_qty"] == "0"


def test_a_target_the_venue_refuses_is_tried_once_more(bracket, lists):
    bracket.fills(1, 10)
    bracket.says(3, "NEW")
    bracket.says(2, "REJECTED")
    assert bracket.shows()[1:] == [("REJECTED", "10", "0"), ("NEW", "10", "0")]
    bracket.follow(after_s=6)
    assert bracket.shows()[3:] == [("PENDING_NEW", "10", "0")]
    bracket.says(4, "REJECTED")
    bracket.follow(after_s=12)
    assert [status for status, _, _ in bracket.shows()[1:]] == ["REJECTED", "NEW", "REJECTED"]
    assert lists.get(bracket.list_id)["alarms"] == []


@pytest.mark.parametrize("word", ["CANCELED", "EXPIRED", "REJECTED"])
def test_the_first_alternative_a_venue_ends_ends_the_others(market, lists, word):
    pair = leg("BUY", "950.00", order_qty="10"), leg("BUY", "940.00", order_qty="10")
    venue = Venue(lists, lists.placed("OCO", *pair))
    if word != "REJECTED":
        venue.says(2, "NEW")
    venue.says(1, "NEW")
    venue.says(2, word)
    venue.carries_out()
    assert venue.shows() == [("CANCELED", "10", "0"), (word, "10", "0")]


def test_the_fill_before_the_word_that_the_entry_is_there_releases_too(market, lists):
    venue = Venue(lists, lists.bracket_placed("10"))
    venue.fills(1, 10)
    venue.carries_out()
    assert venue.shows() == [("FILLED", "10", "10"), ("NEW", "10", "0"), ("NEW", "10", "0")]


def test_where_nothing_is_amended_a_new_stop_works_before_the_old_one_goes(
    market, lists, desk, monkeypatch
):
    slow = replace(PaperBroker.capabilities, amend=Amend.CANCEL_NEW)
    monkeypatch.setattr(PaperBroker, "capabilities", slow)
    venue = Venue(lists, lists.bracket_placed("10"))
    venue.says(1, "NEW")
    venue.fills(1, 3)
    venue.carries_out()
    venue.fills(1, 7)
    stop, target = venue.order(3), venue.order(2)
    asked = {
        (row.kind, row.order_id)
        for row in desk.rows(Command, state="QUEUED", account_id=desk.account_id)
    }
    assert ("CANCEL", target.id) in asked
    assert ("CANCEL", stop.id) not in asked
    venue.carries_out()
    assert venue.shows()[:3] == [
        ("FILLED", "10", "10"), ("CANCELED", "3", "0"), ("CANCELED", "3", "0"),
    ]  # fmt: skip
    assert sorted(venue.shows()[3:]) == [("NEW", "10", "0")] * 2
    assert lists.get(venue.list_id)["unprotected_qty"] == "0"


def test_a_halt_ends_every_leg_and_none_comes_back_when_it_is_lifted(half_open, program, desk):
    body = {"scope": "account", "target": desk.code, "state": "HALTED", "reason": "drill"}
    assert program.post("/risk/halts", body).status == 201
    assert program.post("/orders/cancel-all", {"account": desk.code}).status == 202
    half_open.follow()
    half_open.carries_out()
    ended = [("CANCELED", "3", "0")] * 2
    assert half_open.shows()[1:] == ended
    half_open.follow()
    assert half_open.shows()[1:] == ended
