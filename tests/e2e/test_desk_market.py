"""The desk's market in a browser: prices, symbols by keys, own orders and fills on the chart."""

import re
from decimal import Decimal
from typing import Any

import pytest

from tests.e2e.conftest import playwright_api
from tests.e2e.test_live_tables import filled, is_live, send
from tests.system.running import within

expect = playwright_api.expect

pytestmark = pytest.mark.timeout(180)

CHART = "#chart"
CHOSEN = "#watchlist [aria-current=true]"


@pytest.fixture(autouse=True)
def _prices(running):
    """Prices are there: the feed started with the system."""
    quote = "/instruments/SPX/quote"
    assert within(30, lambda: running.client("acme").get(quote).status == 200)


def opened(log_in, path: str = "/desk?symbol=SPX", email: str = "alice@acme.test") -> Any:
    tab = log_in(email).open(path)
    is_live(tab)
    expect(tab.locator(CHART)).to_have_attribute("data-state", "ready", timeout=15_000)
    return tab


def pixel(tab) -> list[int]:
    """The colour of the chart's ground: the one most of a corner has, grid lines apart."""
    return tab.evaluate(
        """() => {
          const canvas = document.querySelector("#chart [data-chart-host] canvas");
          const copy = new OffscreenCanvas(60, 8).getContext("2d", {willReadFrequently: true});
          copy.drawImage(canvas, 0, 0, 60, 8, 0, 0, 60, 8);
          const {data} = copy.getImageData(0, 0, 60, 8);
          const counts = new Map();
          for (let at = 0; at < data.length; at += 4) {
            const colour = [...data.slice(at, at + 3)].join();
            counts.set(colour, (counts.get(colour) ?? 0) + 1);
          }
          const [[most]] = [...counts].sort((one, other) => other[1] - one[1]);
          return most.split(",").map(Number);
        }"""
    )


def surface(tab) -> list[int]:
    text = tab.evaluate("getComputedStyle(document.querySelector('#chart')).backgroundColor")
    return [int(number) for number in re.findall(r"\d+", text)[:3]]


def cancelled(running, order_id: str) -> None:
    running.client("acme").post(f"/orders/{order_id}/cancel", {})


def test_prices_move_in_list_facts_and_chart(log_in):
    tab = opened(log_in)
    last = tab.locator("#watchlist [data-f='quote:SPX.last']")
    legend = tab.locator("[data-chart-legend]")
    before, drawn = last.text_content(), legend.text_content()
    expect(last).not_to_have_text(before, timeout=20_000)
    expect(legend).not_to_have_text(drawn, timeout=20_000)
    shown = tab.evaluate(
        """() => ["#watchlist", "#facts"].map((place) =>
             document.querySelector(`${place} [data-f='quote:SPX.bid']`).textContent)"""
    )
    assert shown[0] == shown[1]
    change = tab.locator("#watchlist [data-f='quote:SPX.change']")
    sign = {"+": "up", "\u2212": "down"}.get(change.text_content()[0], "flat")
    expect(change).to_have_attribute("data-sign", sign)


def test_a_symbol_is_chosen_by_keys_and_everything_moves_together(log_in):
    tab = opened(log_in, "/desk?symbol=IXIC")
    tab.evaluate("window.stays = true")
    tab.keyboard.press("ArrowDown")
    expect(tab.locator(CHOSEN)).to_have_attribute("data-symbol", "SPX")
    expect(tab.locator(CHART)).to_have_attribute("data-symbol", "SPX")
    expect(tab.locator(CHART)).to_have_attribute("data-state", "ready")
    expect(tab.locator("#facts-title")).to_contain_text("SPX")
    expect(tab.locator("#ticket [name=symbol]")).to_have_value("SPX")
    assert tab.url.endswith("/desk?symbol=SPX")
    tab.keyboard.press("ArrowUp")
    expect(tab.locator(CHART)).to_have_attribute("data-symbol", "IXIC")
    tab.keyboard.press("w")
    tab.keyboard.type("spx")
    tab.keyboard.press("Enter")
    expect(tab.locator(CHART)).to_have_attribute("data-symbol", "SPX")
    expect(tab.locator("#ticket [name=symbol]")).to_have_value("SPX")
    assert tab.evaluate("window.stays") is True
    tab.go_back()
    expect(tab.locator(CHART)).to_have_attribute("data-symbol", "IXIC")


