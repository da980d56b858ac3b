"""Ticket and positions in a browser: by keys, pressed twice, unanswered, without scripts."""

import re
import time
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import playwright_api
from tests.system.running import within

expect = playwright_api.expect

pytestmark = pytest.mark.timeout(180)

TICKET = "[data-ticket-panel]"


@pytest.fixture
def api(running):
    client = running.client("acme")
    assert within(30, lambda: client.get("/instruments/SPX/quote").status == 200)
    return client


@pytest.fixture
def desk(log_in, api):
    """Alice at her desk, with the ticket on SPX."""
    person = log_in("alice@acme.test")
    tab = person.open("/desk?symbol=SPX")
    expect(tab.locator("[data-light=app] [data-light-text]")).to_have_text("● live", timeout=15_000)
    tab.person = person
    return tab


def state(tab):
    return tab.locator(TICKET).get_attribute("data-ticket")


def client_id(tab):
    return tab.locator("#ticket [name=cl_ord_id]").input_value()


def enter_until(tab, selector):
    """Press Enter as a person does: look, then again; the ticket wants 400 ms in between."""
    expect(tab.locator(TICKET)).to_have_attribute("data-ticket", "reviewed")
    for _ in range(20):
        if tab.locator(selector).count():
            return
        if state(tab) == "reviewed":
            tab.keyboard.press("Enter")
        tab.wait_for_timeout(150)
    expect(tab.locator(selector)).to_be_visible()


def orders_of(api, cl_ord_id):
    return api.get(f"/orders?account=PAPER-1&cl_ord_id={cl_ord_id}").body["items"]


def far_below(api):
    """A price at which nothing trades soon, inside every limit."""
    bid = Decimal(api.get("/instruments/SPX/quote").body["bid"])
    return str((bid * Decimal("0.8")).quantize(Decimal("0.01")))


def test_by_keys_a_limit_order_and_its_row_without_reload(desk, api):
    desk.evaluate("window.sameDocument = true")
    cl_ord_id = client_id(desk)
    desk.keyboard.press("b")
    desk.keyboard.type("1k")
    for _ in ("its unit", "the type", "the price"):
        desk.keyboard.press("Tab")
    desk.keyboard.type(far_below(api))
    expect(desk.locator("#ticket-preview")).to_have_attribute("data-state", "ready")
    expect(desk.locator("#t-order_qty")).to_have_value("1000")
    expect(desk.locator("#ticket-preview")).to_contain_text("Nearest limit")
    expect(desk.locator("[data-send]")).to_contain_text("Send BUY 1,000 SPX")
    expect(desk.locator("[data-send]")).to_contain_text("PAPER PAPER-1")
    assert orders_of(api, cl_ord_id) == []
    desk.keyboard.press("Enter")
    enter_until(desk, "[data-sent]")
    (order,) = orders_of(api, cl_ord_id)
    assert (order["order_qty"], order["source"]) == ("1000", "portal")
    expect(desk.locator("[data-sent]")).to_have_attribute("data-sent", order["id"])
    expect(desk.locator("[data-ack]")).to_have_text(re.compile(r"NEW .* acknowledged in \d+ ms"))
    row = desk.locator(f"tr[data-id='{order['id']}']")
    expect(row).to_be_visible()
    expect(desk.locator("#t-order_qty")).to_have_value("")
    assert desk.evaluate("window.sameDocument") is True
    assert api.post(f"/orders/{order['id']}/cancel", {}).status == 202


def test_double_click_and_enter_twice_are_one_order(desk, api):
    cl_ord_id = client_id(desk)
    desk.locator("#t-order_qty").fill("3")
    desk.locator("#t-price").fill(far_below(api))
    expect(desk.locator("#ticket-preview")).to_have_attribute("data-state", "ready")
    desk.locator("[data-send]").dblclick()
    expect(desk.locator("[data-sent]")).to_be_visible()
    (order,) = orders_of(api, cl_ord_id)
    api.post(f"/orders/{order['id']}/cancel", {})
    second = client_id(desk)
    assert second != cl_ord_id
    desk.wait_for_timeout(450)
    desk.locator("#t-order_qty").fill("4")
    desk.locator("#t-order_qty").press("Control+Enter")
    desk.keyboard.press("Enter")
    desk.keyboard.press("Control+Enter")
    expect(desk.locator("[data-sent]")).not_to_have_attribute("data-sent", order["id"])
    (again,) = orders_of(api, second)
    api.post(f"/orders/{again['id']}/cancel", {})
    assert len(orders_of(api, client_id(desk))) == 0


