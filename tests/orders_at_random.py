"""Orders drawn at random, valid ones and wrong ones, and the bodies that ask for them."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from common.numbers import dec_str
from trading.market import InstrumentRules
from trading.orders.intent import OrderIntent, field_errors
from trading.orders.numbers import OrderFieldError
from trading.orders.rulebook import RULES as RULEBOOK
from trading.orders.validity import (
    EXEC_INSTS,
    NEEDED,
    POSSIBLE,
    RESTING,
    TIME_IN_FORCE_BY_FIELD,
    TIME_IN_FORCE_BY_TYPE,
)
from trading.vocabulary import (
    OrdType,
    PegPriceType,
    Side,
    TimeInForce,
    TrailType,
    TriggerPriceType,
    WhenClosed,
)

NOW = datetime(2030, 3, 4, 15, tzinfo=UTC)
RULES = InstrumentRules(
    symbol="SPX",
    currency="USD",
    tick_size=Decimal("0.05"),
    lot_size=Decimal("0.5"),
    qty_decimals=4,
    min_qty=Decimal(1),
    max_qty=Decimal(1000),
    min_notional=Decimal(50),
)
F = frozenset(TimeInForce)
TOLD = {(rule.field, rule.code) for rule in RULEBOOK}


def steps(step: str, largest: int):
    return st.integers(1, largest).map(lambda n: Decimal(step) * n)


QTY = st.integers(1, 1_000).map(Decimal)
PRICE = steps("0.05", 40_000) | st.integers(18_400, 21_600).map(lambda n: Decimal("0.05") * n)
"""Any price, and about as many near a thousand, where the tests' market is."""
WILD = st.sampled_from(
    [Decimal(text) for text in ("-1", "0", "0.01", "0.3", "1e-13", "51.01", "10000", "1e12", "NaN")]
)
GOOD = {
    "price": PRICE,
    "stop_px": PRICE,
    "activation_px": PRICE,
    "trail_offset": PRICE,
    "limit_offset": steps("0.05", 100) | st.just(Decimal(0)),
    "display_qty": QTY,
    "min_qty": QTY,
    "cash_order_qty": PRICE,
    "max_slippage_bps": PRICE,
    "trail_type": st.sampled_from(TrailType),
    "trigger_price_type": st.sampled_from(TriggerPriceType),
    "peg_price_type": st.sampled_from(PegPriceType),
    "peg_offset": st.integers(-50, 50),
    "extended_hours": st.just(True),
    "expire_time": st.integers(2, 10**9).map(lambda s: NOW + timedelta(seconds=s)),
}


@st.composite
def valid_orders(draw) -> OrderIntent:
    """Orders as the rules have them: what the type needs, and some of what it may have."""
    ord_type = draw(st.sampled_from(OrdType))
    word = draw(st.sampled_from(TIME_IN_FORCE_BY_TYPE[ord_type]))
    qty = draw(QTY)
    may = [
        name
        for name in (*POSSIBLE, "min_qty")
        if ord_type in POSSIBLE.get(name, OrdType) and word in TIME_IN_FORCE_BY_FIELD.get(name, F)
    ]
    names = {name for name, types in NEEDED.items() if ord_type in types}
    names |= set(draw(st.lists(st.sampled_from(may), max_size=4))) if may else set()
    names |= {"expire_time"} if word is TimeInForce.GTD else set()
    terms = {name: draw(GOOD[name]) for name in sorted(names)}
    for name in {"display_qty", "min_qty"} & names:
        terms[name] = min(terms[name], qty)
    flags = {flag for flag in EXEC_INSTS if draw(st.booleans())}
    if ord_type not in {OrdType.LIMIT, OrdType.PEGGED} or word not in RESTING:
        flags -= {"POST_ONLY"}
    if ord_type is OrdType.PEGGED and terms["peg_price_type"] is PegPriceType.MARKET:
        flags -= {"POST_ONLY"}
    if {"display_qty", "min_qty"} & names or word is TimeInForce.IOC:
        flags -= {"ALL_OR_NONE"}
    side = draw(st.sampled_from(Side))
    if "peg_offset" in terms and "POST_ONLY" in flags:
        terms["peg_offset"] = -abs(terms["peg_offset"]) * side.sign
    return OrderIntent(
        account="main",
        symbol="SPX",
        side=side,
        ord_type=ord_type,
        time_in_force=word,
        order_qty=Decimal(0) if "cash_order_qty" in names else qty,
        exec_inst=tuple(flags),
        allow_synthetic=draw(st.booleans()),
        when_closed=draw(st.none() | st.sampled_from(WhenClosed)),
        **terms,
    )


@st.composite
def wrong_orders(draw) -> OrderIntent:
    """The same with one or two things changed: dropped, of another type, or not a good number."""
    intent = draw(valid_orders())
    for _ in range(draw(st.integers(1, 2))):
        name = draw(st.sampled_from([*GOOD, "order_qty", "time_in_force", "ord_type", "exec_inst"]))
        change = {
            "time_in_force": st.sampled_from(TimeInForce),
            "ord_type": st.sampled_from(OrdType),
            "exec_inst": st.tuples(st.sampled_from([*sorted(EXEC_INSTS), "NOT_HELD"])),
            "order_qty": WILD,
        }.get(name)
        if change is None:
            number = isinstance(getattr(intent, name), Decimal)
            change = st.none() | (WILD if number else GOOD[name])
        value = draw(change)
        intent = replace(
            intent, **{name: False if name == "extended_hours" and not value else value}
        )
    return intent


def broken(intent: OrderIntent) -> list[OrderFieldError]:
    return field_errors(intent, RULES, reference_price=Decimal(100))


def as_body(intent: OrderIntent) -> dict[str, object]:
    """The JSON a client would send: numbers as texts, what is absent left out."""
    body: dict[str, object] = {}
    for field in fields(intent):
        value = getattr(intent, field.name)
        if field.name in {"source", "tags", "cl_ord_id", "preview_id"} or value is None:
            continue
        if field.name == "order_qty" and value == 0:
            continue
        if isinstance(value, Decimal):
            value = dec_str(value)
        elif isinstance(value, datetime):
            value = value.isoformat()
        elif isinstance(value, tuple):
            value = list(value)
        body[field.name] = value
    return body
