"""The live connection on bare tables: cut and resumed, held under the pointer, shared by tabs."""

import itertools
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.conftest import playwright_api
from tests.system.running import within

expect = playwright_api.expect

pytestmark = pytest.mark.timeout(180)

GRID = "[data-grid=orders]"
ROWS = f"{GRID} tbody tr[data-id]"
_numbers = itertools.count(1)


def light(tab, name):
    return tab.locator(f"[data-light={name}] [data-light-text]")


def is_live(tab):
    expect(light(tab, "app")).to_have_text("● live", timeout=15_000)


def send(running, **changed: Any) -> dict[str, Any]:
    """An order by the API; the answer's order."""
    client = running.client("acme")
    body = {
        "account": "PAPER-1", "cl_ord_id": f"e2e-{time.time_ns()}-{next(_numbers)}",
        "symbol": "SPX", "side": "BUY", "ord_type": "MARKET", "order_qty": "1",
        "time_in_force": "IOC", "allow_duplicate": True, **changed,
    }  # fmt: skip
    answer = client.post("/orders", body)
    assert answer.status in (200, 201, 202), answer.body
    return answer.body


def filled(running, order_id: str) -> dict[str, Any]:
    """The order once it is filled."""
    found: dict[str, Any] = {}

    def done() -> bool:
        found.update(running.client("acme").get(f"/orders/{order_id}").body)
        return found["ord_status"] == "FILLED"

    assert within(20, done), found
    return found


def ids(tab) -> list[str]:
    return tab.evaluate(f"[...document.querySelectorAll('{ROWS}')].map(tr => tr.dataset.id)")


@pytest.fixture
def prices(running):
    """Prices are there: the feed started with the system."""
    quote = "/instruments/SPX/quote"
    assert within(30, lambda: running.client("acme").get(quote).status == 200)


def test_prices_move_and_an_order_arrives_and_fills_without_reload(running, log_in, prices):
    tab = log_in("alice@acme.test").open("/desk/quotes")
    is_live(tab)
    last = tab.locator("[data-f='quote:SPX.last']")
    before = last.text_content()
    expect(last).not_to_have_text(before, timeout=20_000)
    order = filled(running, send(running)["id"])
    row = tab.locator(f"{ROWS}[data-id='{order['id']}']")
    expect(row.locator("[data-c=ord_status]")).to_have_text("FILLED")
    assert row.locator("[data-c=avg_px]").get_attribute("data-v") == order["avg_px"]
    assert row.locator("[data-c=cum_qty]").get_attribute("data-v") == order["cum_qty"]
    expect(light(tab, "broker")).to_have_text("● live")
    expect(light(tab, "feed")).to_have_text("● live SIM")


def test_a_cut_line_is_shown_and_nothing_is_lost_or_doubled(running, log_in, line, prices):
    """Journey 12."""
    person = log_in("alice@acme.test")
    tab = person.open("/desk/quotes")
    is_live(tab)
    first = filled(running, send(running)["id"])
    expect(tab.locator(f"{ROWS}[data-id='{first['id']}']")).to_be_visible()
    person.watch.is_cut = True
    line.cut()
    expect(light(tab, "app")).to_have_text("◐ reconnecting 2 s", timeout=8_000)
    last = tab.locator("[data-f='quote:SPX.last']")
    table = tab.locator(f"{GRID} table")
    assert float(table.evaluate("element => getComputedStyle(element).opacity")) < 1
    meanwhile = [filled(running, send(running)["id"]) for _ in range(5)]
    assert ids(tab).count(meanwhile[0]["id"]) == 0
    expect(last).to_have_attribute("data-stale", re.compile(r"1\d s"), timeout=20_000)
    expect(light(tab, "feed")).to_contain_text("last price")
    expect(light(tab, "broker")).to_have_text("◐ not known")
    expect(light(tab, "app")).to_have_text(
        re.compile(r"○ offline since \d\d:\d\d:\d\d"), timeout=35_000
    )
    line.mend()
    is_live_again(tab)
    for order in meanwhile:
        row = tab.locator(f"{ROWS}[data-id='{order['id']}']")
        expect(row).to_have_count(1)
        expect(row.locator("[data-c=ord_status]")).to_have_text("FILLED")
    expect(last).not_to_have_attribute("data-stale", re.compile("."))
    assert float(table.evaluate("element => getComputedStyle(element).opacity")) == 1
    shown = ids(tab)
    assert len(shown) == len(set(shown))
    tab.reload(wait_until="domcontentloaded")
    is_live(tab)
    assert ids(tab)[: len(meanwhile)] == shown[: len(meanwhile)]