def test_all_breaches_at_once_with_the_kept_order(desk, api):
    desk.person.watch.refusals = {422}
    cl_ord_id = client_id(desk)
    desk.locator("#t-order_qty").fill("200000")
    desk.locator("#t-price").fill("9999")
    refused = desk.locator("#ticket-preview [data-refusal=risk_rejected]")
    expect(refused.locator("li")).to_have_count(3)
    desk.locator("#t-price").press("Enter")
    enter_until(desk, "[data-summary]")
    summary = desk.locator("[data-summary]")
    expect(summary).to_be_focused()
    expect(summary.locator("li")).to_have_count(3)
    for word in ("QUANTITY_EXCEEDS_MAXIMUM", "NOTIONAL_EXCEEDS_MAXIMUM", "PRICE_OUTSIDE_COLLAR",
                 "used", "after", "limit"):  # fmt: skip
        expect(summary).to_contain_text(word)
    (order,) = orders_of(api, cl_ord_id)
    assert order["ord_status"] == "REJECTED"
    expect(summary.get_by_role("link")).to_have_attribute("href", f"/orders/{order['id']}")
    assert client_id(desk) != cl_ord_id


def test_a_lost_answer_is_asked_for_and_never_sent_again(desk, api):
    desk.person.watch.is_cut = True  # the browser writes an error for the request that is lost
    cl_ord_id = client_id(desk)
    lost = []

    def arrives_but_its_answer_does_not(route):
        asked = route.request
        host = urlsplit(asked.url).netloc  # resolved by browsers, not by this process
        here = asked.url.replace("acme.localhost", "127.0.0.1")
        route.fetch(url=here, headers={**asked.all_headers(), "host": host})
        lost.append(route.request.url)
        route.abort()

    desk.route("**/desk/ticket", arrives_but_its_answer_does_not)
    desk.locator("#t-order_qty").fill("5")
    desk.locator("#t-price").fill(far_below(api))
    desk.locator("#t-price").press("Enter")
    enter_until(desk, "[data-sent]")
    expect(desk.locator("[data-sent]")).to_contain_text("nothing was sent twice")
    (order,) = orders_of(api, cl_ord_id)
    assert len(lost) == 1
    api.post(f"/orders/{order['id']}/cancel", {})


def test_not_received_is_said_only_by_the_server_and_the_same_order_goes_out(desk, api):
    desk.person.watch.is_cut = True
    cl_ord_id = client_id(desk)
    desk.route("**/desk/ticket", lambda route: route.abort(), times=1)
    desk.locator("#t-order_qty").fill("6")
    desk.locator("#t-price").fill(far_below(api))
    desk.locator("#t-price").press("Control+Enter")
    expect(desk.locator("[data-outcome]")).to_contain_text("Not received", timeout=10_000)
    assert orders_of(api, cl_ord_id) == []
    assert client_id(desk) == cl_ord_id
    desk.locator("#t-price").focus()
    enter_until(desk, "[data-sent]")
    (order,) = orders_of(api, cl_ord_id)
    api.post(f"/orders/{order['id']}/cancel", {})


def cells(tab, symbol="SPX"):
    """The exact figures of a position's row, read in one moment."""
    return tab.evaluate(
        """(symbol) => {
          const row = document.querySelector(`#positions tr[data-symbol="${symbol}"]`);
          const of = (name) => row?.querySelector(`[data-f$=".${name}"]`)?.textContent ?? "";
          return Object.fromEntries(["qty", "way", "mark", "unrealized_pnl", "realized_today",
            "realized_pnl"].map((name) => [name, of(name)]));
        }""",
        symbol,
    )


