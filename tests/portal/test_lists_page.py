"""Orders with exits: the ticket that attaches them, the page that shows a list, what it asks."""

import re
from html import unescape

import pytest

from common.errors import FieldError
from oms.models import Order, OrderList
from portal.ticket.exits import at_rows, list_body

BRACKET = {
    "link": "OTOCO", "price": "100", "order_qty": "10", "exit_price": "110",
    "exit_price_in": "price", "exit_stop": "95", "exit_stop_in": "price",
}  # fmt: skip


def text_of(answer):
    return unescape(answer.content.decode())


def said_at(page, name):
    return re.search(rf'id="t-{name}-says" data-says[^>]*>([^<]*)<', page).group(1)


@pytest.fixture
def bracket(at_desk, desk, market):
    """A bracket of alice that rests, and her browser."""
    market.show("101", "102")
    browser = at_desk("alice")
    form = browser.opened_ticket(**BRACKET)
    assert browser.post("/desk/ticket", **form).status_code == 303
    (row,) = desk.rows(OrderList, account_id=desk.account_id)
    return browser, row


def test_the_form_says_a_bracket_as_the_api_takes_it():
    values = {"side": "SELL", "ord_type": "LIMIT", "time_in_force": "DAY", "account": "A",
              "symbol": "SPX", "cl_ord_id": "p-1", "preview_id": "x"}  # fmt: skip
    body = list_body(values | BRACKET | {"exit_stop": "2", "exit_stop_in": "percent"}, None)
    assert body == {
        "account": "A", "symbol": "SPX", "cl_ord_id": "p-1", "contingency_type": "OTOCO",
        "legs": [
            {"side": "SELL", "ord_type": "LIMIT", "order_qty": "10", "price": "100",
             "time_in_force": "DAY"},
            {"side": "BUY", "ord_type": "LIMIT", "time_in_force": "GTC", "price": "110"},
            {"side": "BUY", "ord_type": "STOP", "time_in_force": "GTC", "offset_percent": "2"},
        ],
    }  # fmt: skip
    other = list_body(values | BRACKET | {"link": "OCO"}, None)
    assert other["legs"][1] == {
        "side": "SELL", "ord_type": "STOP", "time_in_force": "GTC", "order_qty": "10",
        "stop_px": "95",
    }  # fmt: skip


def test_what_is_said_of_a_leg_is_said_at_its_row():
    errors = [FieldError(name, "c", "m") for name in
              ("legs.0.price", "legs.1.price", "legs.2.stop_px", "legs", "account")]  # fmt: skip
    assert [one.field for one in at_rows(errors, "OTOCO")] == [
        "price", "exit_price", "exit_stop", "link", "account",
    ]  # fmt: skip
    assert [one.field for one in at_rows(errors[1:2], "OCO")] == ["exit_stop"]


def test_a_bracket_from_the_ticket_is_a_list_of_three(bracket, desk):
    _, row = bracket
    assert (row.contingency_type, row.source) == ("OTOCO", "portal")
    legs = desk.rows(Order, list_id=row.id)
    assert {(one.leg_no, one.side, one.ord_type) for one in legs} == {
        (1, "BUY", "LIMIT"), (2, "SELL", "LIMIT"), (3, "SELL", "STOP"),
    }  # fmt: skip
    assert {one.order_qty for one in legs} == {10}


def test_the_same_bracket_sent_twice_is_one_list(at_desk, desk, market):
    market.show("101", "102")
    browser = at_desk("alice")
    form = browser.opened_ticket(**BRACKET)
    for _ in range(2):
        assert browser.post("/desk/ticket", **form).status_code == 303
    assert "nothing was sent twice" in text_of(browser.get("/desk"))
    assert len(desk.rows(OrderList, account_id=desk.account_id)) == 1


