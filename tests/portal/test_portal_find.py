"""What the palette offers: verbs of the role, and what the server finds by any id."""

import re
from html import unescape

import pytest


def found(browser, text):
    """The sentences of the options, in order."""
    answer = browser.part("/find", "palette-found", q=text)
    assert answer.status_code == 200
    return re.findall(
        r'role="option".*?<span>([^<]*)</span>', unescape(answer.content.decode()), re.DOTALL
    )


def test_an_order_is_found_by_the_beginning_of_any_of_its_ids(at_desk, alice, market):
    market.show("100", "101")
    order = alice.order(alice.placed(price="90", qty="7", tif="GTC"))
    browser = at_desk("alice")
    for start in (order["id"][:20], order["id"][:20].lower(), order["cl_ord_id"][:-1]):
        assert "BUY 7 SPX LIMIT" in found(browser, start), start
    answer = browser.part("/find", "palette-found", q=order["cl_ord_id"]).content.decode()
    assert f'data-go="/orders?cl_ord_id={order["cl_ord_id"]}"' in answer


def test_symbols_and_accounts_are_found_by_code_and_name(at_desk, desk, market):
    browser = at_desk("alice")
    assert "SPX" in found(browser, "sp")
    assert "SPX" in found(browser, "s&p")
    assert f"Account {desk.code}" in found(browser, desk.code.lower())


@pytest.mark.parametrize("text", ["", "s", "   ", "\x01", "%", "__", "'; drop", "x" * 500])
def test_nothing_is_found_of_nothing_and_odd_words_are_words(at_desk, text):
    assert found(at_desk("alice"), text) == []


def test_another_firms_orders_are_not_found(window, alice, market):
    market.show("100", "101")
    order_id = alice.placed(price="90", tif="GTC")
    assert found(window("charlie", "globex"), order_id) == []


def test_the_palette_offers_what_the_role_may(at_desk):
    assert 'data-do="halt"' in at_desk("alice").get("/desk").content.decode()
    page = at_desk("bob").get("/desk").content.decode()
    assert 'data-do="halt"' not in page
    assert 'data-do="ticket:BUY"' not in page
    assert 'data-do="choose:theme:light"' in page
    assert 'data-do="logout"' in page


def test_without_a_script_the_search_is_the_list_of_orders(at_desk):
    assert at_desk("alice").get("/find?q=c-001")["location"] == "/orders?cl_ord_id=c-001"
