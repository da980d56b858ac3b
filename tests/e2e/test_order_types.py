"""Orders that wait for a price, and orders with exits, in a browser: placed, followed, done."""

import re
from decimal import Decimal

import pytest

from tests.e2e.conftest import playwright_api
from tests.system.running import within

expect = playwright_api.expect

pytestmark = pytest.mark.timeout(300)

FOLLOWED_MS = 150_000


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
    yield tab
    api.post("/orders/cancel-all", {"account": "PAPER-1"})


def bid(api):
    return Decimal(api.get("/instruments/SPX/quote").body["bid"])


def px(value):
    return str(Decimal(value).quantize(Decimal("0.01")))


def send(tab, ord_type, side, qty, **typed):
    """Write a ticket and send it without a preview; return our id of the order."""
    tab.locator(f"#ticket [name=side][value={side}]").check(force=True)
    tab.locator("#t-ord_type").select_option(ord_type)
    for name, value in {"time_in_force": "GTC", **typed, "order_qty": qty}.items():
        field = tab.locator(f"#ticket [name={name}]")
        if field.evaluate("one => one.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)
    before = tab.locator("[data-sent]").get_attribute("data-sent") if sent(tab).count() else ""
    tab.wait_for_timeout(450)  # after an order went out keys are inert for 400 ms
    tab.locator("#t-order_qty").press("Control+Enter")
    expect(sent(tab)).not_to_have_attribute("data-sent", before or "none")
    return sent(tab).get_attribute("data-sent")


def sent(tab):
    return tab.locator("[data-sent]")


def row(tab, order_id):
    return tab.locator(f"[data-grid=desk] tr[data-id='{order_id}']")


def first_of(tab, selectors):
    """Wait until one of some elements is there; return its place among them."""
    expect(tab.locator(", ".join(selectors)).first).to_be_attached(timeout=FOLLOWED_MS)
    return next(index for index, one in enumerate(selectors) if tab.locator(one).count())


def test_a_stop_limit_waits_on_desk_and_chart_fires_and_fills(desk, api):
    near = bid(api)
    up = send(desk, "STOP_LIMIT", "BUY", "3", stop_px=px(near + 4), price=px(near + 60))
    down = send(desk, "STOP_LIMIT", "SELL", "3", stop_px=px(near - 4), price=px(near - 60))
    ids = [up, down]  # wherever the market goes, one of them fires
    for order_id in ids:
        expect(row(desk, order_id)).to_contain_text("STP LMT")
    tags = desk.locator("[data-chart-own] a")
    done = [f"tr[data-id='{one}'][data-status=FILLED]" for one in ids]
    if not desk.locator(", ".join(done)).count():
        expect(tags.filter(has_text="STP").first).to_contain_text("→ LMT", timeout=20_000)
    fired = ids[first_of(desk, done)]
    desk.goto(f"{desk.person.url}/orders/{fired}")
    timeline = desk.locator("#tab-timeline")
    for word in ("PENDING_NEW", "TRIGGERED", "TRADE"):
        expect(timeline.locator("strong", has_text=re.compile(f"^{word}$")).first).to_be_visible()
    expect(desk.locator(".bl-order__what")).to_contain_text("STOP LIMIT")
    desk.keyboard.press("2")
    messages = desk.locator("#tab-messages")
    expect(messages).to_contain_text('"stop_px"')
    expect(messages).to_contain_text("TRIGGERED")


def test_the_stop_of_a_trail_is_seen_to_move(desk, api):
    sell = send(desk, "TRAILING_STOP", "SELL", "2", trail_offset="60", trail_type="PRICE")
    buy = send(desk, "TRAILING_STOP", "BUY", "2", trail_offset="6", trail_type="PERCENT")
    cells = [row(desk, one).locator("[data-col=stop_px]") for one in (sell, buy)]
    for cell in cells:
        expect(cell).to_have_text(re.compile(r"[\d,.]+"), timeout=20_000)
        expect(cell).not_to_have_text("—", timeout=20_000)
    shown = [cell.text_content() for cell in cells]
    desk.wait_for_function(
        """([ids, shown]) => ids.some((id, index) => document.querySelector(
             `tr[data-id="${id}"] [data-col=stop_px]`).textContent !== shown[index])""",
        arg=[[sell, buy], shown], timeout=FOLLOWED_MS,
    )  # fmt: skip
    moved = [
        Decimal(api.get(f"/orders/{one}").body["stop_px"]) - Decimal(was.replace(",", ""))
        for one, was in zip((sell, buy), shown, strict=True)
    ]
    assert moved[0] >= 0 >= moved[1]  # never away from where it protects
    desk.goto(f"{desk.person.url}/orders/{buy}")
    expect(desk.locator(".bl-ids")).to_contain_text("6 % behind the best price")


def test_a_bracket_fills_its_target_takes_the_profit_and_its_stop_is_gone(desk, api):
    near = bid(api)
    exits = {"link": "OTOCO", "exit_price": "1", "exit_price_in": "offset",
             "exit_stop": "20", "exit_stop_in": "percent"}  # fmt: skip
    long = send(desk, "LIMIT", "BUY", "2", price=px(near * Decimal("1.01")), **exits)
    short = send(desk, "LIMIT", "SELL", "2", price=px(near * Decimal("0.99")), **exits)
    for entry in (long, short):
        expect(row(desk, entry)).to_contain_text("filled", timeout=20_000)
    lists = [api.get(f"/orders/{one}").body["list_id"] for one in (long, short)]

    def targets():
        return [api.get(f"/order-lists/{one}").body["legs"][1]["order"] for one in lists]

    assert within(150, lambda: any(one["ord_status"] == "FILLED" for one in targets()))
    done = next(
        one for one, leg in zip(lists, targets(), strict=True) if leg["ord_status"] == "FILLED"
    )

    def stop_status():
        return api.get(f"/order-lists/{done}").body["legs"][2]["order"]["ord_status"]

    assert within(20, lambda: stop_status() == "CANCELED")
    desk.goto(f"{desk.person.url}/lists/{done}")
    legs = desk.locator("#order-list tbody tr")
    expect(legs.nth(1)).to_contain_text("filled")
    expect(legs.nth(2)).to_contain_text("cancelled")
    expect(desk.locator("#order-list")).to_contain_text("ALL_DONE")
    other = next(one for one in lists if one != done)
    desk.goto(f"{desk.person.url}/lists/{other}")
    if desk.get_by_role("button", name="Cancel the list").count():
        desk.get_by_role("button", name="Cancel the list").click()
        expect(desk.locator("[data-toasts]")).to_contain_text("asked to end")


def test_what_is_wrong_is_said_beside_its_field_while_typing_and_on_enter(desk):
    desk.locator("#t-ord_type").select_option("STOP_LIMIT")
    desk.locator("#t-order_qty").fill("5")
    desk.locator("#t-price").fill("900")
    desk.locator("#t-stop_px").fill("900.001")
    said = desk.locator("#t-stop_px-says")
    expect(said).to_contain_text("nearest legal prices are 900 and 900.01")
    expect(desk.locator("#t-stop_px")).to_have_attribute("aria-invalid", "true")
    desk.locator("#t-stop_px").fill("")
    desk.locator("#t-order_qty").press("Enter")
    expect(said).to_have_text("a STOP_LIMIT order needs stop_px")
    expect(desk.locator("#t-stop_px")).to_be_focused()
    desk.locator("#t-ord_type").select_option("MARKET")
    expect(desk.locator("#t-stop_px")).to_be_hidden()
    expect(desk.locator("#ticket-preview")).to_have_attribute("data-state", "ready")


def test_a_trailing_stop_by_keys_alone(desk, api):
    desk.keyboard.press("s")
    desk.keyboard.type("1")
    desk.keyboard.press("Tab")  # what the quantity is measured in
    desk.keyboard.press("Tab")
    desk.keyboard.type("TRAILING STOP")
    expect(desk.locator("#t-ord_type")).to_have_value("TRAILING_STOP")
    desk.keyboard.press("Tab")
    expect(desk.locator("#t-stop_px")).to_be_focused()
    desk.keyboard.press("Tab")
    desk.keyboard.type("5")
    desk.keyboard.press("Tab")
    desk.keyboard.type("%")
    desk.keyboard.press("Tab")
    desk.keyboard.press("Tab")
    desk.keyboard.type("GTC")
    expect(desk.locator("#ticket-preview")).to_have_attribute("data-state", "ready")
    desk.locator("#t-trail_offset").focus()
    desk.keyboard.press("Enter")
    expect(desk.locator("[data-ticket-panel]")).to_have_attribute("data-ticket", "reviewed")
    desk.wait_for_timeout(450)
    desk.keyboard.press("Enter")
    expect(sent(desk)).to_be_visible()
    order = api.get(f"/orders/{sent(desk).get_attribute('data-sent')}").body
    assert (order["side"], order["ord_type"], order["trail_offset"], order["trail_type"]) == (
        "SELL", "TRAILING_STOP", "5", "PERCENT",
    )  # fmt: skip
