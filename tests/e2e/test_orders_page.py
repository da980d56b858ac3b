"""The orders blotter in a browser: by keyboard alone, in two tabs, under the pointer, with lost
answers, and with more orders than a table can hold.
"""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.e2e.conftest import playwright_api
from tests.system.running import within

expect = playwright_api.expect

pytestmark = pytest.mark.timeout(240)

ROWS = "[data-blotter] tbody tr[data-id]"
NOTE = "[data-note][role=alert]"
_numbers = count(1)


# The answer to an amendment is lost: after the server had it, or before it left.
LOSE_ANSWERS = """(arrives) => {
    window.realFetch = window.fetch;
    window.fetch = async (path, options) => {
        if (options?.method !== "POST") return window.realFetch(path, options);
        if (arrives) await window.realFetch(path, options);
        throw new TypeError("Failed to fetch");
    };
}"""

# The list is answered by the page itself: no server has to take so many orders first.
MANY_ORDERS = """(many) => {
    const real = window.fetch;
    const order = {created_at: "2026-01-02T03:04:05Z", symbol: "SPX", side: "BUY",
        order_qty: "1", ord_status: "NEW", is_open: "yes"};
    const rows = Array.from({length: many}, (_, n) => (
        {id: `01HH${String(many - n).padStart(22, "0")}`, v: 1, row: {...order}}));
    const counts = {working: many, unknown: 0, today: 0, all: many};
    const told = {p: 1, rows, next: null, sort: "-time", conditions: [], totals: [], counts};
    window.fetch = (path, options) => (String(path).startsWith("/portal/rows/orders?")
        ? Promise.resolve({ok: true, status: 200, json: async () => told}) : real(path, options));
}"""


class Street:
    """Orders of one strategy of this test alone, sent and read by the API."""

    def __init__(self, running) -> None:
        self._running = running
        self.strategy = f"e2e-{time.time_ns()}"
        last = Decimal(self.api.get("/instruments/SPX/quote").body["last"])
        self.low = (last * Decimal("0.97")).quantize(Decimal("0.01"))

    @property
    def api(self) -> Any:
        """A client of its own for each call: traders of a test send side by side."""
        return self._running.client("acme")

    def place(self, **changed: Any) -> str:
        """A limit order that waits far from the market, where nothing else is said."""
        body = {
            "account": "PAPER-1", "symbol": "SPX", "side": "BUY", "ord_type": "LIMIT",
            "order_qty": "1", "price": str(self.low), "time_in_force": "GTC",
            "strategy": self.strategy, "cl_ord_id": f"o-{time.time_ns()}-{next(_numbers)}",
            "allow_duplicate": True, **changed,
        }  # fmt: skip
        answer = self.api.post("/orders", {k: v for k, v in body.items() if v is not None})
        assert answer.status == 201, answer.body
        return answer.body["id"]

    def fill(self, **changed: Any) -> str:
        """An order that is filled."""
        order_id = self.place(ord_type="MARKET", price=None, time_in_force="IOC", **changed)
        self.until(order_id, "FILLED")
        return order_id

    def order(self, order_id: str) -> dict[str, Any]:
        return self.api.get(f"/orders/{order_id}").body

    def until(self, order_id: str, *statuses: str) -> dict[str, Any]:
        """Look until the order is there and nothing of it is on its way."""
        found: dict[str, Any] = {}

        def done() -> bool:
            found.update(self.order(order_id))
            return found["ord_status"] in statuses and not found["pending"]

        assert within(40, done), found
        return found

    def working(self, **changed: Any) -> str:
        order_id = self.place(**changed)
        self.until(order_id, "NEW")
        return order_id

    def words(self, order_id: str) -> list[str]:
        return [
            row["exec_type"] for row in self.api.get(f"/orders/{order_id}/events").body["items"]
        ]

    def path(self, **more: str) -> str:
        query = "&".join(f"{name}={value}" for name, value in more.items())
        return f"/orders?strategy={self.strategy}&{query}"