def is_live_again(tab):
    expect(light(tab, "app")).to_have_text("● live", timeout=40_000)


def test_a_silent_line_counts_as_lost_though_nobody_closed_it(running, log_in, line, prices):
    person = log_in("alice@acme.test")
    tab = person.open("/desk/quotes")
    is_live(tab)
    person.watch.is_cut = True
    line.freeze()
    expect(light(tab, "app")).to_contain_text("◐ reconnecting", timeout=16_000)
    line.mend()
    is_live_again(tab)


def test_nothing_moves_under_the_pointer(running, log_in, prices):
    """Journey 13."""
    tab = log_in("alice@acme.test").open("/desk/quotes")
    is_live(tab)
    for _ in range(3):
        filled(running, send(running)["id"])
    expect(tab.locator(ROWS).nth(2)).to_be_visible()
    aimed = tab.locator(ROWS).nth(1)
    aimed_id = aimed.get_attribute("data-id")
    before = ids(tab)
    cell = aimed.locator("[data-c=symbol]")
    box = cell.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.mouse.move(x, y)
    until = time.monotonic() + 10

    def trade() -> list[str]:
        made = []
        while time.monotonic() < until:
            made.append(send(running)["id"])
        return made

    with ThreadPoolExecutor(3) as traders:
        work = [traders.submit(trade) for _ in range(3)]
        while time.monotonic() < until:
            assert under(tab, x, y) == aimed_id
        sent = [order_id for one in work for order_id in one.result()]
    print(f"{len(sent)} orders in 10 s")
    assert len(sent) > 20
    expect(tab.locator(f"{GRID} [data-pill]")).to_have_text(f"{len(sent)} new", timeout=10_000)
    assert ids(tab) == before
    tab.mouse.click(x, y)
    expect(tab.locator(f"{ROWS}[aria-selected=true]")).to_have_attribute("data-id", aimed_id)
    tab.locator(f"{GRID} [data-pill]").click()
    expect(tab.locator(f"{GRID} [data-pill]")).to_be_hidden()
    assert set(ids(tab)) <= {*sent, *before}
    assert set(ids(tab)[: len(sent)]) <= set(sent)
    after = ids(tab)
    assert len(after) == len(set(after))


def under(tab, x, y) -> str:
    return tab.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).closest('tr').dataset.id", [x, y]
    )


def test_two_tabs_stay_in_step_on_one_connection(running, log_in, line, prices):
    person = log_in("alice@acme.test")
    one = person.open("/desk/quotes")
    is_live(one)
    opened = line.streams
    two = person.open("/desk/quotes")
    is_live(two)
    order = filled(running, send(running)["id"])
    for tab in (one, two):
        row = tab.locator(f"{ROWS}[data-id='{order['id']}']")
        expect(row).to_have_count(1)
        expect(row.locator("[data-c=ord_status]")).to_have_text("FILLED")
    assert line.streams == opened
    one.close()
    again = filled(running, send(running)["id"])
    expect(two.locator(f"{ROWS}[data-id='{again['id']}']")).to_have_count(1)
    assert line.streams == opened


def test_without_a_shared_worker_each_tab_has_its_own(running, log_in, prices):
    person = log_in("alice@acme.test")
    person.context.add_init_script("delete window.SharedWorker")
    tab = person.open("/desk/quotes")
    is_live(tab)
    order = filled(running, send(running)["id"])
    expect(tab.locator(f"{ROWS}[data-id='{order['id']}']")).to_have_count(1)


