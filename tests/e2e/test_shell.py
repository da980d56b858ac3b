"""The frame of every page in a browser: login, halts, the lost line, keys, and no JavaScript."""

import random
import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from portal.templatetags import blotter
from tests.e2e.conftest import playwright_api
from tests.system.running import within

expect = playwright_api.expect

pytestmark = pytest.mark.timeout(240)

SEND = "#ticket [data-send]"
BANNER = "#banner"


def password_of(running, email: str) -> str:
    users = [row for tenant in running.run["tenants"] for row in tenant["users"]]
    return next(row["password"] for row in users if row["email"] == email)


def is_live(tab) -> None:
    expect(tab.locator("[data-light=app] [data-light-text]")).to_have_text("● live", timeout=20_000)


def halts(running) -> list[dict[str, Any]]:
    return running.client("acme").get("/risk/halts").body["items"]


@pytest.fixture
def no_halt(running):
    """Acme trades before and after, whatever the test does."""

    def lift() -> None:
        for one in halts(running):
            path = f"/risk/halts/{one['id']}/lift"
            answer = running.client("acme").post(path, {"reason": "the test is over"})
            assert answer.status == 200, answer.body

    lift()
    yield
    lift()


@contextmanager
def nobody(chrome, line, **options: Any):
    """A browser in which nobody is logged in."""
    context = chrome.new_context(locale="en-GB", **options)
    try:
        tab = context.new_page()
        tab.goto(f"http://acme.localhost:{line.port}/login", wait_until="domcontentloaded")
        yield tab
    finally:
        context.close()


# --- login


def test_a_wrong_password_is_told_and_the_right_one_opens_the_desk(running, chrome, line):
    """Journey 1, without a second factor: none can be enrolled yet."""
    with nobody(chrome, line) as tab:
        expect(tab.locator("#email")).to_be_focused()
        tab.keyboard.type("alice@acme.test")
        tab.keyboard.press("Tab")
        tab.keyboard.type("not the password")
        tab.keyboard.press("Enter")
        expect(tab.get_by_role("alert")).to_contain_text("is not right")
        expect(tab.locator("#email")).to_have_value("alice@acme.test")
        expect(tab.locator("#password")).to_have_value("")
        tab.locator("#password").fill(password_of(running, "alice@acme.test"))
        tab.keyboard.press("Enter")
        tab.wait_for_url("**/desk")


def test_a_person_of_another_firm_is_nobody_here(running, chrome, line, log_in):
    """Journey 23."""
    charlie = log_in("charlie@globex.test", "globex")
    page = charlie.open("/desk")
    expect(page.locator("body")).to_contain_text("Globex")
    acme = f"http://acme.localhost:{line.port}"
    cookies = [dict(one, domain="acme.localhost") for one in charlie.context.cookies()]
    with nobody(chrome, line) as tab:
        tab.context.add_cookies(cookies)
        for path in ("/desk", "/orders", "/halt", "/status"):
            tab.goto(f"{acme}{path}")
            assert tab.url.startswith(f"{acme}/login?next="), path
        tab.locator("#email").fill("charlie@globex.test")
        tab.locator("#password").fill(password_of(running, "charlie@globex.test"))
        tab.keyboard.press("Enter")
        expect(tab.get_by_role("alert")).to_contain_text("is not right")
    order = running.client("acme").get("/orders?limit=1").body["items"]
    if order:
        page.goto(f"{charlie.url}/orders?cl_ord_id={order[0]['cl_ord_id']}")
        assert order[0]["cl_ord_id"] not in page.locator("table").all_inner_texts()


# --- how it looks


def test_the_theme_changes_at_once_and_is_there_before_the_first_paint(running, log_in):
    person = log_in("alice@acme.test")
    tab = person.open("/orders")
    expect(tab.locator("html")).to_have_attribute("data-theme", "dark")
    tab.keyboard.press("z")
    tab.keyboard.press("t")
    expect(tab.locator("html")).to_have_attribute("data-theme", "light")
    # The server knows it: the page is painted light without any script.
    painted = tab.evaluate("fetch('/orders').then((answer) => answer.text())")
    assert 'data-theme="light"' in painted
    tab.keyboard.press("z")
    tab.keyboard.press("t")
    expect(tab.locator("html")).to_have_attribute("data-theme-choice", "system")


def test_single_letters_can_be_switched_off_and_stay_off(running, log_in):
    person = log_in("alice@acme.test")
    tab = person.open("/desk")
    tab.keyboard.press("s")
    expect(tab.locator("#ticket input[value=SELL]")).to_be_checked()
    tab.locator("body").press("Escape")
    tab.keyboard.press("?")
    expect(tab.locator("#keys")).to_be_visible()
    tab.locator("#keys button[value=off]").click()
    tab.keyboard.press("Escape")
    tab.reload()
    tab.keyboard.press("s")
    expect(tab.locator("#ticket input[value=SELL]")).not_to_be_checked()
    tab.keyboard.press("g")
    tab.keyboard.press("o")
    tab.wait_for_url("**/orders")


# --- halts