@pytest.mark.parametrize(
    ("typed", "field", "word"),
    [
        ({"exit_price": "99"}, "exit_price", "above the entry"),
        ({"exit_stop": "100.5"}, "exit_stop", "below the entry"),
        ({"exit_stop": "95.001"}, "exit_stop", "tick"),
        ({"exit_stop": ""}, "exit_stop", "needs stop_px"),
        ({"exit_price": "many"}, "exit_price", "Digits"),
        ({"exit_price": "2", "exit_price_in": "percent", "exit_stop": "0"}, "exit_stop", "zero"),
    ],
)
def test_an_exit_that_cannot_be_is_refused_at_its_row_before_and_when_sent(
    at_desk, desk, market, typed, field, word
):
    market.show("101", "102")
    browser = at_desk("alice")
    form = browser.opened_ticket(**(BRACKET | typed))
    shown = browser.part("/desk/ticket/preview", "ticket-preview", method="post", **form)
    assert re.search(rf'<li data-field="{field}">[^<]*{word}', text_of(shown)), text_of(shown)
    answer = browser.post("/desk/ticket", **form)
    assert answer.status_code == 422
    assert word in said_at(text_of(answer), field)
    assert desk.rows(OrderList, account_id=desk.account_id) == []


def test_a_preview_says_what_the_exits_would_bring(at_desk, market):
    market.show("101", "102")
    browser = at_desk("alice")
    form = browser.opened_ticket(**(BRACKET | {"exit_stop": "5", "exit_stop_in": "percent"}))
    page = text_of(browser.part("/desk/ticket/preview", "ticket-preview", method="post", **form))
    sums = re.sub(r"<[^>]*>", " ", page[page.index("data-outcomes") :])
    assert re.search(r"If the target fills\s+110\.00\s+\+100\.00 USD", sums)
    assert re.search(r"If the stop fires\s+95\.00\s+\u221250\.00 USD", sums)


def test_the_page_of_a_list_shows_its_legs_and_blotters_lead_to_it(bracket, desk):
    browser, row = bracket
    page = text_of(browser.get(f"/lists/{row.id}"))
    for word in ("Bracket", "Entry", "Target", "Stop", "EXECUTING", "Cancel the list"):
        assert word in page
    legs = desk.rows(Order, list_id=row.id)
    for leg in legs:
        assert f'href="/orders/{leg.id}"' in page
        assert browser.get(f"/orders/{leg.id}/list")["location"] == f"/lists/{row.id}"
        assert f'href="/lists/{row.id}"' in text_of(browser.get(f"/orders/{leg.id}"))
    listed = text_of(browser.get(f"/orders?q=list:{row.id}"))
    assert all(f'data-id="{leg.id}"' in listed for leg in legs)


def test_exit_prices_are_changed_together_and_a_bad_one_changes_nothing(bracket, desk):
    browser, row = bracket
    path = f"/lists/{row.id}"
    bad = browser.post(path, verb="exits", **{"2.price": "90", "3.stop_px": "96"})
    assert bad.status_code == 422
    assert "losing side of the entry" in text_of(bad)
    assert 'value="96"' in text_of(bad)
    assert browser.post(path, verb="exits", **{"2.price": "110"}).status_code == 422
    good = browser.post(path, verb="exits", **{"2.price": "112", "3.stop_px": "96"})
    assert (good.status_code, good["location"]) == (303, path)
    by_leg = {one.leg_no: one for one in desk.rows(Order, list_id=row.id)}
    assert (by_leg[2].price, by_leg[3].stop_px) == (112, 96)


def test_a_cancelled_list_has_no_open_leg_and_is_not_cancelled_twice(bracket, desk):
    browser, row = bracket
    assert browser.post(f"/lists/{row.id}", verb="cancel").status_code == 303
    held = [one for one in desk.rows(Order, list_id=row.id) if one.leg_no > 1]
    assert {one.ord_status for one in held} == {"CANCELED"}
    assert browser.post(f"/lists/{row.id}", verb="rubbish").status_code == 422


def test_a_list_of_another_firm_is_not_there(bracket, window, at_desk):
    _, row = bracket
    stranger = window("charlie", "globex")
    for path in (f"/lists/{row.id}", f"/lists/{row.id}x", "/lists/none"):
        answer = stranger.get(path)
        assert answer.status_code == 404
        assert row.cl_ord_id.encode() not in answer.content


def test_a_leg_is_not_amended_by_itself_and_lists_say_so(bracket, desk):
    browser, row = bracket
    page = text_of(browser.get(f"/orders?q=list:{row.id}"))
    assert page.count("its parent or its list manages it") >= 3
    marks = browser.get(f"/desk/chart/marks?symbol=SPX&interval=1d&account={desk.code}").json()
    assert marks["orders"]
    assert {one["term"] for one in marks["orders"]} == {""}
