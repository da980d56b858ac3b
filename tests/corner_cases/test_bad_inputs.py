"""Rows B9 to B13 and B21 to B23 of the table of bad inputs: the API as written, the ticket in its
words.
"""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest

from accounts.models import Membership
from accounts.services import create_api_key
from brokers.adapters.paper.adapter import PaperBroker
from brokers.models import BrokerAccount
from brokers.services import open_connection
from oms.models import Command, Order
from risk.models import Breach
from tenants.binding import tenant_bound
from tests.journeys.cast import fresh, utcnow
from trading.vocabulary import Mode, OrdType, TimeInForce

LIMIT = {"ord_type": "LIMIT", "price": "950.00", "time_in_force": "GTC"}


def text_of(answer) -> str:
    return unescape(answer.content.decode())


@pytest.fixture
def ticket(at_desk, desk):
    """Send a ticket with these fields; the page that comes back, and its status."""
    browser = at_desk("alice")

    def _ticket(**fields: str):
        form = browser.opened_ticket() | {"account": desk.code} | fields
        return browser.post("/desk/ticket", **form)

    _ticket.browser = browser
    return _ticket


@pytest.fixture
def same_words(ticket):
    """The ticket answers as the API did: its status, and each sentence of it on the page."""

    def _same_words(refused, **fields: str) -> None:
        answer = ticket(**fields)
        page = text_of(answer)
        assert answer.status_code == refused.status
        assert 'role="alert"' in page
        problem = refused.json
        for words in [row["message"] for row in problem["errors"]] or [problem["detail"]]:
            assert words in page, (words, page[page.find('role="alert"') :][:800])

    return _same_words


@pytest.fixture
def nothing_is_stored(desk):
    yield
    assert desk.rows(Order, account_id=desk.account_id) == []


# --- B9: words and prices by type -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"side": "Buy "}, "side", "invalid_choice"),
        ({"ord_type": "stop"}, "ord_type", "invalid_choice"),
        ({"ord_type": "STOP", "price": None}, "stop_px", "required_for_type"),
        ({"price": None}, "price", "required_for_type"),
        ({"ord_type": "MARKET", "time_in_force": "DAY"}, "price", "not_allowed_for_type"),
        ({"time_in_force": "GTD"}, "expire_time", "required_for_type"),
    ],
)
@pytest.mark.usefixtures("nothing_is_stored")
def test_b9_and_b10_what_a_type_asks_for(market, alice, same_words, fields, field, code):
    terms = {name: one for name, one in (LIMIT | fields).items() if one is not None}
    refused = alice.post("/orders", alice.order_body() | terms)
    assert (refused.status, refused.code) == (422, code)
    assert refused.json["errors"][0] | {"message": ""} == {
        "field": field, "code": code, "message": "",
    }  # fmt: skip
    if code == "not_allowed_for_type":
        return  # the ticket keeps what was typed for another type and sends none of it
    given = {name: one.strip() if name == "side" else one for name, one in terms.items()}
    same_words(refused, **({"price": ""} | given))


# --- B10: sessions and venues ---------------------------------------------------------------------


@pytest.mark.usefixtures("nothing_is_stored")
def test_b10_a_day_order_after_the_close(
    exchange_hours, at_the_exchange, monkeypatch, alice, same_words
):
    after = at_the_exchange("2026-03-02T16:01")
    refused = alice.place("BUY", "10", price="950.00", tif="DAY")
    assert (refused.status, refused.code) == (422, "market_closed")
    for clock in ("portal.views.ticket.now", "portal.views.desk.now"):
        monkeypatch.setattr(clock, lambda: after)
    same_words(refused, price="950.00", time_in_force="DAY")


@pytest.mark.usefixtures("nothing_is_stored")
def test_b10_a_time_in_force_the_venue_does_not_take(monkeypatch, market, alice, same_words):
    takes = {
        kind: times - {TimeInForce.FOK}
        for kind, times in PaperBroker.capabilities.time_in_force.items()
        if kind is OrdType.LIMIT
    }
    lacking = replace(PaperBroker.capabilities, time_in_force=takes)
    monkeypatch.setattr(PaperBroker, "capabilities", lacking)
    refused = alice.place("BUY", "10", price="950.00", tif="FOK")
    assert (refused.status, refused.code) == (422, "unsupported_by_venue")
    same_words(refused, price="950.00", time_in_force="FOK")


# --- B11: accounts --------------------------------------------------------------------------------


@pytest.mark.usefixtures("nothing_is_stored")
def test_b11_an_account_of_another_firm_is_an_account_there_is_not(
    market, alice, ticket, other_desk
):
    answers = [
        alice.place("BUY", "10", account=code, **LIMIT) for code in (other_desk.code, "P-nowhere")
    ]
    assert [(one.status, one.code) for one in answers] == [(404, "not_found")] * 2
    assert answers[0].json["detail"] == answers[1].json["detail"]
    assert ticket(account=other_desk.code, **LIMIT).status_code == 404


