"""The life of an order in a browser: it grows while it is read, silence is asked about by a key."""

import itertools
import re
import time
from typing import Any

import pytest

from tests.e2e.conftest import playwright_api
from tests.system.running import within

expect = playwright_api.expect

pytestmark = pytest.mark.timeout(180)

_numbers = itertools.count(1)


@pytest.fixture
def prices(running):
    """Prices are there: the feed started with the system."""
    quote = "/instruments/SPX/quote"
    assert within(30, lambda: running.client("acme").get(quote).status == 200)


def send(running, **changed: Any) -> str:
    """An order by the API; far from the market unless a price is named."""
    client = running.client("acme")
    bid = client.get("/instruments/SPX/quote").body["bid"].partition(".")[0]
    body = {
        "account": "PAPER-1", "cl_ord_id": f"life-{time.time_ns()}-{next(_numbers)}",
        "symbol": "SPX", "side": "BUY", "ord_type": "LIMIT", "order_qty": "7",
        "price": str(int(bid) * 95 // 100), "time_in_force": "GTC",
        "allow_duplicate": True, **changed,
    }  # fmt: skip
    answer = client.post("/orders", {key: one for key, one in body.items() if one is not None})
    assert answer.status == 201, answer.body
    return answer.body["id"]


def market_order(running) -> str:
    return send(running, ord_type="MARKET", price=None, time_in_force="IOC", order_qty="3")


def until_status(running, order_id: str, *statuses: str) -> dict[str, Any]:
    """The order once it is there and nothing is on its way."""
    found: dict[str, Any] = {}

    def done() -> bool:
        found.update(running.client("acme").get(f"/orders/{order_id}").body)
        return found["ord_status"] in statuses and not found["pending"]

    assert within(30, done), found
    return found


def is_live(tab):
    light = tab.locator("[data-light=app] [data-light-text]")
    expect(light).to_contain_text("live", timeout=15_000)


def forget_answers(person, status: int) -> None:
    """A browser writes a line for each answer above 400, also for those that were asked for."""
    complaints = person.watch.complaints
    complaints[:] = [one for one in complaints if f"status of {status}" not in one]


def cancel(running, order_id: str) -> None:
    running.client("acme").post(f"/orders/{order_id}/cancel", {})


def events(tab, root="life"):
    return tab.locator(f"#{root} .bl-events__one[data-seq]")


def test_the_life_grows_at_its_end_while_it_is_read(running, log_in, prices):
    order_id = send(running)
    until_status(running, order_id, "NEW")
    tab = log_in("alice@acme.test").open(f"/orders/{order_id}")
    is_live(tab)
    expect(events(tab)).to_have_count(2)
    first = tab.locator("#life-event-1")
    first.hover()
    tab.evaluate("window.kept = document.querySelector('#life-event-1')")
    before = first.bounding_box()
    cancel(running, order_id)
    expect(events(tab)).to_have_count(4, timeout=10_000)
    expect(events(tab).last.locator("strong")).to_have_text("CANCELED")
    assert first.bounding_box() == before
    assert tab.evaluate("window.kept === document.querySelector('#life-event-1')")
    expect(tab.locator(".bl-order .bl-badge").first).to_contain_text("cancelled")
    expect(tab.locator("[data-press=cancel]")).to_be_disabled()
    expect(tab.locator(".bl-steps__one").last).to_contain_text("CANCELED")


def test_an_unknown_outcome_runs_is_asked_by_a_key_and_ends_by_evidence(running, log_in, prices):
    """Journey 10."""
    client = running.client("acme")
    lines = client.get("/connections").body["items"]
    connection = next(one["name"] for one in lines if "PAPER-1" in one["accounts"])
    fault = {"switch": "drop_before_read", "times": 1}
    assert client.post(f"/connections/{connection}/faults", fault).status == 200
    order_id = send(running)
    tab = log_in("alice@acme.test").open(f"/orders/{order_id}")
    is_live(tab)
    mark = tab.locator(".bl-order .bl-badge--unknown")
    expect(mark).to_have_text(re.compile(r"\?unknown \d\d:\d\d"), timeout=10_000)
    shown = mark.text_content()
    expect(mark).not_to_have_text(shown)
    expect(tab.locator(".bl-unknown")).to_contain_text("NEW BUY 7 SPX LIMIT")
    tab.keyboard.press("q")
    expect(tab.locator(".bl-order__said")).to_contain_text("The venue is being asked")
    expect(tab.locator(".bl-unknown__asked li").first).to_contain_text("the venue does not show it")
    # Sent again under the same id once its window has passed; the venue takes one order.
    expect(tab.locator(".bl-unknown")).to_have_count(0, timeout=40_000)
    expect(tab.locator(".bl-order .bl-badge").first).to_contain_text("working")
    tab.keyboard.press("6")
    expect(tab.locator("#tab-changes")).to_contain_text("attempt 2")
    taken = client.get(f"/orders/{order_id}/events").body["items"]
    assert [row["exec_type"] for row in taken] == ["PENDING_NEW", "NEW"]
    cancel(running, order_id)


def test_the_page_by_keys_alone(running, log_in, prices):
    one, two = market_order(running), send(running)
    until_status(running, one, "FILLED")
    until_status(running, two, "NEW")
    tab = log_in("alice@acme.test").open(f"/orders/{two}")
    is_live(tab)
    for key, name in ("2", "messages"), ("3", "risk"), ("4", "fills"), ("5", "postings"):
        tab.keyboard.press(key)
        tab.wait_for_url(re.compile(f"tab={name}"))
    tab.keyboard.press("[")
    tab.wait_for_url(re.compile(one))
    expect(tab.locator("#tab-postings tbody").first).to_have_attribute("data-even", "yes")
    tab.keyboard.press("]")
    tab.wait_for_url(re.compile(two))
    is_live(tab)
    tab.keyboard.press("e")
    quantity = tab.locator("#a-order_qty")
    expect(quantity).to_be_focused()
    tab.keyboard.press("Control+A")
    tab.keyboard.type("9")
    tab.keyboard.press("Enter")
    expect(tab.locator(".bl-order__said")).to_contain_text("quantity 7 to 9")
    expect(tab.locator("h1")).to_contain_text("BUY 9 SPX", timeout=10_000)
    expect(tab.locator("#amend")).to_have_count(0)
    tab.evaluate("document.activeElement.blur()")
    tab.keyboard.press("x")
    expect(tab.locator(".bl-order .bl-badge").first).to_contain_text("cancelled", timeout=10_000)
    assert until_status(running, two, "CANCELED")["order_qty"] == "9"


def test_a_refused_amendment_stays_open_with_what_was_typed(running, log_in, prices):
    order_id = send(running)
    until_status(running, order_id, "NEW")
    person = log_in("alice@acme.test")
    tab = person.open(f"/orders/{order_id}?amend=1")
    is_live(tab)
    tab.locator("#a-order_qty").fill("many")
    tab.locator("#amend button[type=submit]").click()
    expect(tab.locator("#amend [data-summary]")).to_contain_text("Nothing was sent")
    expect(tab.locator("#a-order_qty")).to_have_value("many")
    forget_answers(person, 422)
    cancel(running, order_id)
    expect(tab.locator(".bl-order .bl-badge").first).to_contain_text("cancelled", timeout=10_000)


def test_replay_says_equal_and_the_file_downloads(running, log_in, prices):
    """Journey 15."""
    order_id = market_order(running)
    until_status(running, order_id, "FILLED")
    tab = log_in("alice@acme.test").open(f"/orders/{order_id}")
    is_live(tab)
    tab.get_by_role("link", name="Replay").click()
    expect(tab.locator("#replay")).to_have_attribute("data-equal", "yes")
    with tab.expect_download() as download:
        tab.get_by_role("link", name="JSON").click()
    assert download.value.suggested_filename == f"order-{order_id}.json"


def test_the_drawer_opens_from_the_list_by_keys_lives_and_gives_the_focus_back(
    running, log_in, prices
):
    order_id = send(running)
    until_status(running, order_id, "NEW")
    tab = log_in("alice@acme.test").open("/orders")
    is_live(tab)
    row = tab.locator(f"[data-grid=orders] tr[data-id='{order_id}']")
    cell = row.locator("td[data-col=ord_type]")
    cell.click()
    expect(cell).to_be_focused()
    tab.keyboard.press("Enter")
    drawer = tab.locator("#drawer")
    expect(drawer).to_be_visible()
    expect(drawer.locator("#drawer-title")).to_contain_text("BUY 7 SPX")
    expect(drawer.locator("#drawer-title")).to_be_focused()
    assert f"order={order_id}" in tab.url
    assert not tab.evaluate("document.querySelector('#drawer').matches(':modal')")
    assert round(drawer.bounding_box()["width"]) == 480
    tab.keyboard.press("x")
    expect(drawer.locator(".bl-badge").first).to_contain_text("cancelled", timeout=10_000)
    expect(events(tab, "drawer-life").last.locator("strong")).to_have_text("CANCELED")
    tab.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(cell).to_be_focused()
    assert "order=" not in tab.url
    tab.go_back()
    expect(drawer).to_be_visible()
    tab.reload()
    expect(drawer.locator("#drawer-title")).to_contain_text("BUY 7 SPX")
    tab.set_viewport_size({"width": 900, "height": 800})
    tab.reload()
    expect(drawer).to_be_visible()
    assert tab.evaluate("document.querySelector('#drawer').matches(':modal')")


def test_the_desk_leads_to_the_life_of_an_order(running, log_in, prices):
    order_id = market_order(running)
    until_status(running, order_id, "FILLED")
    tab = log_in("alice@acme.test").open("/desk")
    is_live(tab)
    tab.locator(f"tr[data-id='{order_id}'] a[href='/orders/{order_id}']").first.click()
    expect(tab.locator("#drawer #drawer-title")).to_contain_text("BUY 3 SPX")
    tab.locator("#drawer").get_by_role("link", name="Full page").click()
    tab.wait_for_url(re.compile(f"/orders/{order_id}"))
    expect(tab.locator("h1")).to_contain_text("BUY 3 SPX")


def test_executions_arrive_by_themselves_and_lead_to_their_order(running, log_in, prices):
    person = log_in("alice@acme.test")
    tab = person.open("/executions?symbol=SPX&side=BUY")
    other = person.open("/executions?side=SELL")
    is_live(tab)
    is_live(other)
    order_id = market_order(running)
    until_status(running, order_id, "FILLED")
    (fill,) = running.client("acme").get(f"/executions?order_id={order_id}").body["items"]
    row = tab.locator(f"[data-executions] tr[data-id='{fill['id']}']")
    expect(row).to_be_visible(timeout=10_000)
    expect(row.locator("[data-c=last_px]")).to_have_attribute("data-v", fill["last_px"])
    assert other.locator(f"tr[data-id='{fill['id']}']").count() == 0
    row.locator("td").nth(3).click()
    tab.keyboard.press("Enter")
    expect(tab.locator("#drawer-title")).to_contain_text("BUY 3 SPX")
    tab.keyboard.press("Escape")
    expect(tab.locator("#drawer")).to_be_hidden()
    waiting = market_order(running)
    expect(tab.locator("[data-executions] [data-pill]")).to_have_text("1 new", timeout=10_000)
    tab.locator("[data-executions] [data-pill]").click()
    (more,) = running.client("acme").get(f"/executions?order_id={waiting}").body["items"]
    link = tab.locator(f"tr[data-id='{more['id']}'] a")
    expect(link).to_have_attribute("href", f"/orders/{waiting}")


def test_charlie_finds_nothing_of_acme_at_any_host(running, log_in, prices):
    """Journey 23."""
    order_id = market_order(running)
    charlie = log_in("charlie@globex.test", "globex")
    tab = charlie.context.new_page()
    answers = []
    for path in (f"/orders/{order_id}", "/orders/01M7YHT3KSD223DBMD8S932QRC"):
        answers.append(tab.goto(f"{charlie.url}{path}"))
        assert "Acme" not in tab.title()
        assert "SPX" not in tab.content()
    assert [answer.status for answer in answers] == [404, 404]
    forget_answers(charlie, 404)