@pytest.fixture
def street(running):
    """Prices are there; whatever a test left working is cancelled."""
    api = running.client("acme")
    assert within(30, lambda: api.get("/instruments/SPX/quote").status == 200)
    made = Street(running)
    yield made
    assert api.post("/orders/cancel-all", {"strategy": made.strategy}).status == 202


def is_live(tab):
    expect(tab.locator("[data-light=app] [data-light-text]")).to_have_text("● live", timeout=20_000)


def opened(person, path):
    tab = person.open(path)
    is_live(tab)
    return tab


def row(tab, order_id):
    return tab.locator(f"{ROWS}[data-id='{order_id}']")


def status(tab, order_id):
    return row(tab, order_id).locator("[data-c=ord_status]")


def ids(tab) -> list[str]:
    return tab.evaluate(f"[...document.querySelectorAll('{ROWS}')].map(tr => tr.dataset.id)")


def to_row(tab, order_id):
    """Walk to a row by keys alone."""
    tab.keyboard.press("j")
    for _ in range(30):
        if tab.evaluate("document.activeElement.closest('tr')?.dataset.id") == order_id:
            return
        tab.keyboard.press("j")
    raise AssertionError("the row is not reached by j")


# --- rows ---------------------------------------------------------------------------------------


def test_an_order_appears_fills_and_counts_in_two_tabs_alike(street, log_in, line):
    person = log_in("alice@acme.test")
    one, two = opened(person, street.path()), opened(person, street.path())
    streams = line.streams
    order_id = street.fill(order_qty="3")
    order = street.order(order_id)
    for tab in (one, two):
        expect(status(tab, order_id)).to_have_text("FILLED")
        expect(tab.locator("[data-count=all]")).to_have_text("1")
        for name in ("order_qty", "cum_qty", "avg_px"):
            assert (
                row(tab, order_id).locator(f"[data-c={name}]").get_attribute("data-v")
                == order[name]
            )
        worth = Decimal(order["cum_qty"]) * Decimal(order["avg_px"])
        expect(tab.locator("[data-sum=bought]")).to_have_text(f"{worth:,.2f}")
    assert line.streams == streams
    fresh = opened(person, street.path())
    assert row(fresh, order_id).inner_text() == row(one, order_id).inner_text()


def test_amend_and_cancel_by_keyboard_alone(street, log_in):
    """Journey 5."""
    order_id = street.working(order_qty="5")
    tab = opened(log_in("alice@acme.test"), street.path(view="working"))
    to_row(tab, order_id)
    tab.keyboard.press("e")
    price = tab.get_by_label("New price")
    expect(price).to_be_focused()
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("Shift+ArrowUp")
    wanted = str((street.low + Decimal("0.11")).normalize())
    assert Decimal(price.input_value()) == Decimal(wanted)
    tab.keyboard.press("Tab")
    tab.keyboard.press("ArrowDown")
    note = tab.locator(NOTE)
    expect(note.locator("del")).to_have_text(["5", f"{street.low:,}"])
    expect(note.locator("ins")).to_have_text(["4", f"{Decimal(wanted):,.2f}"])
    expect(note).to_contain_text("gives up its place in the queue")
    tab.keyboard.press("Enter")
    within(20, lambda: street.order(order_id)["price"] == wanted)
    order = street.until(order_id, "NEW")
    assert (order["order_qty"], Decimal(order["price"])) == ("4", Decimal(wanted))
    assert order["orig_cl_ord_id"] is not None
    assert street.words(order_id).count("REPLACED") == 1
    expect(row(tab, order_id).locator("[data-c=price]")).to_have_text(f"{Decimal(wanted):,.2f}")
    expect(row(tab, order_id).locator("[data-c=order_qty]")).to_have_text("4")
    assert tab.evaluate("document.activeElement.closest('tr').dataset.id") == order_id
    tab.keyboard.press("x")
    expect(status(tab, order_id)).to_have_text("CANCELED", timeout=20_000)
    # It no longer belongs to the tab; while the focus is here it stays, dimmed.
    expect(row(tab, order_id)).to_have_attribute("data-gone", "")
    tab.keyboard.press("Escape")
    expect(row(tab, order_id)).to_have_count(0)
    expect(tab.locator("[data-empty]")).to_be_visible()