def test_a_fill_appears_as_a_mark_and_the_table_has_it(running, log_in):
    tab = opened(log_in)
    order = filled(running, send(running, order_qty="3")["id"])
    marks = tab.locator("[data-chart-list] li")
    expect(marks.filter(has_text=re.compile(r"^▲B \d"))).not_to_have_count(0)
    expect(tab.locator("[data-chart-own] [data-average]")).to_contain_text("avg")
    tab.locator("[data-chart-view]").click()
    link = tab.locator(f"[data-chart-fills] a[href='/orders/{order['id']}']")
    expect(link).to_be_visible(timeout=15_000)
    assert "view=table" in tab.url
    tab.keyboard.press("t")
    expect(tab.locator(f"{CHART}[data-chart]")).to_have_attribute("data-state", "ready")


def test_a_working_order_has_a_line_until_it_is_cancelled(running, log_in):
    tab = opened(log_in)
    quote = running.client("acme").get("/instruments/SPX/quote").body
    price = f"{int(float(quote['last'])) - 20}.25"
    order = send(running, ord_type="LIMIT", price=price, time_in_force="GTC", order_qty="11")
    tag = tab.locator(f"[data-chart-own] [data-order='{order['id']}']")
    expect(tag).to_contain_text("BUY 11 LMT")
    expect(tag).to_have_attribute("href", f"/orders/{order['id']}")
    assert tag.get_attribute("data-px") == price
    cancelled(running, order["id"])
    expect(tag).to_have_count(0)


def test_an_order_is_amended_at_its_line_by_hand_and_by_keys(running, log_in):
    """Journey 6: a drag and its key alternative give the same amendment."""
    client = running.client("acme")
    tab = opened(log_in)
    price = f"{int(float(client.get('/instruments/SPX/quote').body['last'])) - 20}.25"
    order = send(running, ord_type="LIMIT", price=price, time_in_force="GTC", order_qty="11")
    working = lambda: client.get(f"/orders/{order['id']}").body  # noqa: E731
    assert within(10, lambda: working()["ord_status"] == "NEW")
    tag = tab.locator(f"[data-chart-own] [data-order='{order['id']}']")
    field, note = tab.locator("#chart-amend-price"), tab.locator("[data-amend-note]")
    box = tag.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x, y + 8, steps=4)
    expect(tab.locator("[data-chart-ghost]")).to_contain_text("\u2192")
    tab.mouse.up()
    expect(field).to_be_focused()
    dragged = field.input_value()
    assert float(dragged) < float(price)
    expect(note).to_contain_text("gives up its place in the queue")
    assert working()["price"] == price, "nothing is sent before Enter"
    tab.keyboard.press("Enter")
    expect(field).to_be_hidden()
    assert within(10, lambda: Decimal(working()["price"]) == Decimal(dragged))
    expect(tag).to_have_attribute("data-px", working()["price"])
    assert "/desk" in tab.url
    tag.focus()
    tab.keyboard.press("e")
    expect(field).to_be_focused()
    tab.keyboard.press("Shift+ArrowUp")
    tab.keyboard.press("ArrowUp")
    typed = Decimal(field.input_value())
    assert typed == Decimal(dragged) + Decimal("0.11")
    tab.keyboard.press("Enter")
    assert within(10, lambda: Decimal(working()["price"]) == typed)
    expect(field).to_be_hidden()
    tag.focus()
    tab.keyboard.press("e")
    expect(field).to_be_focused()
    tab.keyboard.press("Escape")
    expect(field).to_be_hidden()
    cancelled(running, order["id"])
    expect(tag).to_have_count(0)


