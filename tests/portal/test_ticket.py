"""The ticket as plain forms: preview, send, every refusal with its reason, one order per form."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from types import SimpleNamespace

import pytest

from brokers.models import BrokerAccount
from brokers.services import open_connection
from common.errors import NotFound
from oms.models import Order
from portal.templatetags.blotter import number
from portal.ticket.words import Surroundings, UnclearWordError, price, quantity
from risk.services import lift_halt, set_halt
from tenants.binding import tenant_bound
from tests.journeys.cast import fresh, utcnow
from trading.market import Quote
from trading.risk import HaltScope, HaltState
from trading.vocabulary import Mode, Side


def text_of(answer):
    return unescape(answer.content.decode())


def orders(desk):
    return desk.rows(Order, account_id=desk.account_id)


def part(browser, path, element, **fields):
    return browser.part(path, element, method="post", **fields)


# --- sending


def test_an_order_from_the_form_is_the_order_of_the_api(at_desk, alice, market):
    market.show("100", "101")
    browser = at_desk("alice")
    form = browser.opened_ticket(price="99.5", order_qty="12", strategy="mean")
    assert form["account"] == alice.desk.code
    sent = browser.post("/desk/ticket", **form)
    assert (sent.status_code, sent["location"]) == (303, "/desk")
    (order,) = alice.get(f"/orders?cl_ord_id={form['cl_ord_id']}").json["items"]
    assert (order["order_qty"], order["price"], order["source"]) == ("12", "99.5", "portal")
    assert (order["strategy"], order["account"]) == ("mean", alice.desk.code)
    page = text_of(browser.get(f"/orders?cl_ord_id={form['cl_ord_id']}"))
    assert order["id"] in page
    assert number(order["price"], 2) in page


def test_the_same_form_sent_twice_is_one_order(at_desk, desk, market):
    market.show("100", "101")
    browser = at_desk("alice")
    form = browser.opened_ticket(price="99")
    assert browser.post("/desk/ticket", **form).status_code == 303
    assert browser.post("/desk/ticket", **form).status_code == 303
    assert "nothing was sent twice" in text_of(browser.get("/desk"))
    assert len(orders(desk)) == 1


def test_a_script_gets_the_next_ticket_with_our_id_and_without_a_quantity(at_desk, desk, market):
    market.show("100", "101")
    browser = at_desk("alice")
    form = browser.opened_ticket(price="99")
    answer = part(browser, "/desk/ticket", "ticket", **form)
    (order,) = orders(desk)
    page = text_of(answer)
    assert (answer.status_code, answer["X-Ticket-Outcome"]) == (200, "sent")
    assert f'data-sent="{order.id}"' in page
    assert f'href="/orders/{order.id}"' in page
    assert re.search(r'name="order_qty" value=""', page)
    assert re.search(r'name="price" value="99"', page)
    assert form["cl_ord_id"] not in page
    again = part(browser, "/desk/ticket", "ticket", **form)
    assert "nothing was sent twice" in text_of(again)
    assert len(orders(desk)) == 1


def test_every_breach_is_shown_and_the_rejected_order_is_linked(at_desk, desk, market):
    market.show("100", "101")
    browser = at_desk("alice")
    form = browser.opened_ticket(price="150", order_qty="200000")
    answer = browser.post("/desk/ticket", **form)
    page = text_of(answer)
    assert (answer.status_code, answer["X-Ticket-Outcome"]) == (422, "refused")
    for rule in ("QUANTITY", "NOTIONAL", "PRICE"):
        assert re.search(rf'<dd class="bl-mono">[A-Z_]*{rule}[A-Z_]*</dd>', page), rule
    (order,) = orders(desk)
    assert order.ord_status == "REJECTED"
    assert f'href="/orders/{order.id}"' in page
    assert form["cl_ord_id"] != re.search(r'name="cl_ord_id" value="([^"]+)"', page).group(1)
    assert 'value="200000"' in page


@pytest.mark.parametrize(
    ("field", "value"),
    [("order_qty", "many"), ("order_qty", "-1"), ("order_qty", ""), ("price", "1.001"),
     ("price", ""), ("symbol", "NOPE"), ("side", "UP"), ("time_in_force", "NEVER"),
     ("preview_id", "rubbish"), ("order_qty", "9" * 400), ("order_qty", "50%%")],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/desk/ticket", "/desk/ticket/preview"])
def test_a_bad_field_comes_back_with_what_was_typed_and_sends_nothing(
    at_desk, desk, market, path, field, value
):
    market.show("100", "101")
    browser = at_desk("alice")
    form = browser.opened_ticket(price="99") | {field: value}
    answer = browser.post(path, **form)
    page = text_of(answer)
    judged = field in ("price", "symbol") or (field, value) == ("order_qty", "")
    if path.endswith("preview") and judged:
        assert answer.status_code == 200
        assert 'data-refusal="' in page
    else:
        assert answer.status_code == 422
        assert 'role="alert"' in page
    assert f'value="{form["cl_ord_id"]}"' in page
    assert orders(desk) == []


def test_markup_in_a_field_stays_text(at_desk, market):
    market.show("100", "101")
    browser = at_desk("alice")
    for path in ("/desk/ticket", "/desk/ticket/preview"):
        form = browser.opened_ticket(strategy="<b>x", order_qty="<script>")
        text = browser.post(path, **form).content
        assert b"<script>" not in text
        assert b"<b>x" not in text


def test_an_account_without_an_adapter_has_a_desk_that_says_so(at_desk, desk, market):
    market.show("100", "101")
    with tenant_bound(desk.schema):
        venue = open_connection(name=fresh("odd-"), broker="odd", mode=Mode.PAPER, now=utcnow())
        odd = BrokerAccount.objects.create(
            code=fresh("O-"), name="Odd", connection=venue, mode=venue.mode, currency="USD",
            created_at=utcnow(),
        )  # fmt: skip
    browser = at_desk("alice")
    browser.post("/account", account=odd.code)
    assert "there is no adapter for odd here" in text_of(browser.get("/desk"))
    form = browser.opened_ticket(price="99")
    for path in ("/desk/ticket/preview", "/desk/ticket"):
        answer = browser.post(path, **form)
        assert answer.status_code in {200, 422}
        assert "This installation has no adapter for odd" in text_of(answer)


def test_real_money_leaves_only_on_a_preview(at_desk, desk, market, monkeypatch):
    market.show("100", "101")
    browser = at_desk("alice")
    form = browser.opened_ticket(price="99")
    real = BrokerAccount.objects.filter

    def live(request, code):
        with tenant_bound(desk.schema):
            account = real(code=code).select_related("connection").first()
        return account and SimpleNamespace(
            mode="LIVE", code=code, pk=account.pk, connection=account.connection
        )

    monkeypatch.setattr("portal.views.ticket.account_named", live)
    asked = browser.post("/desk/ticket", **form)
    page = text_of(asked)
    assert (asked.status_code, asked["X-Ticket-Outcome"]) == (422, "asks")
    assert "Real money" in page
    assert "Cash after" in page
    assert orders(desk) == []
    shown = re.search(r'name="preview_id" value="(\w{26})"', page).group(1)
    changed = browser.post("/desk/ticket", **form | {"preview_id": shown, "order_qty": "11"})
    assert changed.status_code == 409
    assert orders(desk) == []
    assert browser.post("/desk/ticket", **form, preview_id=shown).status_code == 303
    assert len(orders(desk)) == 1


def test_a_price_that_moved_is_shown_before_anything_is_sent(at_desk, desk, market):
    market.show("100", "101")
    browser = at_desk("alice")
    form = browser.opened_ticket(price="99")
    page = text_of(browser.post("/desk/ticket/preview", **form))
    form["preview_id"] = re.search(r'name="preview_id" value="(\w{26})"', page).group(1)
    market.show("104", "105")
    moved = browser.post("/desk/ticket", **form)
    assert (moved.status_code, moved["X-Ticket-Outcome"]) == (409, "refused")
    assert "moved by" in text_of(moved)
    assert orders(desk) == []
    again = re.search(r'name="preview_id" value="(\w{26})"', text_of(moved)).group(1)
    assert again != form["preview_id"]
    assert browser.post("/desk/ticket", **form | {"preview_id": again}).status_code == 303


def test_a_halt_says_who_why_and_since_when(at_desk, desk, market, acme):
    market.show("100", "101")
    browser = at_desk("alice")
    form = browser.opened_ticket(price="99")
    from common.actor import Actor, ActorKind

    actor = Actor(ActorKind.USER, "9", "olivia@acme.test", desk.schema, frozenset({"risk:write"}))
    with tenant_bound(desk.schema):
        halt = set_halt(
            scope=HaltScope.ACCOUNT, target=desk.code, state=HaltState.HALTED,
            reason="prices look wrong", actor=actor, now=utcnow(),
        )  # fmt: skip
    try:
        for path, status in (("/desk/ticket/preview", 200), ("/desk/ticket", 409)):
            answer = browser.post(path, **form)
            page = text_of(answer).partition('<form class="bl-ticket"')[2]
            assert answer.status_code == status
            for word in ("prices look wrong", "olivia@acme.test", desk.code, "UTC"):
                assert word in page, (path, word)
    finally:
        with tenant_bound(desk.schema):
            lift_halt(
                halt_id=halt.id,
                reason="over again",
                actor=Actor(
                    ActorKind.USER, "8", "mia@acme.test", desk.schema, frozenset({"risk:write"})
                ),
                now=utcnow(),
            )
    assert orders(desk) == []


# --- preview


def test_the_preview_shows_the_numbers_of_the_api(at_desk, alice, market):
    market.show("100", "101", size=500)
    browser = at_desk("alice")
    form = browser.opened_ticket(price="101", order_qty="40")
    page = text_of(browser.post("/desk/ticket/preview", **form))
    told = alice.post("/orders/preview", alice.order_body("BUY", "40", price="101", tif="GTC")).json
    assert f"{number(told['notional'], 2)} USD" in page
    assert f"{number(told['fees'][0]['amount'], 2)} USD" in page
    assert f"{number(told['cash_after']['USD'], 2)} USD" in page
    assert number(told["estimate"]["expected_avg_px"]) in page
    near = told["nearest_limit"]
    assert f"limit {number(near['limit'])} {near['unit']}" in page
    assert f"with this {number(near['value'])}" in page or "this price" in page
    assert 'data-state="ready"' in page


def test_the_preview_lists_all_breaches_and_sends_nothing(at_desk, desk, market):
    market.show("100", "101")
    browser = at_desk("alice")
    form = browser.opened_ticket(price="150", order_qty="200000")
    answer = part(browser, "/desk/ticket/preview", "ticket-preview", **form)
    page = text_of(answer)
    assert answer.status_code == 200
    assert page.lstrip().startswith("<section")
    assert page.count('data-field="max_order') == 2
    assert 'data-field="price_collar"' in page
    assert 'data-level="over"' in page
    assert orders(desk) == []


def test_hidden_amounts_are_hidden_here_too(at_desk, market):
    market.show("100", "101")
    browser = at_desk("alice")
    browser.post("/preferences", privacy="on", next="/desk")
    page = text_of(
        part(browser, "/desk/ticket/preview", "ticket-preview",
             **browser.opened_ticket(price="100", order_qty="7654"))
    )  # fmt: skip
    assert "765,400" not in page
    assert "7,654" not in page


def test_words_become_figures_before_anything_leaves(at_desk, alice, desk, market):
    market.show("100.25", "101.5")
    browser = at_desk("alice")
    form = browser.opened_ticket(price="b", order_qty="1.5k")
    page = text_of(part(browser, "/desk/ticket/preview", "ticket-preview", **form))
    assert 'data-qty="1500" data-price="100.25"' in page
    assert browser.post("/desk/ticket", **form).status_code == 303
    (order,) = orders(desk)
    assert (order.order_qty, order.price) == (1500, Decimal("100.25"))
    nothing = browser.post("/desk/ticket", **browser.opened_ticket(price="99", order_qty="w"))
    assert nothing.status_code == 422
    assert "There is no position in SPX" in text_of(nothing)


# --- what became of it


def test_only_the_server_says_that_nothing_was_received(at_desk, alice, market, desk):
    market.show("100", "101")
    browser = at_desk("alice")
    form = browser.opened_ticket(price="99")
    ask = f"/desk/ticket/sent?account={desk.code}&cl_ord_id={form['cl_ord_id']}"
    before = browser.part(ask, "ticket")
    assert (before.status_code, before["X-Ticket-Outcome"]) == (204, "not_received")
    assert browser.post("/desk/ticket", **form).status_code == 303
    after = browser.part(ask, "ticket")
    (order,) = orders(desk)
    assert (after.status_code, after["X-Ticket-Outcome"]) == (200, "sent")
    assert f'data-sent="{order.id}"' in text_of(after)
    denied = browser.opened_ticket(price="150", order_qty="200000")
    browser.post("/desk/ticket", **denied)
    told = browser.part(
        f"/desk/ticket/sent?account={desk.code}&cl_ord_id={denied['cl_ord_id']}", "ticket"
    )
    assert (told.status_code, told["X-Ticket-Outcome"]) == (422, "refused")
    assert "QUANTITY_EXCEEDS_MAXIMUM" in text_of(told)


def test_nobody_asks_for_or_sends_into_another_firms_account(window, desk, market):
    market.show("100", "101")
    stranger = window("charlie", "globex")
    form = {"account": desk.code, "symbol": "SPX", "side": "BUY", "ord_type": "MARKET",
            "order_qty": "1", "cl_ord_id": "x-1"}  # fmt: skip
    stranger.get("/desk")
    for path in ("/desk/ticket", "/desk/ticket/preview"):
        assert stranger.post(path, **form).status_code == NotFound.http_status
    unheard = stranger.part(f"/desk/ticket/sent?account={desk.code}&cl_ord_id=x-1", "ticket")
    assert unheard["X-Ticket-Outcome"] == "not_received"
    assert orders(desk) == []


def test_a_viewer_has_no_door_to_it(at_desk, market):
    viewer = at_desk("bob")
    form = viewer.opened_ticket(price="99")
    assert viewer.post("/desk/ticket/preview", **form).status_code == 403
    assert viewer.get("/desk/ticket/sent?account=a&cl_ord_id=b").status_code == 403


def test_what_cannot_be_chosen_says_why(at_desk, market, monkeypatch):
    market.show("100", "101")
    monkeypatch.setattr("portal.ticket.form.session_at", lambda *_: None)
    monkeypatch.setattr(
        "portal.ticket.form.next_open", lambda *_: datetime(2026, 3, 2, 14, 30, tzinfo=UTC)
    )
    page = text_of(at_desk("alice").get("/desk"))
    day = re.search(r'<option value="DAY"[^>]*>[^<]*', page).group(0)
    assert "disabled" in day
    assert "closed until 2026-03-02 14:30 UTC" in day
    assert re.search(r'<option value="GTC"[^>]* selected', page)
    assert re.search(r'<option value="OPG"[^>]*disabled[^>]*>OPG · paper does not take it', page)


# --- words


def around(side=Side.BUY, position="0", cash="10000", bid="100.25", ask="101.5", lot="1"):
    quote = Quote("SPX", Decimal(bid), Decimal(ask), Decimal(bid), Decimal(5), Decimal(5),
                  datetime(2026, 3, 2, tzinfo=UTC) + timedelta(0), "test", True)  # fmt: skip
    return Surroundings(
        side=side, symbol="SPX", lot_size=Decimal(lot), tick_size=Decimal("0.01"),
        multiplier=Decimal(1), quote=quote, position=lambda: Decimal(position),
        free_cash=lambda: Decimal(cash),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "where", "figure"),
    [
        ("1k", around(), "1000"), ("2.5m", around(), "2500000"), ("0.5K", around(), "500"),
        ("250", around(), "250"), ("1.2", around(), "1.2"), ("k", around(), "k"),
        ("h", around(position="15"), "7"), ("q", around(position="-9"), "2"),
        ("w", around(position="-9"), "9"),
        ("50%", around(Side.SELL, position="15"), "7"),
        ("100%", around(position="-12"), "12"),
        ("50%", around(), "50"),  # of 10,000 at the limit of 100
        ("10%", around(position="5"), "10"),  # a buy that adds takes of the cash
        ("33%", around(Side.SELL, position="1", lot="0.1"), "0.3"),
    ],
)  # fmt: skip
def test_what_a_quantity_stands_for(text, where, figure):
    assert quantity(text, where, limit_px=Decimal(100)) == figure


@pytest.mark.parametrize(
    ("text", "where"),
    [("h", around()), ("w", around()), ("50%", around(Side.SELL)),
     ("50%", around(Side.SELL, position="-4")), ("1%", around(Side.SELL, position="5")),
     ("1%", around(cash="10")), ("50%", around(cash="-5"))],
)  # fmt: skip
def test_a_part_of_nothing_is_no_quantity(text, where):
    with pytest.raises(UnclearWordError, match=r"SPX|lot"):
        quantity(text, where, limit_px=None)


def test_what_a_price_stands_for():
    assert price("b", around()) == "100.25"
    assert price("A", around()) == "101.5"
    assert price("m", around(bid="100", ask="100.01")) == "100"
    assert price("m", around(Side.SELL, bid="100", ask="100.01")) == "100.01"
    assert price("m", around()) == "100.87"
    assert price("99.5", around()) == "99.5"
    assert price("x", around()) == "x"