def test_enter_twice_is_one_amendment_and_escape_is_none(street, log_in):
    """Journey 11, for amendments."""
    order_id = street.working(order_qty="5")
    tab = opened(log_in("alice@acme.test"), street.path())
    to_row(tab, order_id)
    tab.keyboard.press("e")
    expect(tab.get_by_label("New price")).to_be_focused()
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("Escape")
    expect(tab.get_by_label("New price")).to_have_count(0)
    expect(row(tab, order_id).locator("[data-c=price]")).to_have_text(f"{street.low:,.2f}")
    tab.keyboard.press("e")
    expect(tab.get_by_label("New price")).to_be_focused()
    tab.keyboard.press("ArrowDown")
    posts = []
    tab.on(
        "request", lambda request: posts.append(request.url) if request.method == "POST" else None
    )
    tab.evaluate(
        """() => { for (let n = 0; n < 2; n += 1) document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true})); }"""
    )
    within(20, lambda: "REPLACED" in street.words(order_id))
    street.until(order_id, "NEW")
    assert street.words(order_id).count("REPLACED") == 1
    assert [url for url in posts if url.endswith("/amend")] == [posts[0]]


def test_a_refusal_stands_at_the_row_with_its_numbers(street, log_in):
    order_id = street.working()
    person = log_in("alice@acme.test")
    tab = opened(person, street.path())
    to_row(tab, order_id)
    tab.keyboard.press("e")
    quantity = tab.get_by_label("New quantity")
    quantity.fill("99999999")
    quantity.press("Enter")
    note = tab.locator(NOTE)
    expect(note.locator(".bl-note__code")).to_have_text(re.compile("[a-z_A-Z]+"), timeout=15_000)
    expect(note).to_have_attribute("data-level", "error")
    expect(tab.locator("[data-toasts] [data-level=error]")).to_contain_text("Not amended")
    expect(quantity).to_have_value("99999999")
    quantity.press("Escape")
    expect(row(tab, order_id).locator("[data-c=order_qty]")).to_have_text("1")
    assert street.order(order_id)["order_qty"] == "1"
    said = [one for one in person.watch.complaints if "(Unprocessable Entity)" not in one]
    person.watch.complaints[:] = said


@pytest.mark.parametrize("arrives", [True, False])
def test_a_lost_answer_is_asked_for_by_its_id(street, log_in, arrives):
    order_id = street.working()
    tab = opened(log_in("alice@acme.test"), street.path())
    tab.evaluate(LOSE_ANSWERS, arrives)
    to_row(tab, order_id)
    tab.keyboard.press("e")
    expect(tab.get_by_label("New price")).to_be_focused()
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("Enter")
    note = tab.locator(NOTE)
    expect(note).to_contain_text("Asking what became of p-", timeout=15_000)
    if arrives:
        expect(tab.locator("[data-toasts]")).to_contain_text("was received", timeout=15_000)
        order = street.until(order_id, "NEW")
        assert Decimal(order["price"]) == street.low + Decimal("0.01")
        assert street.words(order_id).count("REPLACED") == 1
    else:
        expect(note).to_contain_text("did not receive it", timeout=15_000)
        assert Decimal(street.order(order_id)["price"]) == street.low
        tab.evaluate("() => { window.fetch = window.realFetch; }")
        tab.keyboard.press("Enter")
        within(20, lambda: "REPLACED" in street.words(order_id))
        assert street.words(order_id).count("REPLACED") == 1


# --- many ---------------------------------------------------------------------------------------


