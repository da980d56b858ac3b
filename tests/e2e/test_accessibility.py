"""What axe-core finds on every page of the frame: nothing, in either theme.

axe-core (MPL-2.0) comes inside the package axe-playwright-python and serves these tests alone.
"""

from decimal import Decimal

import pytest

from tests.e2e.conftest import playwright_api
from tests.e2e.test_shell import is_live, nobody
from tests.system.running import within

axe_api = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe is not installed: run `make e2e`"
)
expect = playwright_api.expect

pytestmark = pytest.mark.timeout(300)

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PAGES = (
    "/desk", "/orders", "/executions", "/pnl", "/halt", "/status", "/nothing",
)  # fmt: skip
TICKETS = ("TRAILING_STOP_LIMIT", "STOP_LIMIT", "PEGGED", "MARKET")
TABS = ("timeline", "messages", "risk", "fills", "postings", "changes")


def faults(tab, where: str) -> list[str]:
    """One line per broken rule."""
    found = axe_api.Axe().run(tab, options={"runOnly": RULES}).response["violations"]
    return [f"{where}: {one['id']} {one['nodes'][0]['html'][:160]}" for one in found]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_pages_and_dialogs_break_no_rule(running, log_in, theme):
    person = log_in("olivia@acme.test")
    person.watch.is_cut = True  # the page that is not there writes a line into the console
    person.context.add_cookies([{"name": "bl_theme", "value": theme, "url": person.url}])
    broken = []
    tab = person.open("/orders")
    for path in PAGES:
        tab.goto(f"{person.url}{path}", wait_until="load")
        if path != "/nothing":
            is_live(tab)
        broken += faults(tab, path)
    tab.goto(f"{person.url}/status")
    is_live(tab)
    for key, dialog in (("Control+k", "palette"), ("?", "keys"), ("Shift+H", "halt")):
        tab.keyboard.press(key)
        if dialog == "halt":
            tab.keyboard.press(key)
        expect(tab.locator(f"#{dialog}")).to_be_visible()
        broken += faults(tab, dialog)
        tab.keyboard.press("Escape")
        expect(tab.locator(f"#{dialog}")).to_be_hidden()
    person.watch.complaints = [one for one in person.watch.complaints if "404" not in one]
    assert broken == []


@pytest.fixture
def bracket(running):
    """A bracket whose entry has filled: its orders have fills, versions and postings."""
    api = running.client("acme")
    assert within(30, lambda: api.get("/instruments/SPX/quote").status == 200)
    bid = Decimal(api.get("/instruments/SPX/quote").body["bid"])
    leg = {"side": "SELL", "time_in_force": "GTC"}
    made = api.post(
        "/order-lists",
        {
            "account": "PAPER-1", "symbol": "SPX", "contingency_type": "OTOCO",
            "legs": [
                {"side": "BUY", "ord_type": "LIMIT", "order_qty": "1", "time_in_force": "GTC",
                 "price": str((bid * Decimal("1.02")).quantize(Decimal("0.01")))},
                {**leg, "ord_type": "LIMIT", "offset_percent": "5"},
                {**leg, "ord_type": "STOP", "offset_percent": "5"},
            ],
        },
    )  # fmt: skip
    assert made.status == 201, made.body
    entry = made.body["legs"][0]["order"]["id"]
    assert within(30, lambda: api.get(f"/orders/{entry}").body["ord_status"] == "FILLED")
    yield made.body
    api.post(f"/order-lists/{made.body['id']}/cancel", {})


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_ticket_of_each_kind_and_what_becomes_of_it_break_no_rule(log_in, bracket, theme):
    person = log_in("alice@acme.test")
    person.context.add_cookies([{"name": "bl_theme", "value": theme, "url": person.url}])
    broken = []
    tab = person.open("/desk?symbol=SPX")
    is_live(tab)
    tab.locator("[data-instructions] summary").click()
    for kind in TICKETS:
        tab.locator("#t-ord_type").select_option(kind)
        tab.locator("#t-order_qty").fill("1.001")
        tab.locator("#t-order_qty").press("Enter")
        expect(tab.locator("#t-order_qty")).to_have_attribute("aria-invalid", "true")
        broken += faults(tab, f"ticket {kind}")
    tab.locator("#t-link").select_option("OTOCO")
    broken += faults(tab, "ticket with exits")
    for leg in bracket["legs"]:
        order_id = leg["order"]["id"]
        tabs = TABS if leg["leg_no"] == 1 else ("timeline",)
        for name in tabs:
            tab.goto(f"{person.url}/orders/{order_id}?tab={name}")
            broken += faults(tab, f"order {leg['leg_no']} {name}")
    tab.goto(f"{person.url}/orders/{bracket['legs'][2]['order']['id']}?amend=1")
    broken += faults(tab, "amend")
    tab.goto(f"{person.url}/lists/{bracket['id']}")
    broken += faults(tab, "list")
    # While axe reads a page nothing is painted, and the browser says that the font came too early.
    person.watch.complaints = [one for one in person.watch.complaints if "preload" not in one]
    assert broken == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_login_breaks_no_rule(running, chrome, line, theme):
    with nobody(chrome, line) as tab:
        tab.context.add_cookies([{"name": "bl_theme", "value": theme, "url": tab.url}])
        tab.reload()
        assert faults(tab, "login") == []
