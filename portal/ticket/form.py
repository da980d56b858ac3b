"""The order form: plain text fields in, the intent every door makes out, errors by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from brokers.adapters.registry import capabilities_of
from brokers.models import BrokerAccount
from common.errors import FieldError
from common.http.types import parse_decimal
from common.http.validation import field_errors
from common.ids import new_ulid
from marketdata.calendars import next_open, session_at
from marketdata.models import Instrument
from oms.schemas import OrderIn
from portal.ticket import words
from trading.orders.intent import OrderIntent
from trading.orders.validity import PRICED_TYPES, TIME_IN_FORCE_BY_TYPE
from trading.vocabulary import OrdType, Side, TimeInForce

FIELDS = (
    "account", "symbol", "side", "ord_type", "order_qty", "price", "time_in_force", "strategy",
    "cl_ord_id", "preview_id",
)  # fmt: skip
SOURCE = "portal"


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a list; ``why`` says why it is off, ``types`` what order types it suits."""

    value: str
    why: str = ""
    types: Sequence[str] = ()


@dataclass(slots=True)
class Ticket:
    """What the form shows: the words as typed, and what is wrong with them.

    ``cl_ord_id`` is made when the form opens: the same form sent twice is the same order.
    ``preview`` is the API's preview object, ``sent`` the order object of what was sent before.
    """

    values: dict[str, str]
    errors: Sequence[FieldError] = ()
    title: str = ""
    detail: str = ""
    kept: str = ""
    halt: Mapping[str, Any] | None = None
    confirm: bool = False
    preview: dict[str, Any] | None = None
    sent: dict[str, Any] | None = None
    sent_says: str = ""
    ord_types: Sequence[Choice] = ()
    times_in_force: Sequence[Choice] = ()
    sides: Sequence[str] = field(default_factory=lambda: [Side.BUY.value, Side.SELL.value])

    @property
    def refused(self) -> bool:
        """Whether the form comes back with a refusal."""
        return bool(self.title)

    @property
    def is_priced(self) -> bool:
        """Whether the chosen type has a limit price."""
        return self.values.get("ord_type") in {one.value for one in PRICED_TYPES}

    def error_of(self, name: str) -> str:
        """What is wrong with one field, in words."""
        return " ".join(one.message for one in self.errors if one.field == name)

    @property
    def field_messages(self) -> dict[str, str]:
        """``error_of`` of every field, as templates can read it."""
        return {name: self.error_of(name) for name in FIELDS}

    def refuse(self, title: str, detail: str, errors: Sequence[FieldError] = ()) -> None:
        """Note why nothing was sent."""
        self.title, self.detail, self.errors = title, detail, errors


def new_cl_ord_id(now: datetime) -> str:
    """Return a client id for a form that opens now."""
    return f"p-{new_ulid(now)}"


def blank_ticket(*, account: str, symbol: str, now: datetime, given: Mapping[str, str]) -> Ticket:
    """Return a fresh form; ``given`` presets fields from the address (side, symbol, price)."""
    free = set(FIELDS) - {"cl_ord_id", "preview_id", "account"}
    presets = {name: given[name][:64] for name in free if name in given}
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
        "preview_id": "",
    }
    return Ticket(values)


def posted_ticket(posted: Mapping[str, str]) -> Ticket:
    """Return the form as it was sent."""
    return Ticket({name: posted.get(name, "").strip()[:400] for name in FIELDS})


def next_ticket(sent: Ticket, *, now: datetime) -> Ticket:
    """Return the form after an order went out: the same instrument and terms, no quantity.

    Without one a further Enter sends nothing.
    """
    given = {name: value for name, value in sent.values.items() if name != "order_qty"}
    fresh = blank_ticket(
        account=sent.values["account"], symbol=sent.values["symbol"], now=now, given=given
    )
    fresh.ord_types, fresh.times_in_force = sent.ord_types, sent.times_in_force
    return fresh


def spell_out(ticket: Ticket, around: words.Surroundings) -> None:
    """Replace short words for quantity and price by the figures they stand for.

    What a word cannot mean becomes an error of its field.
    """
    values, errors = ticket.values, list(ticket.errors)
    limit_px = None
    try:
        values["price"] = words.price(values["price"], around)
        if ticket.is_priced:
            limit_px = _number(values["price"])
    except words.UnclearWordError as error:
        errors.append(FieldError("price", "unclear", str(error)))
    try:
        values["order_qty"] = words.quantity(values["order_qty"], around, limit_px=limit_px)
    except words.UnclearWordError as error:
        errors.append(FieldError("order_qty", "unclear", str(error)))
    ticket.errors = errors


def _number(text: str) -> Decimal | None:
    """The decimal a text is, None where the schema will refuse it."""
    try:
        return parse_decimal(text)
    except PydanticCustomError:
        return None


def intent_of(ticket: Ticket) -> OrderIntent | None:
    """Return the intent of a form, or None with ``errors`` filled in.

    The rules of each field are those of the API: one schema reads both.
    """
    body = {name: text for name, text in ticket.values.items() if text}
    if not ticket.is_priced:
        body.pop("price", None)  # the form keeps what was typed for a LIMIT
    unclear = {one.field for one in ticket.errors}
    try:
        intent = OrderIn.model_validate(body).to_intent(SOURCE)
    except ValidationError as failure:
        found = [one for one in field_errors(failure.errors()) if one.field not in unclear]
        ticket.errors = [*ticket.errors, *found]
        return None
    return None if ticket.errors else intent


def choose(ticket: Ticket, account: BrokerAccount, instrument: Instrument, now: datetime) -> None:
    """Fill in what may be chosen for an account and an instrument, and why the rest may not.

    A preset that is off gives way to the first that is not.
    """
    broker = account.connection.broker
    able = capabilities_of(broker)
    if able is None:
        why = f"there is no adapter for {broker} here"
        ticket.ord_types = [Choice(one.value, why) for one in OrdType]
        ticket.times_in_force = [Choice(one.value, why) for one in TimeInForce]
        return
    ticket.ord_types = [
        Choice(one.value, "" if one in able.ord_types else f"{broker} does not take it")
        for one in OrdType
    ]
    closed = _closed(instrument, now)
    times = []
    for one in TimeInForce:
        types = [
            kind.value
            for kind in able.ord_types
            if able.takes(kind, one) and one in TIME_IN_FORCE_BY_TYPE[kind]
        ]
        why = "" if types else f"{broker} does not take it"
        if not why and closed and one is not TimeInForce.GTC:
            why = closed
        times.append(Choice(one.value, why, sorted(types)))
    ticket.times_in_force = times
    chosen = ticket.values["time_in_force"]
    on = [one.value for one in times if not one.why and ticket.values["ord_type"] in one.types]
    if chosen not in on and on:
        ticket.values["time_in_force"] = on[0]


def _closed(instrument: Instrument, now: datetime) -> str:
    if session_at(instrument, now) is not None:
        return ""
    opens = next_open(instrument, now)
    return f"closed until {opens:%Y-%m-%d %H:%M} UTC" if opens else "closed"