def test_cancel_every_order_of_a_filter_and_one_is_filled_already(street, log_in):
    """Journey 7."""
    with ThreadPoolExecutor(4) as traders:
        made = list(traders.map(lambda _: street.place(), range(12)))
    for order_id in made:
        street.until(order_id, "NEW")
    tab = opened(log_in("alice@acme.test"), street.path())
    expect(tab.locator("[data-count=working]")).to_have_text("12")
    tab.keyboard.press("Shift+X")
    dialog = tab.locator("[data-cancel-many]")
    expect(dialog.locator("h2")).to_have_text("Cancel 12 orders")
    expect(dialog.locator("[data-many-list] li")).to_have_count(12)
    expect(dialog.locator("[data-many-send]")).to_be_focused()
    fast = street.api.post(f"/orders/{made[3]}/replace", {"price": str(street.low * 2)[:6]})
    if fast.status != 202:  # beyond the collar: at the market instead
        ask = street.api.get("/instruments/SPX/quote").body["ask"]
        fast = street.api.post(f"/orders/{made[3]}/replace", {"price": ask})
    assert fast.status == 202, fast.body
    street.until(made[3], "FILLED")
    tab.keyboard.press("Enter")
    expect(dialog.locator("h2")).to_have_text("11 on their way, 1 not cancelled", timeout=30_000)
    expect(dialog.locator(f"li[data-id='{made[3]}']")).to_contain_text("already_filled")
    for order_id in made:
        street.until(order_id, "FILLED" if order_id == made[3] else "CANCELED")
        expect(status(tab, order_id)).to_have_text("FILLED" if order_id == made[3] else "CANCELED")
    tab.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(tab.locator("[data-count=working]")).to_have_text("0")


def test_a_selection_has_a_bar_that_says_what_is_possible(street, log_in):
    made = [street.fill(), street.working(), street.working()]
    tab = opened(log_in("alice@acme.test"), street.path())
    to_row(tab, made[2])
    tab.keyboard.press("Space")
    bar = tab.locator("[data-bar]")
    expect(bar.locator("[data-bar-count]")).to_have_text("1 selected")
    expect(bar.locator("[data-act='grid:amend']")).to_be_enabled()
    tab.keyboard.press("Shift+ArrowDown")
    tab.keyboard.press("Shift+ArrowDown")
    expect(bar.locator("[data-bar-count]")).to_have_text("3 selected")
    expect(bar.locator("[data-bar-why]")).to_contain_text("1 of 3 will be left out (FILLED")
    expect(bar.locator("[data-act='grid:amend']")).to_be_disabled()
    tab.keyboard.press("x")
    dialog = tab.locator("[data-cancel-many]")
    expect(dialog.locator("h2")).to_have_text("Cancel 2 orders")
    expect(dialog.locator(f"li[data-id='{made[0]}']")).to_contain_text("not asked")
    tab.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert street.order(made[1])["ord_status"] == "NEW"
    row(tab, made[2]).locator("td[data-col=side]").focus()
    tab.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    tab.keyboard.press("Control+a")
    expect(bar.locator("[data-bar-count]")).to_have_text("3 selected")


def test_the_menu_says_what_can_be_done_and_why_not(street, log_in):
    order_id = street.fill()
    tab = opened(log_in("alice@acme.test"), street.path())
    to_row(tab, order_id)
    tab.keyboard.press("m")
    menu = tab.locator("[data-menu]")
    expect(menu.get_by_role("menuitem", name="Open Enter", exact=True)).to_be_focused()
    expect(menu.get_by_role("menuitem", name="Cancel")).to_contain_text("completely filled")
    tab.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    assert tab.evaluate("document.activeElement.closest('tr').dataset.id") == order_id
    row(tab, order_id).locator("td[data-col=side]").click(button="right")
    expect(menu).to_be_visible()


# --- stillness, windows -------------------------------------------------------------------------