@pytest.mark.usefixtures("nothing_is_stored")
def test_b11_a_disabled_account(market, alice, desk, same_words):
    with tenant_bound(desk.schema):
        BrokerAccount.objects.filter(pk=desk.account_id).update(state="DISABLED")
    refused = alice.place("BUY", "10", **LIMIT)
    assert (refused.status, refused.code) == (409, "account_disabled")
    same_words(refused, **LIMIT)


@pytest.mark.usefixtures("nothing_is_stored")
def test_b11_who_may_only_read(market, alice, bob, at_desk, desk):
    with tenant_bound(desk.schema):
        member = Membership.objects.get(
            user__email="olivia@acme.test", tenant__schema_name=desk.schema
        )
    _, key = create_api_key(
        membership=member,
        name="reads",
        scopes=["orders:read"],
        accounts=None,
        expires_at=None,
        ip_allowlist=[],
        now=utcnow(),
    )
    reads = alice.at(desk)
    reads.bearer = key
    for who in (bob, reads):
        refused = who.place("BUY", "10", **LIMIT)
        assert (refused.status, refused.code) == (403, "insufficient_scope")
    viewer = at_desk("bob")
    assert viewer.post("/desk/ticket", **viewer.opened_ticket(price="950")).status_code == 403


def test_b11_a_paper_account_at_a_live_venue(market, alice, desk, same_words):
    with tenant_bound(desk.schema):
        live = open_connection(name=fresh("live-"), broker="ib", mode=Mode.LIVE, now=utcnow())
        odd = BrokerAccount.objects.create(
            code=fresh("O-"), name="Odd", connection=live, mode=Mode.PAPER, currency="USD",
            created_at=utcnow(),
        )  # fmt: skip
    refused = alice.place("BUY", "10", account=odd.code, **LIMIT)
    assert (refused.status, refused.code) == (409, "environment_mismatch")
    same_words(refused, account=odd.code, **LIMIT)
    assert desk.rows(Order, account_id=odd.pk) == []


# --- B12: limits ----------------------------------------------------------------------------------


def kept(desk, refused) -> list[Breach]:
    """The order is kept as REJECTED; return what was written down against it."""
    order_id = refused.json["order"]["id"]
    (order,) = desk.rows(Order, pk=order_id)
    assert (order.ord_status, order.ord_rej_reason) == ("REJECTED", "RISK")
    assert desk.rows(Command, order_id=order_id) == []
    rows = desk.rows(Breach, order_id=order_id)
    told = [
        (row["rule"], row["value"], row["limit"], row["unit"]) for row in refused.json["errors"]
    ]
    assert told == [
        (r.rule, f"{r.value.normalize():f}", f"{r.limit.normalize():f}", r.unit) for r in rows
    ]
    return rows


def test_b12_a_notional_one_tick_above_the_limit(market, limit, alice, desk, same_words):
    limit("max_order_notional", "9500")
    assert alice.place("BUY", "10", price="950.00", tif="GTC").status == 201
    refused = alice.place("BUY", "10", price="950.01", tif="GTC")
    assert (refused.status, refused.code) == (422, "risk_rejected")
    (breach,) = kept(desk, refused)
    assert (breach.rule, breach.value, breach.limit) == (
        "max_order_notional",
        Decimal("9500.1"),
        Decimal(9500),
    )
    same_words(refused, price="950.01", order_qty="10")


def test_b12_a_price_half_away_from_the_last(market, alice, desk, same_words):
    refused = alice.place("BUY", "10", price="1500.00", tif="GTC")
    assert (refused.status, refused.code) == (422, "risk_rejected")
    (breach,) = kept(desk, refused)
    assert breach.rule == "price_collar"
    same_words(refused, price="1500.00", order_qty="10")


def test_b12_the_eleventh_order_of_a_second(market, limit, alice, desk, same_words, monkeypatch):
    limit("max_orders_per_second", 10)
    now = utcnow()
    for clock in ("oms.api.now", "portal.views.ticket.now"):
        monkeypatch.setattr(clock, lambda: now)
    market.show("999.50", "1000.50", at=now)
    for qty in range(1, 11):
        alice.placed("BUY", str(qty), price="950.00", tif="GTC")
    refused = alice.place("BUY", "11", price="950.00", tif="GTC")
    assert (refused.status, refused.code, refused.inner) == (
        422,
        "risk_rejected",
        "ORDER_RATE_EXCEEDS_MAXIMUM",
    )
    (breach,) = kept(desk, refused)
    assert (breach.rule, breach.value, breach.limit) == ("max_orders_per_second", 11, 10)
    same_words(refused, price="950.00", order_qty="12")
    monkeypatch.setattr("oms.api.now", lambda: now + timedelta(seconds=1))
    alice.placed("BUY", "12", price="950.00", tif="GTC")


