"""The order form: plain text fields in, the intent every door makes out, errors by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from common.errors import FieldError
from common.http.validation import field_errors
from common.ids import new_ulid
from oms.schemas import OrderIn
from trading.orders.intent import OrderIntent
from trading.vocabulary import OrdType, Side, TimeInForce

FIELDS = (
    "account", "symbol", "side", "ord_type", "order_qty", "price", "time_in_force", "strategy",
    "cl_ord_id",
)  # fmt: skip
SOURCE = "portal"


@dataclass(slots=True)
class Ticket:
    """What the form shows: the words as typed, and what is wrong with them.

    ``cl_ord_id`` is made when the form opens: the same form sent twice is the same order.
    """

    values: dict[str, str]
    errors: Sequence[FieldError] = ()
    title: str = ""
    detail: str = ""
    kept: str = ""
    confirm: bool = False
    choices: Mapping[str, Sequence[str]] = field(
        default_factory=lambda: {
            "side": [Side.BUY.value, Side.SELL.value],
            "ord_type": [one.value for one in OrdType],
            "time_in_force": [one.value for one in TimeInForce],
        }
    )

    @property
    def refused(self) -> bool:
        """Whether the form comes back with a refusal."""
        return bool(self.title)

    def error_of(self, name: str) -> str:
        """What is wrong with one field, in words."""
        return " ".join(one.message for one in self.errors if one.field == name)

    @property
    def field_messages(self) -> dict[str, str]:
        """``error_of`` of every field, as templates can read it."""
        return {name: self.error_of(name) for name in FIELDS}


def new_cl_ord_id(now: Any) -> str:
    """Return a client id for a form that opens now."""
    return f"p-{new_ulid(now)}"


def blank_ticket(*, account: str, symbol: str, now: Any, given: Mapping[str, str]) -> Ticket:
    """Return a fresh form; ``given`` presets fields from the address (side, symbol, price)."""
    presets = {name: given[name][:64] for name in FIELDS if name != "cl_ord_id" and name in given}
    values = {
        "side": Side.BUY.value,
        "ord_type": OrdType.LIMIT.value,
        "time_in_force": TimeInForce.DAY.value,
        "order_qty": "",
        "price": "",
        "strategy": "",
        **presets,
        "account": account,
        "symbol": presets.get("symbol") or symbol,
        "cl_ord_id": new_cl_ord_id(now),
    }
    return Ticket(values)


def posted_ticket(posted: Mapping[str, str]) -> Ticket:
    """Return the form as it was sent."""
    return Ticket({name: posted.get(name, "").strip()[:400] for name in FIELDS})


def intent_of(ticket: Ticket) -> OrderIntent | None:
    """Return the intent of a form, or None with ``errors`` filled in.

    The rules of each field are those of the API: one schema reads both.
    """
    body = {name: text for name, text in ticket.values.items() if text}
    if body.get("ord_type") == OrdType.MARKET.value:
        body.pop("price", None)  # the form keeps what was typed for a LIMIT
    try:
        return OrderIn.model_validate(body).to_intent(SOURCE)
    except ValidationError as failure:
        ticket.errors = field_errors(failure.errors())
        ticket.title = "The order was not sent"
        ticket.detail = "Some fields need another value."
        return None
