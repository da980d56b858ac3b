"""Orders held here: what wakes them, what ends them, what a crash or silence does to them."""

import threading
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from brokers.services import acquire_lease
from marketdata.models import Instrument
from oms.audit import order_problems
from oms.gateway import sender
from oms.models import Command, Order, OrderVersion
from oms.services import ends, protocol
from oms.services.reduce_only import shrink_reducing
from oms.services.reports import Incoming, apply_reports
from tenants.binding import tenant_bound
from tests.journeys.cast import fresh, until, utcnow
from tests.journeys.kept import STOP, TRAIL, alarms, desk, price, sent
from trading.orders.reports import ExecutionReport
from trading.vocabulary import ExecType, ReportSource

__all__ = ["alarms", "desk", "price"]

ENTRY = {"ord_type": "STOP_LIMIT", "price": "106", "stop_px": "105", "tif": "GTC"}


def kept(alice, side="SELL", qty="10", **terms) -> str:
    order_id = alice.placed(side, qty, **terms or STOP)
    order = alice.until_status(order_id, "NEW")
    assert (order["held_by"], order["working_indicator"]) == ("OMS", False)
    return order_id


# --- requests about them --------------------------------------------------------------------------


def test_a_kept_order_is_cancelled_at_once_without_the_venue(price, alice, desk):
    price("100")
    order_id = kept(alice)
    answer = alice.cancel(order_id)
    assert (answer.status, answer.json["ord_status"], answer.json["held_by"]) == (
        202, "CANCELED", None,
    )  # fmt: skip
    assert desk.rows(Command, order_id=order_id) == []
    (balance,) = alice.get(f"/balances?account={desk.code}").json["items"]
    assert balance["reserved"] == "0"


def test_a_kept_order_takes_other_terms_at_once_and_fires_by_them(gateway, price, alice, desk):
    price("100")
    order_id = kept(alice)
    answer = alice.replace(order_id, stop_px="92", order_qty="8")
    assert (answer.status, answer.json["stop_px"], answer.json["order_qty"]) == (202, "92", "8")
    price("94")
    price("92")
    assert alice.until_final(order_id)["cum_qty"] == "8"
    (command,) = desk.rows(Command, order_id=order_id)
    (version,) = desk.rows(OrderVersion, order_id=order_id, state="ACCEPTED")
    assert command.venue_cl_ord_id == version.venue_cl_ord_id == f"{order_id}01"


def test_what_only_this_system_could_hold_is_refused_to_who_does_not_want_that(price, alice, desk):
    price("100")
    refused = alice.place("SELL", "10", **STOP, allow_synthetic=False)
    assert (refused.status, refused.code) == (422, "unsupported_by_venue")
    assert desk.rows(Order, account_id=desk.account_id) == []


def test_a_preview_says_who_would_hold_the_order(price, alice):
    price("100")
    shown = alice.post("/orders/preview", alice.order_body("SELL", "10", **STOP)).json["estimate"]
    assert (shown["held_by"], shown["synthetic_parts"], shown["sent_as"]) == (
        "OMS", ["trigger"], "MARKET",
    )  # fmt: skip


def test_everything_cancelled_at_once_ends_what_is_kept(price, alice, desk):
    price("100")
    order_ids = {kept(alice), kept(alice, **TRAIL)}
    swept = alice.post("/orders/cancel-all", {"account": desk.code})
    assert swept.status == 202
    assert {alice.order(order_id)["ord_status"] for order_id in order_ids} == {"CANCELED"}


def test_the_proof_of_orders_names_what_nobody_keeps(gateway, price, alice, desk):
    price("100")
    lost, bought = kept(alice), alice.placed("BUY", "10")
    alice.until_final(bought)
    for order_id, holder, problem in (
        (lost, None, "nobody holds it"),
        (bought, "OMS", "it is held by OMS and FILLED at its venue"),
    ):
        with tenant_bound(desk.schema):
            assert order_problems([desk.code]) == []
            Order.objects.filter(pk=order_id).update(held_by=holder)
            assert any(problem in found for found in order_problems([desk.code]))
            transaction.set_rollback(True)


# --- firing ---------------------------------------------------------------------------------------


def test_a_trailing_stop_limit_goes_out_as_a_limit_behind_its_stop(gateway, price, alice, desk):
    price("100")
    terms = TRAIL | {"ord_type": "TRAILING_STOP_LIMIT", "trail_type": "PRICE", "limit_offset": "2"}
    order_id = kept(alice, **terms)
    price("110")
    alice.until(order_id, lambda o: o["stop_px"] == "105")
    price("104.50")
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["price"]) == ("FILLED", "103")
    assert alice.executions(order_id) == [("10", "104.25")]
    assert sent(desk, order_id) == [("LIMIT", "GTC")]


