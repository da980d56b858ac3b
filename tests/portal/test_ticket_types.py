"""The ticket of every order type: which fields it shows, what it sends, what is said where."""

import re
from datetime import UTC
from decimal import Decimal
from html import unescape
from zoneinfo import ZoneInfo

import pytest

from brokers.adapters.registry import capabilities_of
from portal.ticket.body import body_of
from portal.ticket.fields import FLAGS, INSTRUCTIONS, ROWS, TERMS, belongs, place_of
from trading.orders.validity import TIME_IN_FORCE_BY_TYPE
from trading.vocabulary import OrdType, TimeInForce

ZURICH = ZoneInfo("Europe/Zurich")


def chosen(ord_type, time_in_force="DAY", **typed):
    return {"ord_type": ord_type, "time_in_force": time_in_force, **typed}


def shown(ord_type, time_in_force="DAY"):
    """The rows an order of this kind is asked for, and those it cannot do without."""
    values = chosen(ord_type, time_in_force)
    here = [row.name for row in TERMS if belongs(row.name, values)]
    return here, [name for name in here if ord_type in place_of(name).required]


# --- which fields


@pytest.mark.parametrize(
    ("ord_type", "asked", "needed"),
    [
        ("MARKET", [], []),
        ("LIMIT", ["price"], ["price"]),
        ("STOP", ["stop_px"], ["stop_px"]),
        ("STOP_LIMIT", ["price", "stop_px"], ["price", "stop_px"]),
        ("MARKET_IF_TOUCHED", ["stop_px"], ["stop_px"]),
        ("LIMIT_IF_TOUCHED", ["price", "stop_px"], ["price", "stop_px"]),
        ("TRAILING_STOP", ["stop_px", "trail_offset", "activation_px"], ["trail_offset"]),
        ("TRAILING_STOP_LIMIT", ["stop_px", "trail_offset", "limit_offset", "activation_px"],
         ["trail_offset", "limit_offset"]),
        ("MARKET_TO_LIMIT", [], []),
        ("PEGGED", ["price", "peg_price_type", "peg_offset"], ["price", "peg_price_type"]),
    ],
)  # fmt: skip
def test_each_type_is_asked_for_its_own_terms(ord_type, asked, needed):
    assert shown(ord_type) == (asked, needed)


def test_instructions_belong_where_the_rules_have_a_use_for_them():
    by_kind = {
        ("LIMIT", "DAY"): {"display_qty", "when_closed", "post_only", "reduce_only", "all_or_none",
                           "extended_hours", "venue_only"},
        ("LIMIT", "IOC"): {"display_qty", "min_qty", "when_closed", "reduce_only", "venue_only"},
        ("STOP", "GTC"): {"max_slippage_bps", "trigger_price_type", "when_closed", "reduce_only",
                          "all_or_none", "venue_only"},
    }  # fmt: skip
    names = [row.name for row in INSTRUCTIONS] + [flag.name for flag in FLAGS]
    for (ord_type, time), wanted in by_kind.items():
        assert {name for name in names if belongs(name, chosen(ord_type, time))} == wanted


def test_an_end_is_asked_for_with_gtd_alone():
    kinds = [(kind, time) for kind in OrdType for time in TIME_IN_FORCE_BY_TYPE[kind]]
    for kind, time in kinds:
        assert belongs("expire_time", chosen(kind, time)) == (time is TimeInForce.GTD)


# --- what is sent


def test_what_was_typed_for_another_type_is_not_sent():
    typed = {row.name: "5" for row in ROWS} | {flag.name: "on" for flag in FLAGS}
    body = body_of(chosen("STOP", "DAY", symbol="SPX", order_qty="3", **typed), UTC)
    assert body == {
        "ord_type": "STOP", "time_in_force": "DAY", "symbol": "SPX", "order_qty": "3",
        "stop_px": "5", "max_slippage_bps": "5", "trigger_price_type": "5", "when_closed": "5",
        "exec_inst": ["REDUCE_ONLY", "ALL_OR_NONE"], "allow_synthetic": False,
    }  # fmt: skip


def test_an_amount_of_money_takes_the_place_of_the_quantity():
    body = body_of(chosen("MARKET", order_qty="500", qty_unit="cash"), UTC)
    assert (body["cash_order_qty"], "order_qty" in body) == ("500", False)


def test_a_time_is_read_in_the_zone_of_the_person():
    winter = body_of(chosen("LIMIT", "GTD", expire_time="2027-01-05T17:30"), ZURICH)
    assert winter["expire_time"] == "2027-01-05T16:30:00Z"
    named = body_of(chosen("LIMIT", "GTD", expire_time="2027-01-05T17:30:00-05:00"), ZURICH)
    assert named["expire_time"] == "2027-01-05T22:30:00Z"
    for rubbish in ("tomorrow", "0001-01-01T00:00", "2027-13-01T00:00"):
        body = body_of(chosen("LIMIT", "GTD", expire_time=rubbish), ZURICH)
        assert body["expire_time"] == rubbish