def test_a_halt_in_two_keys_reaches_everybody_and_another_person_lifts_it(running, log_in, no_halt):
    """Journey 9."""
    order = running.client("acme").post(
        "/orders",
        {"account": "PAPER-1", "symbol": "SPX", "side": "BUY", "ord_type": "LIMIT",
         "order_qty": "1", "price": "1050", "time_in_force": "GTC"},
    )  # fmt: skip
    assert order.status == 201, order.body
    alice = log_in("alice@acme.test").open("/desk")
    olivia = log_in("olivia@acme.test").open("/desk")
    for tab in (alice, olivia):
        is_live(tab)
        expect(tab.locator(SEND)).not_to_have_attribute("aria-disabled", "true")
    alice.keyboard.press("Shift+H")
    alice.keyboard.press("Shift+H")
    expect(alice.locator("#halt")).to_be_visible()
    expect(alice.locator("#halt-effect")).to_contain_text("refused at once")
    alice.locator("#halt input[value=REDUCING]").check()
    expect(alice.locator("#halt-effect")).to_contain_text("working: ")
    expect(alice.locator("#halt-effect")).to_contain_text("at the venue until cancelled")
    alice.locator("#halt input[value=HALTED]").check()
    alice.locator("#halt button[type=submit]").press("Enter")
    for tab in (alice, olivia):
        expect(tab.locator(BANNER)).to_contain_text("HALTED", timeout=3_000)
        expect(tab.locator(BANNER)).to_contain_text("alice@acme.test")
        expect(tab.locator(SEND)).to_have_attribute("aria-disabled", "true")
        expect(tab.locator("#ticket [data-why]")).to_contain_text("prices look wrong")
        assert tab.title().startswith("[H]")
    expect(alice.locator("#halt")).to_be_hidden()
    # Enter in the ticket of the other person sends nothing.
    sent = []
    olivia.on("request", lambda one: sent.append((one.method, urlsplit(one.url).path)))
    olivia.locator("#t-order_qty").fill("1")
    olivia.locator("#t-order_qty").press("Enter")
    olivia.locator(SEND).click(force=True)
    assert {("POST", "/desk"), ("POST", "/desk/ticket")} & set(sent) == set()
    # The working order is cancelled, as the dialog said.
    path = f"/orders/{order.body['id']}"
    assert within(10, lambda: running.client("acme").get(path).body["ord_status"] == "CANCELED")
    alice.goto(alice.url.replace("/desk", "/halt"))
    expect(alice.locator("#halts")).to_contain_text("A manager, admin or owner of the firm lifts")
    olivia.goto(olivia.url.replace("/desk", "/halt"))
    olivia.locator("#halts input[name=reason]").fill("prices are right again")
    olivia.locator("#halts button", has_text="Lift this halt").click()
    expect(alice.locator(BANNER)).to_contain_text("PAPER", timeout=3_000)
    expect(alice.locator("#halts")).to_contain_text("Nothing is halted")
    assert halts(running) == []


def test_cancel_passes_a_halt(running, log_in, no_halt):
    order = running.client("acme").post(
        "/orders",
        {"account": "PAPER-1", "symbol": "SPX", "side": "BUY", "ord_type": "LIMIT",
         "order_qty": "1", "price": "1049", "time_in_force": "GTC"},
    )  # fmt: skip
    assert order.status == 201, order.body
    path = f"/orders/{order.body['id']}"
    assert within(10, lambda: running.client("acme").get(path).body["ord_status"] == "NEW")
    running.client("acme").post(
        "/risk/halts",
        {"scope": "account", "target": "PAPER-1", "state": "REDUCING", "reason": "a drill of it"},
    )
    tab = log_in("alice@acme.test").open(f"/orders?cl_ord_id={order.body['cl_ord_id']}")
    expect(tab.locator(BANNER)).to_contain_text("REDUCING ONLY")
    status = tab.evaluate(
        """async (path) => {
          const body = new FormData(document.querySelector("form[method=post]"));
          return (await fetch(path, { method: "POST", body })).status;
        }""",
        f"{path}/cancel",
    )
    assert status == 200
    assert within(10, lambda: running.client("acme").get(path).body["ord_status"] == "CANCELED")


# --- the lost line


def test_without_a_connection_nothing_can_be_sent_and_the_page_says_why(running, log_in, line):
    person = log_in("alice@acme.test")
    tab = person.open("/desk")
    is_live(tab)
    panel = tab.locator("#positions")
    before = panel.get_attribute("data-state")
    person.watch.is_cut = True
    line.cut()
    expect(panel).to_have_attribute("data-state", "offline", timeout=20_000)
    expect(panel.locator("[data-strip]")).to_contain_text("No connection since")
    expect(tab.locator(SEND)).to_have_attribute("aria-disabled", "true")
    expect(tab.locator("#ticket [data-why]")).to_contain_text("nothing can be sent")
    line.mend()
    is_live(tab)
    expect(panel).to_have_attribute("data-state", before)
    expect(tab.locator(SEND)).not_to_have_attribute("aria-disabled", "true")


