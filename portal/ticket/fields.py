"""What the ticket asks for beyond side, symbol and quantity, and which orders are asked for it.

No rule of an order type is written here. The judge of intents is asked once about each field with
each type and time in force; what it calls out of place is not shown there, and what it misses is
required. A rule that changes there changes the form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from trading.market import InstrumentRules
from trading.orders.intent import OrderIntent, field_errors
from trading.orders.validity import TIME_IN_FORCE_BY_TYPE
from trading.vocabulary import (
    OrdType,
    PegPriceType,
    Side,
    TimeInForce,
    TrailType,
    TriggerPriceType,
    WhenClosed,
)

IN_UNITS, IN_CASH, IN_PERCENT = "units", "cash", "percent"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the form: a label and an input, or a list where there are ``options``.

    ``errors_of`` are the fields of the API whose errors are said beside it, ``beside`` names a
    list that says what its number is measured in. ``step`` is what the arrow keys move by.
    """

    name: str
    label: str
    hint: str = ""
    title: str = ""
    step: str = ""
    unit: str = ""
    kind: str = "number"
    options: Sequence[tuple[str, str]] = ()
    beside: str = ""
    beside_options: Sequence[tuple[str, str]] = ()
    errors_of: Sequence[str] = ()

    @property
    def fields(self) -> str:
        """The fields whose errors belong here, with a space between."""
        return " ".join(self.errors_of or (self.name,))


@dataclass(frozen=True, slots=True)
class Flag:
    """One tick box; ``word`` is the flag of exec_inst it stands for, where it is one."""

    name: str
    label: str
    title: str
    word: str = ""


TERMS = (
    Row(
        "price", "Price", "b bid · m mid · a ask",
        "b, m or a stand for the bid, the middle or the ask; arrows move a tick, with Shift ten. "
        "Of a PEGGED order it is the price never to be passed.",
        step="tick", unit="currency",
    ),
    Row(
        "stop_px", "Stop", "price that fires it",
        "The price that fires the order. Of a trail it is the stop it begins with.",
        step="tick", unit="currency",
    ),
    Row(
        "trail_offset", "Trail by", "distance", "How far the stop stays behind the best price.",
        step="tick", beside="trail_type", errors_of=("trail_offset", "trail_type"),
        beside_options=((TrailType.PRICE, "price"), (TrailType.PERCENT, "%")),
    ),
    Row(
        "limit_offset", "Limit offset", "from the stop",
        "Once fired, the limit lies this far beyond the stop.", step="tick", unit="currency",
    ),
    Row(
        "activation_px", "Activate at", "price",
        "The trail starts when the market has been here; empty: at once.",
        step="tick", unit="currency",
    ),
    Row(
        "peg_price_type", "Peg to", title="What the price follows.", kind="list",
        options=(
            (PegPriceType.PRIMARY, "own side"),
            (PegPriceType.MARKET, "other side"),
            (PegPriceType.MID, "middle"),
        ),
    ),
    Row(
        "peg_offset", "Peg offset", "whole number",
        "Whole ticks from what it follows; positive is up.", unit="ticks",
    ),
)  # fmt: skip
EXPIRY = Row(
    "expire_time",
    "Ends at",
    title="A GTD order ends at this time, in the zone times are shown in.",
    kind="time",
)
INSTRUCTIONS = (
    Row(
        "display_qty", "Show only", "quantity",
        "The book shows this much; the rest follows behind it.", step="lot",
    ),
    Row(
        "min_qty", "At least", "quantity",
        "Trade this much at once, or nothing. With IOC.", step="lot",
    ),
    Row(
        "max_slippage_bps", "Slippage", "basis points",
        "How far from the best price it may trade.", unit="bp",
    ),
    Row(
        "trigger_price_type", "Fired by", title="Which price moves the trigger.", kind="list",
        options=(
            ("", "last trade (default)"),
            (TriggerPriceType.BID_ASK, "bid and ask"),
            (TriggerPriceType.MID, "middle"),
            (TriggerPriceType.MARK, "mark"),
        ),
    ),
    Row(
        "when_closed", "If closed", kind="list",
        title="What becomes of it while the market is closed.",
        options=(
            ("", "as its time in force"),
            (WhenClosed.REJECT, "refuse it"),
            (WhenClosed.QUEUE, "keep it for the open"),
        ),
    ),
)  # fmt: skip
FLAGS = (
    Flag("post_only", "Post only", "Never trades on arrival; refused if it would.", "POST_ONLY"),
    Flag("reduce_only", "Reduce only", "May only make the position smaller.", "REDUCE_ONLY"),
    Flag("all_or_none", "All or none", "Trades in one piece.", "ALL_OR_NONE"),
    Flag("extended_hours", "Extended hours", "Also works before the open and after the close."),
    Flag("venue_only", "Only at the venue", "Refused if this system would have to hold it."),
)
QUANTITY = Row(
    "order_qty",
    "Quantity",
    "1k · 50% · h q w",
    "1k is 1,000; 50% of the position or the free cash; h, q, w half, quarter, whole of the "
    "position; arrows move a lot, with Shift ten.",
    step="lot",
    beside="qty_unit",
    beside_options=((IN_UNITS, "units"), (IN_CASH, "cash"), (IN_PERCENT, "%")),
    errors_of=("order_qty", "cash_order_qty"),
)
ROWS = (*TERMS, EXPIRY, *INSTRUCTIONS)
NAMES = (
    *(row.name for row in ROWS),
    *(row.beside for row in (QUANTITY, *ROWS) if row.beside),
    *(flag.name for flag in FLAGS),
)
"""The form's names beyond those every order has."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field belongs: with these types, these times in force; ``required`` by which types.

    ``times`` is empty where it is not the time in force that decides.
    """

    types: tuple[str, ...]
    times: tuple[str, ...]
    required: tuple[str, ...]

    def has(self, ord_type: str, time_in_force: str) -> bool:
        """Whether an order of this kind is asked for it."""
        return ord_type in self.types and (not self.times or time_in_force in self.times)