def test_nothing_moves_under_the_pointer(street, log_in):
    """Journey 13."""
    for _ in range(3):
        street.place()
    tab = opened(log_in("alice@acme.test"), street.path())
    expect(tab.locator(ROWS)).to_have_count(3)
    before = ids(tab)
    box = row(tab, before[1]).locator("td[data-col=side]").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.mouse.move(x, y)
    until = time.monotonic() + 8

    def trade(_: int) -> list[str]:
        made = []
        while time.monotonic() < until:
            made.append(street.place(ord_type="MARKET", price=None, time_in_force="IOC"))
        return made

    with ThreadPoolExecutor(2) as traders:
        work = [traders.submit(trade, number) for number in range(2)]
        while time.monotonic() < until:
            under = "([x, y]) => document.elementFromPoint(x, y).closest('tr').dataset.id"
            assert tab.evaluate(under, [x, y]) == before[1]
        sent = [order_id for one in work for order_id in one.result()]
    expect(tab.locator("[data-pill]")).to_have_text(f"{len(sent)} new", timeout=15_000)
    assert ids(tab) == before
    tab.mouse.click(x, y)
    expect(tab.locator(f"{ROWS}[aria-selected=true]")).to_have_attribute("data-id", before[1])
    tab.locator("[data-pill]").click()
    expect(tab.locator("[data-pill]")).to_be_hidden()
    expect(tab.locator(ROWS).first).to_have_attribute("data-id", max(sent))


def test_a_hundred_thousand_orders_are_a_few_dozen_rows(street, log_in):
    many = 100_000
    street.working()
    tab = opened(log_in("alice@acme.test"), street.path())
    tab.evaluate(MANY_ORDERS, many)
    tab.locator("[data-set='view=working']").click()
    expect(tab.locator("[data-grid-state]")).to_have_text(f"{many} loaded", timeout=60_000)
    table = tab.locator("[data-blotter] table")
    expect(table).to_have_attribute("aria-rowcount", str(many + 1))
    tab.locator(f"{ROWS} [tabindex='0']").focus()
    most = 0
    for key, index in [("PageDown", None), ("Control+End", many + 1), ("PageUp", None),
                       ("Control+Home", 2), ("ArrowDown", 3)]:  # fmt: skip
        tab.keyboard.press(key)
        most = max(most, tab.locator("[data-blotter] tbody tr").count())
        focused = tab.evaluate("document.activeElement.closest('tr').getAttribute('aria-rowindex')")
        assert index is None or int(focused) == index, key
        assert tab.evaluate(
            """() => { const box = document.activeElement.getBoundingClientRect();
                const lane = document.querySelector("[data-scroll]").getBoundingClientRect();
                return box.top >= lane.top && box.bottom <= lane.bottom; }"""
        ), key
    scroll = "document.querySelector('[data-scroll]').scrollTop = "
    kept = tab.evaluate("document.activeElement.closest('tr').dataset.id")
    for top in (1_000_000, 2_000_000, 12_345):
        tab.evaluate(f"{scroll} {top}")
        first = tab.locator(f"{ROWS}[data-id='01HH{many - top // 24 - 5:022d}']")
        expect(first).to_be_visible()
        most = max(most, tab.locator("[data-blotter] tbody tr").count())
        # The row with the focus keeps its node, wherever the list is scrolled.
        assert tab.evaluate("document.activeElement.closest('tr').dataset.id") == kept
    assert most < 150


# --- the page -----------------------------------------------------------------------------------