def test_without_the_stream_panels_are_read_again_and_say_so(running, log_in):
    person = log_in("alice@acme.test")
    read = []
    tab = person.context.new_page()
    person.watch.is_cut = True  # the browser writes a line for each stream it cannot open
    tab.context.route("**/stream/portal*", lambda route: route.abort())
    tab.on("request", lambda one: read.append(one.headers.get("hx-target")))
    tab.add_init_script("delete window.SharedWorker")
    tab.goto(f"{person.url}/desk", wait_until="domcontentloaded")
    expect(tab.locator("#positions")).to_have_attribute("data-state", "stale", timeout=20_000)
    expect(tab.locator("#positions [data-strip]")).to_contain_text("read again every 5 s")
    assert within(15, lambda: _pumped(tab) and "section#positions" in read)
    expect(tab.locator(SEND)).not_to_have_attribute("aria-disabled", "true")


def _pumped(tab) -> bool:
    tab.wait_for_timeout(100)  # lets Playwright hand over what the page asked for
    return True


def test_a_light_opens_what_is_behind_it(running, log_in):
    tab = log_in("alice@acme.test").open("/orders")
    is_live(tab)
    tab.locator("[data-light=broker]").click()
    drawer = tab.locator("#health")
    expect(drawer).to_be_visible()
    expect(drawer).to_contain_text("PAPER-1")
    expect(drawer.locator("[data-health=state]")).to_have_text("● live")
    expect(drawer.locator("[data-health=cursor]")).to_have_text(re.compile(r"[\d,]+"))
    tab.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(tab.locator("[data-light=broker]")).to_be_focused()


# --- without JavaScript


def test_login_order_halt_and_logout_need_no_javascript(running, chrome, line, no_halt):
    with nobody(chrome, line, java_script_enabled=False) as tab:
        tab.locator("#email").fill("alice@acme.test")
        tab.locator("#password").fill(password_of(running, "alice@acme.test"))
        tab.locator("button[type=submit]").click()
        expect(tab.locator("h1")).to_have_text("Desk")
        tab.locator("a.bl-button--halt").click()
        expect(tab.locator("#halt-form")).to_be_visible()
        tab.locator("#h-code").select_option("drill")
        tab.locator("#halt-form button[type=submit]").click()
        expect(tab.locator(BANNER)).to_contain_text("HALTED")
        expect(tab.locator(BANNER)).to_contain_text("a drill")
        assert [one["reason"] for one in halts(running)] == ["a drill"]
        tab.locator("[data-light=feed]").click()
        expect(tab.locator("h1")).to_have_text("State of the system")
        tab.locator(".bl-top details.bl-menu summary").click()
        tab.locator("form[action='/logout'] button").first.click()
        expect(tab.locator("#password")).to_be_visible()


# --- one text


def test_the_browser_writes_numbers_and_times_as_the_server_does(running, log_in):
    tab = log_in("alice@acme.test").open("/status")
    dice = random.Random(20261121)
    numbers: list[tuple[str, int | None]] = [("0", 2), ("-0", None), ("-0.005", 2), ("0.005", 2)]
    for _ in range(200):
        digits = Decimal(dice.randrange(10 ** dice.randrange(1, 19))).scaleb(-dice.randrange(9))
        text = format(-digits if dice.random() < 0.5 else digits, "f")
        numbers.append((text, dice.choice([None, 0, 2, 4, 8])))
    shown = tab.evaluate(
        """async (given) => {
          const { number } = await import("/static/js/fmt.js");
          return given.map(([text, places]) => [
            number(text, { places: places ?? undefined }),
            number(text, { places: 2, signed: true }),
          ]);
        }""",
        numbers,
    )
    for (text, places), (plain, signed) in zip(numbers, shown, strict=True):
        # Without places the server leaves padding out; with them both cut alike.
        if places is not None:
            assert plain == blotter.number(text, places), (text, places)
        assert signed == blotter.signed(text), text
    now = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)  # New York has this hour twice
    instants = [
        (now + timedelta(milliseconds=dice.randrange(-(10**10), 10**10))).isoformat(
            timespec="milliseconds"
        ).replace("+00:00", "Z")
        for _ in range(60)
    ]  # fmt: skip
    for zone in ("UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Asia/Tokyo"):
        shown = tab.evaluate(
            """async ([given, zone, now]) => {
              const { time } = await import("/static/js/fmt.js");
              return given.map((iso) => time(iso, { zone, now }));
            }""",
            [instants, zone, int(now.timestamp() * 1000)],
        )
        with time_machine.travel(now, tick=False), timezone.override(ZoneInfo(zone)):
            assert shown == [blotter.when(one) for one in instants], zone


def test_the_browsers_zone_is_used_and_another_can_be_chosen(running, log_in):
    person = log_in("alice@acme.test", timezone_id="Asia/Tokyo")
    tab = person.open("/orders")
    expect(tab.locator(".bl-top__clock")).to_contain_text("JST")
    tab.locator(".bl-top details.bl-menu summary").click()
    with tab.expect_navigation():
        tab.locator("#pref-zone").select_option("Europe/Berlin")
    expect(tab.locator(".bl-top__clock")).to_contain_text(re.compile("CET|CEST"))
    assert person.context.cookies(person.url)