def test_a_trail_says_what_it_is_measured_in_and_a_peg_counts_whole_ticks():
    trail = body_of(chosen("TRAILING_STOP", trail_offset="5", trail_type="PERCENT"), UTC)
    assert (trail["trail_offset"], trail["trail_type"]) == ("5", "PERCENT")
    assert body_of(chosen("PEGGED", peg_offset="-2"), UTC)["peg_offset"] == -2
    assert body_of(chosen("PEGGED", peg_offset="1.5"), UTC)["peg_offset"] == "1.5"


# --- the page


def text_of(answer):
    return unescape(answer.content.decode())


def row_of(page, name):
    """The tag of a row of the form, and all it says."""
    row = rf'<div class="bl-line" data-row data-fields="{name}[^>]*>.*?</p>'
    return re.search(row, page, re.DOTALL).group(0)


def said_at(page, name):
    return re.search(rf'id="t-{name}-says" data-says[^>]*>([^<]*)<', page).group(1)


def test_without_scripts_a_button_brings_the_fields_of_the_chosen_type(at_desk, market):
    market.show("100", "101")
    browser = at_desk("alice")
    assert "hidden" in row_of(text_of(browser.get("/desk")), "stop_px").partition(">")[0]
    form = browser.opened_ticket(ord_type="STOP_LIMIT", order_qty="7", price="98")
    answer = browser.post("/desk/ticket/fields", **form)
    page = text_of(answer)
    assert answer.status_code == 200
    assert "hidden" not in row_of(page, "stop_px").partition(">")[0]
    assert "hidden" in row_of(page, "trail_offset").partition(">")[0]
    assert 'name="order_qty" value="7"' in page
    assert form["cl_ord_id"] in page
    opened = text_of(browser.get("/desk?ord_type=TRAILING_STOP"))
    assert "hidden" not in row_of(opened, "trail_offset").partition(">")[0]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"ord_type": "STOP", "stop_px": "95.001"}, "stop_px"),
        ({"ord_type": "STOP_LIMIT", "stop_px": "", "price": "94"}, "stop_px"),
        ({"ord_type": "TRAILING_STOP", "trail_offset": "60", "trail_type": "PERCENT"},
         "trail_offset"),
        ({"price": "99", "time_in_force": "GTD", "expire_time": "soon"}, "expire_time"),
        ({"price": "99", "time_in_force": "GTD", "expire_time": ""}, "expire_time"),
        ({"ord_type": "PEGGED", "price": "99", "peg_price_type": "MID", "peg_offset": "x"},
         "peg_offset"),
        ({"price": "99", "display_qty": "20"}, "display_qty"),
        ({"price": "", "order_qty": "500", "qty_unit": "cash"}, "order_qty"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_its_field_in_the_words_of_the_api(
    at_desk, alice, market, typed, field
):
    market.show("100", "101")
    browser = at_desk("alice")
    form = browser.opened_ticket(**typed)
    answer = browser.post("/desk/ticket", **form)
    assert answer.status_code == 422
    said = said_at(text_of(answer), field)
    fields = {k: v for k, v in form.items() if k != "csrfmiddlewaretoken"}
    refused = alice.post("/orders", body_of(fields, UTC))
    assert refused.status == 422
    messages = [row["message"] for row in refused.json["errors"]]
    assert said
    assert any(message in said for message in messages), (said, messages)


def test_percent_in_the_unit_is_a_part_of_the_free_cash(at_desk, market):
    market.show("100", "101")
    browser = at_desk("alice")
    form = browser.opened_ticket(price="100", order_qty="10", qty_unit="percent")
    page = text_of(browser.part("/desk/ticket/preview", "ticket-preview", method="post", **form))
    found = re.search(r'data-qty="([^"]*)" data-price="100" data-unit="([^"]*)"', page)
    assert found.group(2) == "units"
    assert Decimal(found.group(1)) > 0


def test_a_type_that_only_this_system_can_hold_says_so_before_it_is_chosen(at_desk, market):
    market.show("100", "101")
    page = text_of(at_desk("alice").get("/desk"))
    option = re.search(r'<option value="STOP"[^>]*>([^<]*)', page).group(1)
    native = OrdType.STOP in capabilities_of("paper").ord_types
    assert option == ("STOP" if native else "STOP \u00b7 held here")


def test_instants_of_a_form_left_open_are_kept_as_typed(at_desk, market):
    market.show("100", "101")
    browser = at_desk("alice")
    form = browser.opened_ticket(price="", time_in_force="GTD", expire_time="2030-01-01T10:00")
    page = text_of(browser.post("/desk/ticket", **form))
    assert 'name="expire_time" value="2030-01-01T10:00"' in page