def test_b12_an_equal_order_twice_in_a_second(market, alice, desk, ticket):
    alice.placed("BUY", "10", id="first", price="950.00", tif="GTC")
    refused = alice.place("BUY", "10", price="950.00", tif="GTC")
    assert (refused.status, refused.code) == (422, "risk_rejected")
    (breach,) = kept(desk, refused)
    assert (breach.rule, breach.limit) == ("duplicate_order", 1)
    # from the desk five seconds count; the same sentence, with other figures
    answer = ticket(price="950.00")
    page = text_of(answer)
    assert answer.status_code == 422
    assert "An equal order (first) was accepted" in page
    assert "once 5 s have passed" in page
    form = dict(re.findall(r'type="hidden" name="(cl_ord_id|account)" value="([^"]*)"', page))
    assert 'name="allow_duplicate"' in page
    again = ticket(price="950.00", cl_ord_id=form["cl_ord_id"], allow_duplicate="on")
    assert again.status_code == 303
    statuses = [row.ord_status for row in desk.rows(Order, account_id=desk.account_id)]
    assert sorted(statuses) == ["PENDING_NEW", "PENDING_NEW", "REJECTED", "REJECTED"]


# --- B13: the kill switch -------------------------------------------------------------------------


@pytest.mark.usefixtures("nothing_is_stored")
def test_b13_any_order_while_the_kill_switch_is_on(market, halt, alice, desk, ticket):
    halt()
    for terms in (LIMIT, {}, {"side": "SELL"}):
        refused = alice.place(**({"side": "BUY", "qty": "10"} | terms))
        assert (refused.status, refused.code) == (409, "trading_halted")
        assert (refused.json["scope"], refused.json["target"]) == ("account", desk.code)
        assert refused.json["since"]
    answer = ticket(**LIMIT)
    page = text_of(answer)
    assert answer.status_code == 409
    for words in (refused.json["title"], refused.json["reason"], desk.code, "Cancels still pass"):
        assert words in page, words


# --- B21 to B23: keys and cancels -----------------------------------------------------------------


def test_b21_the_same_key_with_another_body_and_after_a_refusal(market, alice, desk, same_words):
    alice.placed("BUY", "10", id="k-1", price="950.00", tif="GTC")
    refused = alice.place("BUY", "11", id="k-1", price="950.00", tif="GTC")
    assert (refused.status, refused.code) == (422, "cl_ord_id_reused")
    same_words(refused, cl_ord_id="k-1", order_qty="12", price="950.00")
    assert alice.place("BUY", "10.5", id="k-2", price="950.00", tif="GTC").code == "off_lot"
    assert alice.place("BUY", "12", id="k-2", price="950.00", tif="GTC").status == 201
    assert len(desk.rows(Order, account_id=desk.account_id)) == 2


def test_b21_the_same_key_of_another_write(program):
    key = {"idempotency_key": f"w-{utcnow().timestamp()}"}
    bad = {"name": "one", "scopes": ["orders:reed"]}
    assert program.post("/api-keys", bad, **key).status == 422
    made = program.post("/api-keys", {"name": "one", "scopes": ["orders:read"]}, **key)
    assert made.status == 201
    refused = program.post("/api-keys", {"name": "two", "scopes": ["orders:read"]}, **key)
    assert (refused.status, refused.code) == (422, "idempotency_key_reused")


def test_b22_cancel_what_is_filled_cancelled_or_unknown(gateway, fault, alice, at_desk, impatient):
    filled = alice.placed("BUY", "10")
    canceled = alice.placed("BUY", "10", price="950.00", tif="GTC")
    alice.until_status(canceled, "NEW")
    alice.cancel(canceled)
    browser = at_desk("alice")
    for order_id, status, inner in (
        (filled, "FILLED", "already_filled"),
        (canceled, "CANCELED", "already_canceled"),
    ):
        assert alice.until_final(order_id)["ord_status"] == status
        refused = alice.cancel(order_id)
        assert (refused.status, refused.code, refused.inner) == (409, "state_conflict", inner)
        assert refused.json["order"]["ord_status"] == status
        browser.post(f"/orders/{order_id}/cancel", next="/orders")
        assert refused.json["detail"] in text_of(browser.get("/orders"))
    fault("silent")
    fault("lose_ack", command="NEW")
    unknown = alice.placed("BUY", "11", price="950.00", tif="GTC")
    alice.until_unknown(unknown)
    assert alice.cancel(unknown).status == 202
    fault("silent", times=0)
    assert alice.until_final(unknown)["ord_status"] == "CANCELED"


def test_b23_cancelled_twice_at_once(gateway, alice, desk):
    order_id = alice.placed("BUY", "10", price="950.00", tif="GTC")
    alice.until_status(order_id, "NEW")
    answers = alice.many([lambda me: me.cancel(order_id)] * 2)
    assert {one.status for one in answers} <= {200, 202, 409}
    assert [one.status for one in answers].count(202) == 1
    assert {one.json["id"] for one in answers if one.status != 409} == {order_id}
    assert alice.until_final(order_id)["ord_status"] == "CANCELED"
    assert len(desk.rows(Command, order_id=order_id, kind="CANCEL")) == 1
    assert desk.venue_words().count("CANCELED") == 1
