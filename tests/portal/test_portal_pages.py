"""What the pages show and do, without JavaScript: every number is the API's."""

import re
from html import unescape
from types import SimpleNamespace

import pytest

from oms.models import Order
from portal.templatetags.blotter import number
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


def test_an_order_from_the_form_is_the_order_of_the_api(at_desk, alice, market):
    market.show("100", "101")
    browser = at_desk("alice")
    form = browser.opened_ticket(price="99.5", order_qty="12", strategy="mean")
    assert form["account"] == alice.desk.code
    sent = browser.post("/desk", **form)
    assert (sent.status_code, sent["location"]) == (303, "/desk")
    (order,) = alice.get(f"/orders?cl_ord_id={form['cl_ord_id']}").json["items"]
    assert (order["order_qty"], order["price"], order["source"]) == ("12", "99.5", "portal")
    assert (order["strategy"], order["account"]) == ("mean", alice.desk.code)
    page = text_of(browser.get(f"/orders?cl_ord_id={form['cl_ord_id']}"))
    assert f'data-id="{order["id"]}"' in page
    assert number(order["price"], 2) in page


def test_the_same_form_sent_twice_is_one_order(at_desk, desk, market):
    market.show("100", "101")
    browser = at_desk("alice")
    form = browser.opened_ticket(price="99")
    assert browser.post("/desk", **form).status_code == 303
    assert browser.post("/desk", **form).status_code == 303
    assert "nothing was sent twice" in text_of(browser.get("/desk"))
    assert len(desk.rows(Order, account_id=desk.account_id)) == 1


def test_every_breach_is_shown_and_the_rejected_order_is_linked(at_desk, desk, market):
    market.show("100", "101")
    browser = at_desk("alice")
    form = browser.opened_ticket(price="150", order_qty="200000")
    answer = browser.post("/desk", **form)
    page = text_of(answer)
    assert answer.status_code == 422
    for rule in ("QUANTITY", "NOTIONAL", "PRICE"):
        assert re.search(rf'<dd class="bl-mono">[A-Z_]*{rule}[A-Z_]*</dd>', page), rule
    assert f"/orders?cl_ord_id={form['cl_ord_id']}" in page
    assert form["cl_ord_id"] != re.search(r'name="cl_ord_id" value="([^"]+)"', page).group(1)
    assert 'value="200000"' in page
    (order,) = desk.rows(Order, account_id=desk.account_id)
    assert order.ord_status == "REJECTED"


@pytest.mark.parametrize(
    ("field", "value"),
    [("order_qty", "many"), ("order_qty", "-1"), ("order_qty", ""), ("price", "1.001"),
     ("price", ""), ("symbol", "NOPE"), ("side", "UP"), ("time_in_force", "NEVER")],
)  # fmt: skip
def test_a_bad_field_comes_back_with_what_was_typed_and_sends_nothing(
    at_desk, desk, market, field, value
):
    market.show("100", "101")
    browser = at_desk("alice")
    form = browser.opened_ticket(price="99") | {field: value}
    answer = browser.post("/desk", **form)
    assert answer.status_code == 422
    page = text_of(answer)
    assert 'role="alert"' in page
    assert f'value="{form["cl_ord_id"]}"' in page
    assert desk.rows(Order, account_id=desk.account_id) == []


def test_real_money_is_asked_once_more(at_desk, desk, market, monkeypatch):
    market.show("100", "101")
    browser = at_desk("alice")
    account = SimpleNamespace(mode="LIVE", code=desk.code)
    monkeypatch.setattr("portal.views.desk.account_named", lambda *_: account)
    form = browser.opened_ticket(price="99")
    asked = browser.post("/desk", **form)
    assert asked.status_code == 422
    assert 'name="confirmed" value="yes"' in text_of(asked)
    assert desk.rows(Order, account_id=desk.account_id) == []
    assert browser.post("/desk", **form, confirmed="yes").status_code == 303
    assert len(desk.rows(Order, account_id=desk.account_id)) == 1


def test_markup_in_a_field_stays_text(at_desk, market):
    market.show("100", "101")
    browser = at_desk("alice")
    answer = browser.post("/desk", **browser.opened_ticket(strategy="<b>x", order_qty="<script>"))
    assert b"<script>" not in answer.content.replace(b"<script src", b"").replace(
        b"<script type", b""
    )
    assert b"<b>x" not in answer.content


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
    assert viewer.post("/desk", **viewer.opened_ticket(price="99")).status_code == 403
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