def test_the_grid_is_walked_by_keys(running, log_in, prices):
    for _ in range(3):
        filled(running, send(running)["id"])
    tab = log_in("alice@acme.test").open("/desk/quotes")
    is_live(tab)
    assert tab.locator(f"{GRID} [tabindex='0']").count() == 1
    tab.locator(f"{ROWS} [tabindex='0']").focus()

    def place():
        return tab.evaluate(
            "[document.activeElement.closest('tr').rowIndex, document.activeElement.cellIndex]"
        )

    assert place() == [1, 0]
    for key, expected in [
        ("ArrowRight", [1, 1]), ("ArrowDown", [2, 1]), ("End", [2, 11]), ("Home", [2, 0]),
        ("ArrowUp", [1, 0]), ("ArrowUp", [1, 0]),
    ]:  # fmt: skip
        tab.keyboard.press(key)
        assert place() == expected, key
    tab.keyboard.press("Space")
    tab.keyboard.press("Shift+ArrowDown")
    assert tab.locator(f"{ROWS}[aria-selected=true]").count() == 2
    order = filled(running, send(running)["id"])
    expect(tab.locator(f"{GRID} [data-pill]")).to_have_text("1 new")
    assert place() == [2, 0]
    tab.keyboard.press("Control+Home")
    tab.locator("h1").click()
    tab.evaluate("document.activeElement.blur()")
    expect(tab.locator(ROWS).first).to_have_attribute("data-id", order["id"])


def test_a_login_that_ended_elsewhere_is_shown(running, log_in, prices):
    person = log_in("bob@acme.test")
    tab = person.open("/desk/quotes")
    is_live(tab)
    other = person.context.new_page()
    other.goto(f"{person.url}/desk/quotes", wait_until="domcontentloaded")
    with other.expect_navigation():
        other.evaluate("document.querySelector('form[action=\"/logout\"]').submit()")
    expect(light(tab, "app")).to_have_text("○ logged out", timeout=15_000)


FORMS = [
    ("number", ["1234567.891", {"places": 2, "locale": "en-GB"}], "1,234,567.89"),
    ("number", ["1234567.895", {"places": 2, "locale": "de-DE"}], "1.234.567,90"),
    ("number", ["9.995", {"places": 2, "locale": "en-GB"}], "10.00"),
    ("number", ["-0.004", {"places": 2, "locale": "en-GB"}], "0.00"),
    ("number", ["-12.5", {"locale": "en-GB"}], "\u221212.5"),
    ("number", ["12.5", {"signed": True, "locale": "en-GB"}], "+12.5"),
    ("number", ["0", {"signed": True, "places": 2, "locale": "en-GB"}], "0.00"),
    ("number", ["999999999999999999999.999999999999", {"locale": "en-GB"}],
     "999,999,999,999,999,999,999.999999999999"),
    ("number", ["", {}], "\u2014"),
    ("number", ["n/a", {}], "n/a"),
    ("compare", ["0.1", "0.10"], 0),
    ("compare", ["-2", "1"], -1),
    ("compare", ["1126.34", "1126.339999999999"], 1),
    ("placesOf", ["0.0100"], 2),
    ("placesOf", ["5"], 0),
    ("time", ["2026-11-20T13:02:11.482Z", {"zone": "UTC", "now": 1795300000000}],
     "2026-11-20 13:02:11.482"),
    ("age", [61_000], "1 min"),
]  # fmt: skip


def test_text_is_made_of_exact_digits(running, log_in):
    tab = log_in("alice@acme.test").open("/desk/quotes")
    for name, arguments, expected in FORMS:
        made = tab.evaluate(
            "async ([name, given]) => (await import('/static/js/fmt.js'))[name](...given)",
            [name, arguments],
        )
        assert made == expected, (name, arguments)