def figure(text):
    return Decimal(text.replace(",", "").replace("\u2212", "-").replace("+", "") or "NaN")


def held(api):
    rows = [row for row in api.get("/positions?account=PAPER-1").body["items"]
            if row["symbol"] == "SPX"]  # fmt: skip
    return rows[0] if rows else None


def traded(api, side, qty):
    """A market order by the API, filled."""
    sent = api.post(
        "/orders",
        {"account": "PAPER-1", "symbol": "SPX", "side": side, "ord_type": "MARKET",
         "order_qty": qty, "time_in_force": "IOC", "cl_ord_id": f"t-{time.time_ns()}"},
    )  # fmt: skip
    assert sent.status == 201, sent.body
    path = f"/orders/{sent.body['id']}"
    assert within(20, lambda: api.get(path).body["ord_status"] == "FILLED")


def test_fills_move_positions_and_their_worth_in_two_tabs_alike(desk, api):
    other = desk.person.open("/desk")
    for tab in (desk, other):
        tab.evaluate("window.sameDocument = true")
    for side, qty in (("BUY", "4"), ("BUY", "6"), ("SELL", "3")):
        traded(api, side, qty)
        book = held(api)
        wanted = Decimal(book["qty"])
        for tab in (desk, other):
            assert within(15, lambda t=tab, q=wanted: figure(cells(t)["qty"]) == q), cells(tab)
            shown = cells(tab)
            assert figure(shown["realized_pnl"]) == round(Decimal(book["realized_pnl"]), 2)
    cost, qty = Decimal(held(api)["cost"]), Decimal(held(api)["qty"])

    def adds_up(tab):
        shown = cells(tab)
        worth = qty * figure(shown["mark"]) - cost
        return figure(shown["unrealized_pnl"]) == worth.quantize(Decimal("0.01"))

    before = cells(desk)["mark"]
    assert within(15, lambda: cells(desk)["mark"] != before), "marks do not move"
    for tab in (desk, other):
        assert adds_up(tab), cells(tab)
        assert tab.evaluate("window.sameDocument") is True


def test_f_fills_the_ticket_with_the_opposite_order_and_sends_nothing(desk, api):
    traded(api, "BUY", "2")
    row = desk.locator("#positions tr[data-symbol=SPX]")
    expect(row).to_be_visible(timeout=15_000)
    size = held(api)["qty"]
    cl_ord_id = client_id(desk)
    row.focus()
    desk.keyboard.press("f")
    way = "SELL" if Decimal(size) > 0 else "BUY"
    expect(desk.locator(f"#ticket input[value={way}]")).to_be_checked()
    expect(desk.locator("#t-order_qty")).to_have_value(size.lstrip("-"))
    expect(desk.locator("#t-ord_type")).to_have_value("MARKET")
    assert orders_of(api, cl_ord_id) == []
    desk.keyboard.press("Escape")
    expect(desk.locator("#t-order_qty")).to_have_value("")
    desk.get_by_role("button", name="Restore the draft").click()
    expect(desk.locator("#t-order_qty")).to_have_value(size.lstrip("-"))


def test_without_javascript_preview_and_send_are_forms(log_in, api):
    tab = log_in("alice@acme.test", java_script_enabled=False).open("/desk?symbol=SPX")
    cl_ord_id = client_id(tab)
    tab.locator("#t-order_qty").fill("1k")
    tab.locator("#t-price").fill(far_below(api))
    tab.locator("[data-preview]").click()
    expect(tab.locator("#ticket-preview")).to_contain_text("Cash after")
    expect(tab.locator("#t-order_qty")).to_have_value("1000")
    assert orders_of(api, cl_ord_id) == []
    tab.locator("[data-send]").click()
    expect(tab.locator(".bl-toasts")).to_contain_text("taken")
    (order,) = orders_of(api, cl_ord_id)
    api.post(f"/orders/{order['id']}/cancel", {})