def test_a_purchase_stop_limit_fires_upward(gateway, price, alice, desk):
    price("100")
    order_id = kept(alice, "BUY", **ENTRY)
    price("104.99")
    price("105")
    assert alice.until_final(order_id)["ord_status"] == "FILLED"
    assert alice.words(order_id)[:3] == ["PENDING_NEW", "NEW", "TRIGGERED"]


def test_what_fires_in_a_halt_does_not_go_out(gateway, price, alice, program, desk):
    price("100")
    order_id = kept(alice)
    body = {"scope": "account", "target": desk.code, "state": "HALTED", "reason": "drill"}
    assert program.post("/risk/halts", body).status == 201
    price("94")
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["ord_rej_reason"], order["text"]) == (
        "REJECTED", "NOT_SENT", "trading_halted",
    )  # fmt: skip
    assert desk.at_venue() == []


def test_a_crash_between_firing_and_sending_sends_once(
    idle_gateway, price, alice, desk, monkeypatch
):
    fired, drain = threading.Event(), sender.drain

    async def dying(session, account_id):
        fired.set()

    price("100")
    order_ids = [kept(alice, **STOP | {"stop_px": f"{95 + n}"}) for n in range(3)]
    monkeypatch.setattr(sender, "drain", dying)
    idle_gateway.start()
    price("96")
    assert fired.wait(10)
    until(
        lambda: len(desk.rows(Command, account_id=desk.account_id, state="QUEUED")) == 2,
        "two of three have fired",
    )
    idle_gateway.stop()
    assert desk.at_venue() == []

    monkeypatch.setattr(sender, "drain", drain)
    price("96")
    idle_gateway.start()
    for order_id in order_ids[1:]:
        assert alice.until_final(order_id)["ord_status"] == "FILLED"
        assert alice.words(order_id).count("TRIGGERED") == 1
    assert alice.order(order_ids[0])["held_by"] == "OMS"
    assert len(desk.at_venue()) == 2


# --- silence --------------------------------------------------------------------------------------


def test_old_prices_fire_nothing_and_blindness_is_an_alarm(
    gateway, market, price, alice, desk, alarms, settings
):
    settings.OMS_QUOTE_MAX_AGE_S = 1
    price("100")
    order_id = kept(alice)
    price("90", at=utcnow() - timedelta(seconds=3))
    until(lambda: alarms("TRIGGER_BLIND") == ["SPX"], "no fresh price is an alarm")
    assert alice.order(order_id)["ord_status"] == "NEW"
    until(fed(price, lambda: alarms("TRIGGER_BLIND") == []), "the alarm closes with fresh prices")
    assert alice.order(order_id)["held_by"] == "OMS"


def test_what_the_market_passed_unseen_does_not_fire_and_is_an_alarm(
    idle_gateway, price, alice, desk, alarms, settings
):
    settings.OMS_QUOTE_MAX_AGE_S = 0.5
    price("100")
    idle_gateway.start()
    order_id = kept(alice)
    idle_gateway.stop()
    price("94")
    until(lambda: utcnow() > alarm_time(desk, order_id), "more than a price's age has passed")
    price("99")
    idle_gateway.start()
    missed = fed(price, lambda: alarms("TRIGGER_MISSED") == [order_id])
    until(missed, "the missed trigger is an alarm")
    assert alice.order(order_id)["held_by"] == "OMS"
    alice.cancel(order_id)
    until(lambda: alarms("TRIGGER_MISSED") == [], "the alarm ends with the order")


def fed(price, holds):
    """The condition, with a fresh price at each look, as a feed would have it."""

    def _holds() -> bool:
        price("99")
        return holds()

    return _holds


def alarm_time(desk, order_id) -> datetime:
    (order,) = desk.rows(Order, id=order_id)
    return order.updated_at + timedelta(seconds=1.5)


# --- ends -----------------------------------------------------------------------------------------


