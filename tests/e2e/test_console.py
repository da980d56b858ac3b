"""The firm's console in a browser: the dashboard in both themes, and what is done from it."""

import time

import pytest

from tests.e2e.conftest import playwright_api
from tests.system.running import within

expect = playwright_api.expect

pytestmark = pytest.mark.timeout(240)

WORDS = "the desk asked for it by phone"


def order_of(running, order_id):
    return running.client("acme").get(f"/orders/{order_id}").body


@pytest.fixture
def working(running):
    """An order far from the market, cancelled afterwards if nobody did."""
    client = running.client("acme")
    answer = client.post(
        "/orders",
        {
            "account": "PAPER-1", "cl_ord_id": f"console-{time.time_ns()}", "symbol": "SPX",
            "side": "BUY", "ord_type": "LIMIT", "price": "1.00", "order_qty": "1",
            "time_in_force": "GTC",
        },
    )  # fmt: skip
    order_id = answer.body.get("id")
    if answer.status == 422:  # a collar: nothing so far from the market is taken
        last = client.get("/instruments/SPX/quote").body["bid"]
        price = f"{float(last) * 0.95:.2f}"
        answer = client.post(
            "/orders",
            {
                "account": "PAPER-1", "cl_ord_id": f"console-{time.time_ns()}", "symbol": "SPX",
                "side": "BUY", "ord_type": "LIMIT", "price": price, "order_qty": "1",
                "time_in_force": "GTC",
            },
        )  # fmt: skip
        order_id = answer.body["id"]
    assert answer.status in (200, 201), answer.body
    assert within(20, lambda: order_of(running, order_id)["ord_status"] == "NEW")
    yield order_id
    if order_of(running, order_id)["ord_status"] != "CANCELED":
        client.post(f"/orders/{order_id}/cancel", {})


def answer_why(tab, button):
    """Fill in the reason and press the verb's button."""
    tab.get_by_label("Why").select_option("other")
    tab.get_by_label("In your words").fill(WORDS)
    tab.get_by_role("button", name=button, exact=True).click()


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_dashboard_in_both_themes(log_in, scheme):
    tab = log_in("olivia@acme.test", color_scheme=scheme).open("/admin/")
    expect(tab.locator(".bl-card")).to_have_count(16)
    expect(tab.get_by_role("link", name="Runbook for Halts")).to_be_visible()
    colour = tab.evaluate("getComputedStyle(document.querySelector('.bl-card')).backgroundColor")
    assert (colour == "rgb(255, 255, 255)") is (scheme == "light")
    tab.set_viewport_size({"width": 390, "height": 844})
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    tab.get_by_role("link", name="Runbook for Halts").click()
    expect(tab.get_by_role("heading", name="Halts in force")).to_be_visible()


def test_an_order_is_cancelled_with_a_reason(log_in, running, working):
    tab = log_in("olivia@acme.test").open(f"/admin/oms/order/?q={working}")
    tab.locator("#result_list a").first.click()
    expect(tab.get_by_role("link", name="Open in portal")).to_have_attribute(
        "href", f"/orders/{working}"
    )
    tab.get_by_role("link", name="Cancel order").click()
    expect(tab.get_by_text("1 order (1 BUY)")).to_be_visible()
    tab.get_by_role("button", name="Cancel order", exact=True).click()
    assert order_of(running, working)["ord_status"] == "NEW"
    answer_why(tab, "Cancel order")
    expect(tab.get_by_text("cancel is on its way")).to_be_visible()
    assert within(20, lambda: order_of(running, working)["ord_status"] == "CANCELED")


def test_the_venue_is_asked(log_in, working):
    tab = log_in("olivia@acme.test").open(f"/admin/oms/order/{working}/change/")
    tab.get_by_role("link", name="Ask the venue").click()
    answer_why(tab, "Ask the venue")
    expect(tab.get_by_text("the venue is being asked")).to_be_visible()
    tab.get_by_role("link", name="Events about it").click()
    expect(tab.get_by_text("console.lookup").first).to_be_visible()


def test_a_halt_stands_on_the_dashboard_and_is_lifted_from_there(log_in, running):
    client = running.client("acme")
    tab = log_in("olivia@acme.test").open("/admin/brokers/brokeraccount/")
    try:
        tab.get_by_role("link", name="PAPER-1", exact=True).first.click()
        tab.get_by_role("link", name="Halt account").click()
        answer_why(tab, "Halt account")
        expect(tab.get_by_text("HALTED since now")).to_be_visible()
        tab.goto(tab.url.partition("/admin/")[0] + "/admin/")
        hand = tab.locator(".bl-panel--hands tr", has_text="account PAPER-1")
        expect(hand).to_contain_text(WORDS)
        assert "Halts" in tab.locator("#card-halts").inner_text()
        hand.get_by_role("link", name="Lift").click()
        answer_why(tab, "Lift halt")
        expect(tab.get_by_text("lifted; trading may resume")).to_be_visible()
        assert ours(client) == []
    finally:
        for halt in ours(client):
            client.post(f"/risk/halts/{halt['id']}/lift", {"reason": "end of the test"})


def ours(client):
    """The halts of the account in force."""
    items = client.get("/risk/halts").body["items"]
    return [halt for halt in items if (halt["scope"], halt["target"]) == ("account", "PAPER-1")]
