"""What venues say about orders, in whatever order they say it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from brokers.adapters.paper.parse import parse
from brokers.models import BrokerMessage
from oms.gateway import messages
from oms.models import Execution, Order, ParkedReport
from oms.services.reports import Incoming, apply_reports
from tests.journeys.cast import fresh, utcnow
from trading.orders.reports import ExecutionReport
from trading.vocabulary import ExecType, OrdStatus, ReportSource

LIMIT = {"price": "950.00", "tif": "GTC"}
PX = Decimal(950)


@pytest.fixture
def order(market, alice):
    """The id of an order of 100 that no gateway has sent yet."""
    return alice.placed("BUY", "100", **LIMIT)


@pytest.fixture
def say(desk, order):
    """Let the venue report on the order; return the verdicts."""

    def _say(*words, **more):
        values = {"venue_cl_ord_id": order, "order_id": f"V-{order[-6:]}", **more}
        incoming = [
            Incoming(
                ExecutionReport(
                    exec_type=ExecType(word),
                    source=ReportSource.VENUE,
                    exec_id=values.get("exec_id") or fresh("E"),
                    transact_time=values.get("at") or utcnow(),
                    **{k: v for k, v in values.items() if k not in {"exec_id", "at"}},
                ),
                None,
            )
            for word in words
        ]
        folded = apply_reports(
            schema=desk.schema,
            account_id=desk.account_id,
            incoming=incoming,
            actor="system:test",
            now=utcnow(),
        )
        return [one and one.verdict and one.verdict.value for one in folded]

    return _say


@pytest.fixture
def fill(say):
    def _fill(qty, px=PX, **more):
        return say("TRADE", last_qty=Decimal(qty), last_px=Decimal(px), **more)

    return _fill


@pytest.fixture
def now_is(alice, order):
    """Compare the order as the API shows it."""

    def _now_is(status, cum="0", leaves="0", overfill="0"):
        shown = alice.order(order)
        names = ("ord_status", "cum_qty", "leaves_qty", "overfill_qty")
        assert tuple(shown[name] for name in names) == (status, cum, leaves, overfill)
        return shown

    return _now_is


def parked(desk):
    return [row.reason for row in desk.rows(ParkedReport, account_id=desk.account_id)]


def position(alice, desk):
    rows = alice.get(f"/positions?account={desk.code}").json["items"]
    return [row["qty"] for row in rows]


def test_a_fill_before_the_acknowledgement_proves_the_order(fill, say, now_is):
    fill(40)
    assert now_is("PARTIALLY_FILLED", "40", "60")["pending"] == []
    say("NEW")
    now_is("PARTIALLY_FILLED", "40", "60")
    fill(60)
    now_is("FILLED", "100")


def test_the_same_fill_by_two_channels_counts_once(fill, say, now_is, alice, order):
    say("NEW")
    fill(40, exec_id="E-1")
    version = now_is("PARTIALLY_FILLED", "40", "60")["version"]
    fill(40, exec_id="E-1")
    assert now_is("PARTIALLY_FILLED", "40", "60")["version"] == version
    assert alice.executions(order) == [("40", "950")]


def test_the_same_fill_id_with_another_price_is_parked(fill, say, now_is, desk):
    say("NEW")
    fill(40, exec_id="E-1")
    assert fill(40, px=951, exec_id="E-1") == ["PARKED"]
    now_is("PARTIALLY_FILLED", "40", "60")
    assert parked(desk) == ["exec_conflict"]
    assert len(desk.rows(Execution, account_id=desk.account_id)) == 1


def test_fills_out_of_order_sum_up(fill, say, now_is):
    say("NEW")
    fill(20, cum_qty=Decimal(50), at=utcnow() + timedelta(seconds=1))
    now_is("PARTIALLY_FILLED", "20", "80")
    fill(30, cum_qty=Decimal(30))
    now_is("PARTIALLY_FILLED", "50", "50")


def test_a_late_fill_of_a_cancelled_order_is_booked_and_flagged(fill, say, now_is, desk, alice):
    say("NEW", "CANCELED")
    now_is("CANCELED")
    assert fill(40) == ["LATE"]
    now_is("CANCELED", "40")
    (row,) = desk.rows(Execution, account_id=desk.account_id)
    assert row.late
    assert position(alice, desk) == ["40"]
    fill(60)
    now_is("FILLED", "100")


def test_a_fill_of_a_rejected_order_reopens_it(fill, say, now_is, desk, alice):
    say("REJECTED", text="no")
    assert now_is("REJECTED")["ord_rej_reason"] is None
    assert fill(40) == ["LATE"]
    assert now_is("PARTIALLY_FILLED", "40", "60")
    assert position(alice, desk) == ["40"]


def test_more_than_was_ordered_is_booked_as_overfill(fill, say, now_is, desk, alice):
    say("NEW")
    fill(100)
    assert fill(20) == ["OVERFILL"]
    now_is("FILLED", "120", "0", "20")
    assert position(alice, desk) == ["120"]


def test_a_venue_that_says_filled_before_the_fills_is_not_believed(say, now_is):
    say("NEW")
    say("ORDER_STATUS", ord_status="FILLED", cum_qty=Decimal(100), order_qty=Decimal(100))
    now_is("NEW", "0", "100")


def test_a_report_about_no_order_of_ours_is_parked(say, now_is, desk):
    assert say("NEW", venue_cl_ord_id="nobody", order_id="V-nobody") == [None]
    assert parked(desk) == ["no_such_order"]
    assert now_is("PENDING_NEW", "0", "100")


def test_a_report_is_found_by_the_venues_own_id_too(say, fill, now_is):
    say("NEW", order_id="V-77")
    fill(100, venue_cl_ord_id=None, order_id="V-77")
    now_is("FILLED", "100")


def test_an_unreadable_message_is_kept_and_parked(desk, order, now_is):
    raw = b'{"exec_type":"SINGING","\xff":1'
    messages.take(schema=desk.schema, account_code=desk.code, raw=raw, parse=parse, now=utcnow())
    (kept,) = desk.rows(BrokerMessage, account_id=desk.account_id)
    assert "SINGING" in kept.raw
    (row,) = desk.rows(ParkedReport, account_id=desk.account_id)
    assert row.reason.startswith("unreadable")
    assert row.broker_message_id == kept.pk
    now_is("PENDING_NEW", "0", "100")


def test_an_old_acknowledgement_says_nothing_new(say, fill, now_is, desk, order):
    say("NEW")
    fill(100)
    (before,) = desk.rows(Order, pk=order)
    say("NEW", exec_id="again")
    (after,) = desk.rows(Order, pk=order)
    assert after.ord_status == before.ord_status == "FILLED"
    assert (after.cum_qty, after.leaves_qty, after.is_closed) == (100, 0, True)


def test_a_status_answer_that_concluded_nothing_may_conclude_the_next_time(say, fill, now_is):
    say("NEW")
    answer = {"exec_id": fresh("S"), "ord_status": OrdStatus.CANCELED, "cum_qty": Decimal(40)}
    say("ORDER_STATUS", order_qty=Decimal(100), **answer)
    now_is("NEW", leaves="100")
    fill("40")
    say("ORDER_STATUS", order_qty=Decimal(100), **answer)
    now_is("CANCELED", cum="40")
    say("ORDER_STATUS", order_qty=Decimal(100), **answer)
    now_is("CANCELED", cum="40")