def test_a_kept_order_for_the_day_expires_at_the_close_without_the_venue(price, alice, desk):
    price("100")
    order_id = kept(alice, **STOP | {"tif": "DAY"})
    midnight = (utcnow() + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    ends.expire(schema=desk.schema, order_pk=order_id, now=midnight - timedelta(microseconds=1))
    assert alice.order(order_id)["ord_status"] == "NEW"
    ends.expire(schema=desk.schema, order_pk=order_id, now=midnight)
    order = alice.order(order_id)
    assert (order["ord_status"], order["held_by"], order["leaves_qty"]) == ("EXPIRED", None, "0")
    assert desk.rows(Command, order_id=order_id) == []


def test_a_kept_stop_ends_at_its_date_by_the_gateway(gateway, price, alice, desk):
    price("100")
    at = (utcnow() + timedelta(seconds=2)).isoformat()
    order_id = kept(alice, **STOP | {"tif": "GTD", "expire_time": at})
    assert alice.until_final(order_id)["ord_status"] == "EXPIRED"
    assert desk.at_venue() == []


def test_a_price_after_its_date_does_not_fire_what_nobody_has_ended_yet(
    idle_gateway, price, alice, desk
):
    price("100")
    at = utcnow() + timedelta(seconds=1.5)
    order_id = kept(alice, **STOP | {"tif": "GTD", "expire_time": at.isoformat()})
    until(lambda: utcnow() > at, "its date has passed")
    price("90")
    idle_gateway.start()
    assert alice.until_final(order_id)["ord_status"] == "EXPIRED"
    assert alice.words(order_id) == ["PENDING_NEW", "NEW", "EXPIRED"]


def test_the_date_of_an_order_survives_what_its_venue_says_of_it(gateway, price, alice, desk):
    price("100")
    order_id = alice.placed("BUY", "10", price="90", tif="GTC")
    alice.until_status(order_id, "NEW")
    at = (utcnow() + timedelta(hours=1)).replace(microsecond=0)
    answer = alice.replace(order_id, time_in_force="GTD", expire_time=at.isoformat())
    assert answer.status == 202, answer.text
    order = alice.until(order_id, lambda o: o["time_in_force"] == "GTD" and not o["pending"])
    assert datetime.fromisoformat(order["expire_time"]) == at
    alice.replace(order_id, price="91")
    order = alice.until(order_id, lambda o: o["price"] == "91" and not o["pending"])
    assert (order["time_in_force"], order["synthetic_tif"]) == ("GTD", True)
    assert [row.time_in_force for row in desk.at_venue()] == ["GTC"]
    alice.replace(order_id, time_in_force="GTC")
    order = alice.until(order_id, lambda o: o["time_in_force"] == "GTC" and not o["pending"])
    assert (order["expire_time"], order["synthetic_tif"]) == (None, False)


# --- for the open ---------------------------------------------------------------------------------


@pytest.fixture
def exchange_hours(db):
    spx = Instrument.objects.filter(symbol="SPX")
    replay = spx.values_list("feed", flat=True).get()
    spx.update(feed="exchange")
    yield
    spx.update(feed=replay)


def in_new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York"))


@pytest.fixture
def queued(exchange_hours, monkeypatch, price, alice) -> str:
    """An order entered in the evening of a Monday."""
    evening = in_new_york("2026-03-02T18:00")
    monkeypatch.setattr("oms.api.now", lambda: evening)
    price("100", at=evening)
    return alice.placed("BUY", "10", price="100", tif="GTC")


def claim(desk, at: str):
    now = in_new_york(at)
    lease = acquire_lease(
        schema=desk.schema, connection_id=desk.connection_id, holder="test", now=now
    )
    assert lease is not None
    return protocol.claim_next(
        schema=desk.schema, connection_id=desk.connection_id, account_id=desk.account_id,
        epoch=lease.epoch, now=now,
    )  # fmt: skip


def test_an_order_entered_while_closed_waits_here_for_the_open(queued, price, alice, desk):
    order = alice.order(queued)
    assert (order["ord_status"], order["held_by"], order["working_indicator"]) == (
        "NEW", "OMS", False,
    )  # fmt: skip
    price("100", at=in_new_york("2026-03-03T09:29:59"))
    assert claim(desk, "2026-03-03T09:29:59") is None
    price("100", at=in_new_york("2026-03-03T09:30"))
    command = claim(desk, "2026-03-03T09:31")
    assert command is not None
    assert command.payload["price"] == "100"
    assert alice.order(queued)["held_by"] is None


def test_at_the_open_it_is_judged_anew_and_waits_for_the_first_price(queued, price, alice, desk):
    assert claim(desk, "2026-03-03T09:30:01") is None
    assert alice.order(queued)["ord_status"] == "NEW"
    price("80", at=in_new_york("2026-03-03T09:30:02"))
    assert claim(desk, "2026-03-03T09:31") is None
    order = alice.order(queued)
    assert (order["ord_status"], order["ord_rej_reason"], order["text"]) == (
        "REJECTED", "NOT_SENT", "PRICE_OUTSIDE_COLLAR",
    )  # fmt: skip


def test_it_is_withdrawn_before_the_open_without_the_venue(queued, alice, desk):
    assert alice.cancel(queued).json["ord_status"] == "CANCELED"
    (command,) = desk.rows(Command, order_id=queued)
    assert (command.state, command.outcome_code) == ("REFUSED", "withdrawn")


def test_who_does_not_want_to_wait_is_refused(exchange_hours, monkeypatch, price, alice):
    evening = in_new_york("2026-03-02T18:00")
    monkeypatch.setattr("oms.api.now", lambda: evening)
    price("100", at=evening)
    refused = alice.place("BUY", "10", price="100", tif="GTC", when_closed="REJECT")
    assert (refused.status, refused.code) == (422, "market_closed")


# --- reduce-only ----------------------------------------------------------------------------------


def test_reduce_only_takes_no_more_than_the_position_less_what_others_take(
    gateway, price, alice, desk
):
    price("100")
    reduce_only = {"price": "105", "tif": "GTC", "exec_inst": ["REDUCE_ONLY"]}
    assert alice.place("SELL", "1", **reduce_only).code == "reduce_only_violation"
    alice.until_final(alice.placed("BUY", "10"))
    assert alice.place("BUY", "1", **reduce_only | {"price": "95"}).code == "reduce_only_violation"
    alice.placed("SELL", "7", **reduce_only)
    assert alice.place("SELL", "4", **reduce_only).code == "reduce_only_violation"
    assert alice.place("SELL", "3", **reduce_only).status == 201


def test_the_newest_kept_stop_gives_way_first_and_one_without_room_ends(
    gateway, price, alice, desk
):
    price("100")
    alice.until_final(alice.placed("BUY", "10"))
    older = kept(alice, qty="6", **STOP, exec_inst=["REDUCE_ONLY"])
    newer = kept(alice, qty="4", **STOP | {"stop_px": "90"}, exec_inst=["REDUCE_ONLY"])
    alice.until_final(alice.placed("SELL", "3"))
    assert alice.until(newer, lambda o: o["order_qty"] != "4")["order_qty"] == "1"
    alice.until_final(alice.placed("SELL", "2"))
    assert alice.until_final(newer)["ord_status"] == "CANCELED"
    assert alice.until(older, lambda o: o["order_qty"] != "6")["order_qty"] == "5"
    price("95")
    assert alice.until_final(older)["cum_qty"] == "5"
    (position,) = alice.get(f"/positions?account={desk.code}").json["items"]
    assert position["qty"] == "0"


def test_a_halt_that_lets_reduce_lets_a_reducing_stop_out(gateway, price, alice, program, desk):
    price("100")
    alice.until_final(alice.placed("BUY", "10"))
    closing = kept(alice)
    opening = kept(alice, "BUY", "10", **ENTRY)
    body = {"scope": "account", "target": desk.code, "state": "REDUCING", "reason": "drill"}
    assert program.post("/risk/halts", body).status == 201
    price("105")
    assert alice.until_final(opening)["text"] == "trading_halted"
    price("95")
    assert alice.until_final(closing)["ord_status"] == "FILLED"


def filled(alice, desk, side: str, qty: str) -> None:
    """An order its venue filled, told while no gateway runs."""
    order_id = alice.placed(side, qty)
    trade = ExecutionReport(
        exec_type=ExecType.TRADE,
        source=ReportSource.VENUE,
        exec_id=fresh("E"),
        transact_time=utcnow(),
        venue_cl_ord_id=order_id,
        last_qty=Decimal(qty),
        last_px=Decimal(100),
    )
    (folded,) = apply_reports(
        schema=desk.schema, account_id=desk.account_id, incoming=[Incoming(trade, None)],
        actor="system:test", now=utcnow(),
    )  # fmt: skip
    assert folded is not None
    assert folded.order.ord_status == "FILLED"


def test_a_reduce_only_order_too_large_for_its_position_does_not_leave_before_it_is_shrunk(
    price, alice, desk
):
    price("100")
    filled(alice, desk, "BUY", "10")
    order_id = alice.placed("SELL", "10", price="99", tif="GTC", exec_inst=["REDUCE_ONLY"])
    filled(alice, desk, "SELL", "6")
    now = utcnow()
    lease = acquire_lease(
        schema=desk.schema, connection_id=desk.connection_id, holder="test", now=now
    )
    assert lease is not None
    here = {"schema": desk.schema, "connection_id": desk.connection_id}
    mine = {**here, "account_id": desk.account_id, "epoch": lease.epoch}
    assert protocol.claim_next(**mine, now=now) is None
    shrink_reducing(**here, now=now)
    command = protocol.claim_next(**mine, now=now + timedelta(seconds=1))
    assert command is not None
    assert (command.order_pk, command.payload["order_qty"]) == (order_id, "4")
    assert "exec_inst" not in command.payload