ANYWHERE = Place((), (), ())
"""Of what no type of order decides about."""
_RULES = InstrumentRules(
    symbol="ANY", currency="USD", tick_size=Decimal("0.01"), lot_size=Decimal("0.01"),
    qty_decimals=2, min_qty=Decimal("0.01"), max_qty=Decimal(1_000_000), min_notional=Decimal(0),
)  # fmt: skip
_GIVEN: Mapping[str, Mapping[str, Any]] = {
    "price": {"price": Decimal(100)},
    "stop_px": {"stop_px": Decimal(100)},
    "trail_offset": {"trail_offset": Decimal(1), "trail_type": TrailType.PRICE},
    "limit_offset": {"limit_offset": Decimal(1)},
    "activation_px": {"activation_px": Decimal(100)},
    "peg_price_type": {"peg_price_type": PegPriceType.PRIMARY},
    "peg_offset": {"peg_offset": 0},
    "expire_time": {"expire_time": datetime(2100, 1, 1, tzinfo=UTC)},
    "display_qty": {"display_qty": Decimal(1)},
    "min_qty": {"min_qty": Decimal(1)},
    "max_slippage_bps": {"max_slippage_bps": Decimal(1)},
    "trigger_price_type": {"trigger_price_type": TriggerPriceType.LAST},
    "when_closed": {"when_closed": WhenClosed.QUEUE},
    "extended_hours": {"extended_hours": True},
    "venue_only": {"allow_synthetic": False},
    "cash_order_qty": {"order_qty": Decimal(0), "cash_order_qty": Decimal(100)},
    **{flag.name: {"exec_inst": (flag.word,)} for flag in FLAGS if flag.word},
}
"""An acceptable value of each field, to ask the judge with."""
_OUT_OF_PLACE = frozenset({"not_allowed_for_type", "contradictory", "unsupported_combination"})


def _objections(kind: OrdType, time: TimeInForce, given: Mapping[str, Any]) -> dict[str, str]:
    """What the judge says, as code by field, of an order that is this and nothing more."""
    wish: dict[str, Any] = {"order_qty": Decimal(100), **given}
    intent = OrderIntent(
        account="ANY", symbol="ANY", side=Side.BUY, ord_type=kind, time_in_force=time, **wish
    )
    return {row.field: row.code for row in field_errors(intent, _RULES)}


@cache
def place_of(name: str) -> Place:
    """Return where a field of the form belongs."""
    given = _GIVEN[name]
    pairs = [(kind, time) for kind in OrdType for time in TIME_IN_FORCE_BY_TYPE[kind]]
    fits = [
        (kind, time)
        for kind, time in pairs
        if not any(_objections(kind, time, given).get(one) in _OUT_OF_PLACE for one in given)
    ]
    types = {kind for kind, _ in fits}
    times = {time for _, time in fits}
    is_by_type = all(pair in fits for pair in pairs if pair[0] in types)
    required = {kind for kind, time in fits if name in _objections(kind, time, {})}
    return Place(
        tuple(kind.value for kind in OrdType if kind in types),
        () if is_by_type else tuple(time.value for time in TimeInForce if time in times),
        tuple(kind.value for kind in OrdType if kind in required),
    )


def belongs(name: str, values: Mapping[str, str]) -> bool:
    """Whether an order of the type and time in force a form has chosen is asked for a field."""
    return place_of(name).has(values.get("ord_type", ""), values.get("time_in_force", ""))
