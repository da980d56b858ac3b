"""What the pages show and do, without JavaScript: every number is the API's."""

import re
from html import unescape

from tenants.binding import tenant_bound


def text_of(answer):
    return unescape(answer.content.decode())


def test_quotes_are_the_numbers_of_the_feed_and_say_what_they_are(at_desk, market):
    market.show("1126.25", "1126.5", size=77)
    page = text_of(at_desk("bob").get("/desk?symbol=SPX"))
    cells = dict(re.findall(r'data-f="quote:SPX\.(\w+)"[^>]*>([^<]*)<', page))
    assert cells["bid"] == "1,126.25"
    assert cells["ask"] == "1,126.50"
    assert cells["bid_size"] == "77"
    assert "HISTORICAL REPLAY" in page


def test_cancel_is_a_form(at_desk, alice, market):
    market.show("100", "101")
    order_id = alice.placed(price="90", tif="GTC")
    browser = at_desk("alice")
    assert f'action="/orders/{order_id}/cancel"' in text_of(browser.get("/orders"))
    answer = browser.post(f"/orders/{order_id}/cancel", next="/orders?symbol=SPX")
    assert (answer.status_code, answer["location"]) == (303, "/orders?symbol=SPX")
    assert alice.order(order_id)["ord_status"] == "CANCELED"
    browser.post(f"/orders/{order_id}/cancel")
    assert "Not cancelled" in text_of(browser.get("/orders"))


def test_filters_and_pages_are_in_the_address(at_desk, alice, market, monkeypatch):
    monkeypatch.setattr("portal.views.orders.PER_PAGE", 2)
    market.show("100", "101")
    made = [alice.placed(price=str(90 + n), tif="GTC") for n in range(3)]
    browser = at_desk("alice")
    first = text_of(browser.get(f"/orders?account={alice.desk.code}&side=BUY"))
    assert re.findall(r'data-id="(\w{26})"', first) == [made[2], made[1]]
    following = re.search(r'href="(/orders\?[^"]*cursor=[^"]*)" rel="next"', first).group(1)
    assert re.findall(r'data-id="(\w{26})"', text_of(browser.get(following))) == [made[0]]
    none = text_of(browser.get(f"/orders?account={alice.desk.code}&side=SELL"))
    assert "No order matches" in none
    assert browser.get("/orders?cursor=rubbish").status_code == 422


def test_roles_limit_what_is_there_and_what_is_done(at_desk, alice, market):
    market.show("100", "101")
    order_id = alice.placed(price="90", tif="GTC")
    viewer = at_desk("bob")
    page = text_of(viewer.get("/desk"))
    assert "You may look, not trade" in page
    assert "cancel" not in page.lower().replace("cancels", "")
    assert 'data-act="halt"' not in page
    assert 'href="/admin/"' not in page
    assert viewer.post("/desk/ticket", **viewer.opened_ticket(price="99")).status_code == 403
    assert viewer.post(f"/orders/{order_id}/cancel").status_code == 403
    assert "You may look, not halt" in text_of(viewer.get("/halt"))
    assert 'data-act="halt"' in text_of(at_desk("olivia").get("/desk"))


def test_another_firms_order_and_account_are_not_found(window, at_desk, alice, charlie, market):
    market.show("100", "101")
    order_id = alice.placed(price="90", tif="GTC")
    stranger = window("charlie", "globex")
    assert stranger.post(f"/orders/{order_id}/cancel").status_code == 404
    assert stranger.post("/account", account=alice.desk.code).status_code == 404
    assert order_id not in text_of(stranger.get("/orders"))
    assert (
        stranger.get(f"/orders?cl_ord_id={alice.order(order_id)['cl_ord_id']}").status_code == 200
    )


def test_hidden_amounts_are_not_in_the_page(at_desk, alice, market):
    market.show("100", "101")
    alice.placed(price="90", qty="7654", tif="GTC")
    browser = at_desk("alice")
    assert "7,654" in text_of(browser.get("/orders"))
    browser.post("/preferences", privacy="on", theme="light", next="/orders")
    page = text_of(browser.get("/orders"))
    assert 'data-theme="light"' in page
    assert "7,654" not in page


def test_the_account_of_the_page_is_remembered(at_desk, desk):
    page = text_of(at_desk("alice").get("/desk"))
    assert f'data-account="{desk.code}"' in page
    with tenant_bound(desk.schema):
        assert f"PAPER {desk.code}" in page


def test_lights_say_what_is(at_desk, market):
    market.silence("SPX")
    page = text_of(at_desk("bob").get("/desk"))
    assert re.search(r'data-light="feed" data-state="(warn|off)"', page)
    assert 'data-light="app" data-state="ok"' in page
    assert re.search(r'data-light="broker" data-state="(off|warn)"', page)
