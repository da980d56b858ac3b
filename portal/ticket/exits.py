"""The exits a ticket may attach: a bracket's two, or a stop of which one cancels the other.

The form becomes the body of POST /order-lists, and what that says of a leg is said beside the row
the leg came from. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any

from common.errors import FieldError
from oms.lists_schemas import ListIn
from portal.ticket.body import body_of
from portal.ticket.fields import Row
from trading.contingency import ContingencyType, ListWish
from trading.vocabulary import OrdType, Side, TimeInForce

LINKS = (
    ("", "one order"),
    (ContingencyType.OTOCO.value, "bracket"),
    (ContingencyType.OCO.value, "or a stop (OCO)"),
)
"""What may be attached, and how the list names it."""
AT_PRICE, BY_OFFSET, BY_PERCENT = "price", "offset", "percent"
_MEASURES = ((AT_PRICE, "price"), (BY_OFFSET, "± price"), (BY_PERCENT, "± %"))
TARGET = Row(
    "exit_price",
    "Target",
    "takes the profit",
    "A LIMIT that closes what the entry opened: at a price, or so far from what the entry paid.",
    step="tick",
    beside="exit_price_in",
    beside_options=_MEASURES,
)
STOP = Row(
    "exit_stop",
    "Exit stop",
    "ends the loss",
    "A STOP: at a price, or so far from what the entry paid. Its target gone, it goes too.",
    step="tick",
    beside="exit_stop_in",
    beside_options=_MEASURES,
)
NAMES = ("link", TARGET.name, TARGET.beside, STOP.name, STOP.beside)
ROWS_OF: Mapping[str, Sequence[Row]] = {
    "": (),
    ContingencyType.OTOCO.value: (TARGET, STOP),
    ContingencyType.OCO.value: (STOP,),
}
"""The rows of each kind, in the sequence of its legs after the first."""
_OF_A_LIST = frozenset({"account", "symbol", "cl_ord_id", "preview_id"})


def links_of(row: Row) -> tuple[str, ...]:
    """The kinds that have a row."""
    return tuple(link for link, rows in ROWS_OF.items() if row in rows)


def list_body(values: Mapping[str, str], zone: tzinfo) -> dict[str, Any]:
    """Return what a form with exits says as the body of POST /order-lists."""
    order = body_of(values, zone)
    first = {name: value for name, value in order.items() if name not in _OF_A_LIST}
    exits = [_leg(row, values, first) for row in ROWS_OF.get(values["link"], ())]
    own = [name for name in ("account", "symbol", "cl_ord_id") if name in order]
    body: dict[str, Any] = {name: order[name] for name in own}
    return body | {"contingency_type": values["link"], "legs": [first, *exits]}


def _leg(row: Row, values: Mapping[str, str], first: Mapping[str, Any]) -> dict[str, Any]:
    """An exit lives until it is done or cancelled; beside an order it has that order's side."""
    is_exit = values["link"] == ContingencyType.OTOCO
    side = first.get("side", "")
    if is_exit:
        side = Side.BUY.value if side != Side.BUY else Side.SELL.value
    kind, price = (OrdType.LIMIT, "price") if row is TARGET else (OrdType.STOP, "stop_px")
    leg: dict[str, Any] = {
        "side": side, "ord_type": kind.value, "time_in_force": TimeInForce.GTC.value,
    }  # fmt: skip
    if not is_exit and "order_qty" in first:
        leg["order_qty"] = first["order_qty"]
    measures = {BY_OFFSET: "offset", BY_PERCENT: "offset_percent"}
    name = measures.get(values.get(row.beside, ""), price)
    if values.get(row.name):
        leg[name] = values[row.name]
    return leg


def wish_of(body: Mapping[str, Any], source: str) -> ListWish:
    """Return the list a body asks for, as coming through ``source``.

    :raises ValidationError: by the schema of POST /order-lists.
    """
    wish = ListIn.model_validate(body).to_wish()
    legs = (replace(leg, intent=replace(leg.intent, source=source)) for leg in wish.legs)
    return replace(wish, legs=tuple(legs))


def at_rows(errors: Sequence[FieldError], link: str) -> list[FieldError]:
    """Return the errors of a list under the names of the form's rows."""
    return list(_at_rows(errors, ROWS_OF.get(link, ())))


def _at_rows(errors: Sequence[FieldError], rows: Sequence[Row]) -> Iterator[FieldError]:
    for one in errors:
        parts = one.field.split(".", 2)
        if parts[0] != "legs" or len(parts) < 2 or not parts[1].isdigit():
            yield replace(one, field="link") if parts[0] == "legs" else one
            continue
        number, name = int(parts[1]), parts[-1]
        is_exit = 0 < number <= len(rows)
        yield replace(one, field=rows[number - 1].name if is_exit else name)
