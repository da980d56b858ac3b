"""The text filter: what it demands, and what it says when it cannot be read."""

import pytest

from portal.orders.filter import Condition, FilterError, conditions_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sym:SPX", [Condition("symbol", "in", ("SPX",))]),
        ("sym:SPX,IXIC", [Condition("symbol", "in", ("SPX", "IXIC"))]),
        ("side:b", [Condition("side", "in", ("BUY",))]),
        ("side:short", [Condition("side", "in", ("SELL_SHORT",))]),
        ("type:lmt tif:day", [Condition("ord_type", "in", ("LIMIT",)),
                              Condition("time_in_force", "in", ("DAY",))]),
        ("status:open", [Condition("is_open", "yes")]),
        ("status:unknown", [Condition("unknown_since", "yes")]),
        ("status:new,FILLED", [Condition("ord_status", "in", ("NEW", "FILLED"))]),
        ("qty>100", [Condition("order_qty", "gt", ("100",))]),
        ("px<=1,250.50", [Condition("price", "le", ("1250.50",))]),
        ("leaves:5", [Condition("leaves_qty", "eq", ("5",))]),
        ("id:c-1", [Condition("id", "id", ("c-1",))]),
        ('text:"too late"', [Condition("text", "has", ("too late",))]),
        ("vwap", [Condition("words", "has", ("vwap",))]),
        ("", []),
    ],
)  # fmt: skip
def test_a_text_becomes_conditions(text, expected):
    assert conditions_of(text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("colour:red", "no field colour"),
        ("qty>many", "compared with a number"),
        ("qty>1e5", "compared with a number"),
        ("qty:\u0661\u0662", "compared with a number"),
        ("qty>", "says no value"),
        ("sym:,", "says no value"),
        ("side:up", "BUY, SELL"),
        ("status:nearly", "PENDING_NEW"),
        ("sym>SPX", "write sym:SPX"),
        ('text:"open', "quotation mark"),
        ("a b c d e f g h i j k l m", "at most 12 terms"),
        ("x" * 201, "at most 200"),
        ("sym:S\x00X", "printable"),
    ],
)
def test_a_text_that_cannot_be_read_says_what_would_do(text, says):
    with pytest.raises(FilterError, match=says):
        conditions_of(text)
