"""Orders for an auction: when it takes them, when it gives them back, where there is none."""

from dataclasses import replace
from datetime import timedelta

import pytest

from brokers.adapters.paper.adapter import PaperBroker
from marketdata.models import CalendarSession, Instrument
from oms.models import Command, Order
from tests.journeys.cast import utcnow
from trading.vocabulary import OrdType, TimeInForce

CLOSE = {"price": "950.00", "tif": "CLS"}


@pytest.fixture(autouse=True)
def auctions(monkeypatch) -> None:
    """The paper venue holds auctions."""
    words = frozenset({TimeInForce.OPG, TimeInForce.CLS})
    takes = dict(PaperBroker.capabilities.time_in_force)
    takes |= {word: takes[word] | words for word in (OrdType.LIMIT, OrdType.MARKET)}
    able = replace(PaperBroker.capabilities, time_in_force=takes)
    monkeypatch.setattr(PaperBroker, "capabilities", able)


@pytest.mark.parametrize(
    ("last", "late", "cutoff", "following"),
    [
        ("2026-03-02T15:49:59", "2026-03-02T15:50", "2026-03-02T20:50:00", "2026-03-03T21:00:00"),
        ("2026-11-27T12:49:59", "2026-11-27T12:50", "2026-11-27T17:50:00", "2026-11-30T21:00:00"),
    ],
    ids=["a whole day", "a half day"],
)
def test_row_68_after_the_cutoff_the_closing_auction_takes_no_order(
    exchange_hours, at_the_exchange, alice, desk, last, late, cutoff, following
):
    at_the_exchange(late)
    for terms in (CLOSE, {"tif": "CLS"}):
        refused = alice.place("BUY", "10", **terms)
        assert (refused.status, refused.code) == (422, "auction_cutoff"), refused.text
        assert cutoff in refused.json["detail"]
        assert following in refused.json["detail"]
        assert refused.json["errors"][0]["field"] == "time_in_force"
    assert desk.rows(Order, account_id=desk.account_id) == []
    at_the_exchange(last)
    assert alice.place("BUY", "10", **CLOSE).status == 201


@pytest.fixture
def session_of_now(exchange_hours):
    """SPX trades since an hour for another one; its auction closes half an hour before the end."""
    now, hour = utcnow(), timedelta(hours=1)
    row = CalendarSession.objects.create(
        calendar="NOW", day=now.date(), open_at=now - hour, close_at=now + hour,
        auction_entry_cutoff=now + hour / 2, auction_cancel_cutoff=now + hour / 2,
    )  # fmt: skip
    spx = Instrument.objects.filter(symbol="SPX")
    calendar = spx.values_list("calendar", flat=True).get()
    spx.update(calendar="NOW")
    yield row
    spx.update(calendar=calendar)
    row.delete()


def test_row_68_a_cancel_after_the_cutoff_is_sent_with_a_warning(
    gateway, session_of_now, market, alice, desk
):
    order_id = alice.placed("BUY", "10", **CLOSE)
    alice.until_status(order_id, "NEW")
    session_of_now.auction_cancel_cutoff = utcnow() - timedelta(seconds=1)
    session_of_now.save()
    asked = alice.cancel(order_id)
    assert asked.status == 202
    assert [row["code"] for row in asked.json["warnings"]] == ["likely_refused"]
    assert alice.until_final(order_id)["ord_status"] == "CANCELED"
    (cancel,) = desk.rows(Command, order_id=order_id, kind="CANCEL")
    assert cancel.state == "ACKED"


def test_before_the_cutoff_a_cancel_warns_of_nothing(exchange_hours, at_the_exchange, alice):
    at_the_exchange("2026-03-02T15:30")
    assert alice.cancel(alice.placed("BUY", "10", **CLOSE)).json["warnings"] == []


def test_an_order_for_the_open_goes_out_before_it_and_is_too_late_after(
    exchange_hours, at_the_exchange, alice, desk
):
    at_the_exchange("2026-03-02T09:00")
    early = alice.place("BUY", "10", price="950.00", tif="OPG")
    assert early.status == 201, early.text
    assert early.json["held_by"] is None
    at_the_exchange("2026-03-02T09:31")
    refused = alice.place("BUY", "10", price="951.00", tif="OPG")
    assert (refused.status, refused.code) == (422, "auction_cutoff")
    assert "2026-03-03T14:30:00" in refused.json["detail"]


def test_what_has_no_auction_takes_no_order_for_one(market, alice):
    refused = alice.place("BUY", "10", **CLOSE)
    assert (refused.status, refused.code) == (422, "unsupported_by_venue")
    assert refused.json["errors"][0]["field"] == "time_in_force"