def test_tabs_sequence_and_columns_change_in_place_and_are_in_the_address(street, log_in):
    made = [street.working(price=str(street.low - n)) for n in (0, 2, 1)]
    person = log_in("alice@acme.test")
    tab = opened(person, street.path())
    expect(tab.locator(ROWS)).to_have_count(3)
    tab.evaluate("window.isSame = true")
    to_row(tab, made[2])
    tab.keyboard.press("Home")
    for _ in range(7):
        tab.keyboard.press("ArrowRight")
    assert tab.evaluate("document.activeElement.dataset.col") == "price"
    tab.keyboard.press("Shift+S")
    expect(tab.locator("th[data-col=price]")).to_have_attribute("aria-sort", "descending")
    assert ids(tab) == [made[0], made[2], made[1]]
    tab.locator("[data-set='view=working']").click()
    expect(tab.locator("[data-set='view=working']")).to_have_attribute("aria-current", "page")
    query = parse_qs(urlsplit(tab.url).query)
    assert (query["sort"], query["view"]) == (["-price"], ["working"])
    assert tab.evaluate("window.isSame") is True
    tab.locator("[data-columns] summary").click()
    tab.locator("[data-columns] input[value=strategy]").uncheck()
    expect(tab.locator("th[data-col=strategy]")).to_be_hidden()
    address = urlsplit(tab.url)
    other = opened(person, f"{address.path}?{address.query}")
    assert ids(other) == [made[0], made[2], made[1]]
    expect(other.locator("th[data-col=strategy]")).to_be_hidden()
    tab.keyboard.press("Escape")
    with tab.expect_download() as download:
        tab.locator("[data-export]").click()
    lines = download.value.path().read_text().splitlines()
    assert [line.partition(",")[0] for line in lines[1:]] == [made[0], made[2], made[1]]


def test_rows_follow_the_text_filter_as_they_stream(street, log_in):
    tab = opened(log_in("alice@acme.test"), street.path(q="qty>5+side:sell"))
    price = str(street.low * Decimal("1.05"))[:7]
    wrong = [street.place(order_qty="10"), street.place(side="SELL", order_qty="5", price=price)]
    right = street.place(side="SELL", order_qty="6", price=price)
    expect(row(tab, right)).to_be_visible(timeout=20_000)
    assert ids(tab) == [right]
    tab.reload(wait_until="domcontentloaded")
    assert ids(tab) == [right]
    assert not set(wrong) & set(ids(tab))
    tab.keyboard.press("f")
    expect(tab.locator("#f-q")).to_be_focused()


def test_an_unknown_outcome_counts_its_seconds(street, log_in):
    """Journey 10, the mark: the row is the presenter's, told as the stream tells it."""
    order_id = street.working()
    tab = opened(log_in("alice@acme.test"), street.path())
    tab.evaluate(
        """async (id) => {
            const told = await (await fetch(`/portal/rows/orders/${id}`)).json();
            told.row.unknown_since = new Date(Date.now() - 41000).toISOString();
            told.row.unknown_title = "the outcome of CANCEL is unknown";
            const detail = {...told, v: told.v + 1, p: told.p + 1};
            document.body.dispatchEvent(new CustomEvent("live:order", {detail}));
        }""",
        order_id,
    )
    mark = row(tab, order_id).locator("[data-if=unknown_since]")
    expect(mark).to_be_visible()
    expect(mark).to_have_attribute("title", "the outcome of CANCEL is unknown")
    expect(mark).to_have_text(re.compile(r"\?\s*unknown 00:4[1-4]"))
    expect(mark).to_have_text(re.compile(r"\?\s*unknown 00:4[5-9]"), timeout=8_000)


def test_a_viewer_has_no_verb_and_keys_do_nothing(street, log_in):
    order_id = street.working()
    person = log_in("bob@acme.test")
    tab = opened(person, street.path())
    to_row(tab, order_id)
    sent = len([url for url in person.watch.requested if "/orders/" in url])
    for key in ("e", "x", "Shift+X"):
        tab.keyboard.press(key)
    expect(tab.locator("[data-verb]")).to_have_count(0)
    assert len([url for url in person.watch.requested if "/orders/" in url]) == sent
    assert street.order(order_id)["ord_status"] == "NEW"
    tab.keyboard.press("m")
    expect(tab.locator("[data-menu]")).to_contain_text("your role may look, not trade")