def test_the_theme_recolours_the_chart(log_in):
    tab = opened(log_in)
    expect(tab.locator("html")).to_have_attribute("data-theme", "dark")
    assert pixel(tab) == surface(tab)
    dark = pixel(tab)
    tab.keyboard.press("z")
    tab.keyboard.press("t")
    expect(tab.locator("html")).to_have_attribute("data-theme", "light")
    assert within(5, lambda: pixel(tab) == surface(tab))
    assert pixel(tab) != dark


def test_intervals_are_chosen_by_keys_and_stay_in_the_address(log_in):
    tab = opened(log_in)
    tab.keyboard.press("]")
    expect(tab.locator(CHART)).to_have_attribute("data-interval", "1w")
    expect(tab.locator(CHART)).to_have_attribute("data-state", "ready")
    assert "interval=1w" in tab.url
    tab.keyboard.press("[")
    expect(tab.locator(CHART)).to_have_attribute("data-interval", "1d")
    tab.keyboard.press("[")
    expect(tab.locator(CHART)).to_have_attribute("data-interval", "5s")
    expect(tab.locator("[data-chart-note]")).to_contain_text("recorded quotes")


def test_the_chart_is_walked_by_keys(log_in):
    tab = opened(log_in)
    legend = tab.locator("[data-chart-legend] span").first
    newest = legend.text_content()
    tab.locator("[data-chart-host]").focus()
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("ArrowLeft")
    expect(legend).not_to_have_text(newest)
    assert legend.text_content() < newest
    tab.keyboard.press("Home")
    assert within(5, lambda: legend.text_content() >= newest)


def test_the_list_is_changed_without_a_reload_and_is_kept(log_in):
    tab = opened(log_in, email="olivia@acme.test")
    rows = tab.locator("#watchlist .bl-watch__row")
    tab.evaluate("window.stays = true")
    tab.keyboard.press("w")
    tab.keyboard.type("VIX")
    tab.locator("#watchlist button[value=add]").click()
    expect(rows).to_have_count(3)
    expect(tab.locator(CHART)).to_have_attribute("data-symbol", "VIX")
    assert tab.evaluate("window.stays") is True
    tab.reload(wait_until="domcontentloaded")
    expect(rows).to_have_count(3)
    tab.locator("[data-watch-edit] summary").click()
    tab.get_by_role("button", name="Take VIX off the list").click()
    expect(rows).to_have_count(2)


def test_an_unreachable_server_is_said_and_tried_again(log_in, line):
    person = log_in("alice@acme.test")
    tab = person.open("/desk?symbol=SPX")
    expect(tab.locator(CHART)).to_have_attribute("data-state", "ready", timeout=15_000)
    tab.route("**/desk/chart/bars*", lambda route: route.fulfill(
        status=503, content_type="application/problem+json",
        body='{"code":"unavailable","detail":"The database is away.","request_id":"r-1"}',
    ))  # fmt: skip
    person.watch.is_cut = True
    tab.keyboard.press("]")
    expect(tab.locator(CHART)).to_have_attribute("data-state", "error")
    strip = tab.locator(f"{CHART} [data-strip]")
    expect(strip).to_contain_text("The database is away. (request r-1)")
    tab.unroute("**/desk/chart/bars*")
    strip.get_by_role("button", name="Try again").click()
    expect(tab.locator(CHART)).to_have_attribute("data-state", "ready")
    person.watch.complaints[:] = [one for one in person.watch.complaints if "503" not in one]


def test_everything_fits_one_screen(log_in):
    tab = opened(log_in)
    for size in ({"width": 1440, "height": 900}, {"width": 1280, "height": 720}):
        tab.set_viewport_size(size)
        page = tab.evaluate("[document.documentElement.scrollHeight, innerHeight]")
        assert page[0] <= page[1], size
        for panel in ("#watchlist", "#chart", "#blotter", "#positions", "#ticket"):
            expect(tab.locator(panel)).to_be_in_viewport()
    tab.set_viewport_size({"width": 390, "height": 844})
    wide = tab.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    tab.get_by_role("navigation", name="Ticket").get_by_text("SELL").click()
    expect(tab.locator("#ticket input[value=SELL]")).to_be_checked()
    expect(tab.locator("#ticket [name=order_qty]")).to_be_focused()
