"""The positions of the desk: every figure is the API's, and flattening only fills the ticket."""

import re
from html import unescape

from oms.models import Order


def figures(page, key):
    """The exact values behind the cells of one position or account."""
    found = re.findall(rf'data-f="mark:{re.escape(key)}\.(\w+)"[^>]*? data-v="([^"]*)"', page)
    return dict(found)


def test_the_panel_says_what_the_api_says(at_desk, alice, market, gateway):
    market.show("100", "101", size=1000)
    alice.until_final(alice.placed("BUY", "40"))
    alice.until_final(alice.placed("SELL", "15"))
    browser = at_desk("alice")
    page = unescape(browser.get("/desk").content.decode())
    (told,) = alice.get(f"/positions?account={alice.desk.code}").json["items"]
    shown = figures(page, f"{alice.desk.code}:SPX")
    for name in ("qty", "avg_px", "mark", "market_value", "unrealized_pnl", "realized_pnl"):
        assert shown[name] == told[name], name
    assert shown["realized_today"] == told["realized_pnl"]
    assert shown["way"] == "long"
    (balance,) = alice.get(f"/balances?account={alice.desk.code}").json["items"]
    (profit,) = alice.get(f"/pnl?account={alice.desk.code}").json["items"]
    worth = figures(page, alice.desk.code)
    assert {name: worth[name] for name in ("cash", "equity", "buying_power")} == {
        name: balance[name] for name in ("cash", "equity", "buying_power")
    }
    assert (worth["unrealized"], worth["realized"]) == (profit["unrealized"], profit["realized"])


def test_flatten_fills_a_ticket_and_sends_nothing(at_desk, alice, desk, market, gateway):
    market.show("100", "101", size=1000)
    alice.until_final(alice.placed("SELL", "25"))
    browser = at_desk("alice")
    page = unescape(browser.get("/desk").content.decode())
    link = re.search(r'data-flatten href="([^"#]+)#ticket"', page).group(1)
    ticket = unescape(browser.get(link).content.decode())
    assert re.search(r'name="side" value="BUY" checked', ticket)
    assert re.search(r'<option value="MARKET" selected', ticket)
    form = dict(re.findall(r'type="hidden" name="(cl_ord_id|account)" value="([^"]*)"', ticket))
    terms = {"symbol": "SPX", "side": "BUY", "ord_type": "MARKET", "order_qty": "w",
             "time_in_force": "IOC"}  # fmt: skip
    assert len(desk.rows(Order, account_id=desk.account_id)) == 1
    assert browser.post("/desk/ticket", **form, **terms).status_code == 303
    order = desk.rows(Order, account_id=desk.account_id)[-1]
    assert (order.side, order.order_qty) == ("BUY", 25)


def test_amounts_that_are_hidden_are_not_live_either(at_desk, alice, market, gateway):
    market.show("100", "101", size=10_000)
    alice.until_final(alice.placed("BUY", "4321"))
    browser = at_desk("alice")
    browser.post("/preferences", privacy="on", next="/desk")
    text = unescape(browser.part("/desk", "positions").content.decode())
    assert "4,321" not in text
    assert "4321" not in text
    shown = figures(text, f"{alice.desk.code}:SPX")
    assert set(shown) == {"avg_px", "mark", "change_pct"}
