"""The order form: plain text fields in, the intent every door makes out, errors by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from brokers.adapters.capabilities import Capabilities
from brokers.adapters.registry import capabilities_of
from brokers.models import BrokerAccount
from common.errors import FieldError
from common.http.types import parse_decimal
from common.http.validation import field_errors
from common.ids import new_ulid
from marketdata.calendars import next_open, session_at
from marketdata.models import Instrument
from oms.schemas import OrderIn
from portal.kinds import TYPE_WORDS
from portal.ticket import exits, fields, words
from portal.ticket.body import body_of
from portal.ticket.outcomes import Outcome
from portal.ticket.shown import Shown
from trading.contingency import ListWish
from trading.orders.intent import OrderIntent
from trading.orders.placement import placement
from trading.orders.validity import TIME_IN_FORCE_BY_TYPE
from trading.risk import BreachCode
from trading.vocabulary import OrdType, Side, TimeInForce

FIELDS = (
    "account", "symbol", "side", "ord_type", "order_qty", "time_in_force", "strategy",
    "cl_ord_id", "preview_id", "allow_duplicate", *fields.NAMES, *exits.NAMES,
)  # fmt: skip
SOURCE = "portal"


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a list; ``why`` says why it is off, ``types`` what order types it suits.

    ``note`` is what to know before choosing it.
    """

    value: str
    why: str = ""
    types: Sequence[str] = ()
    note: str = ""

    @property
    def word(self) -> str:
        """The option as it is read."""
        words = (TYPE_WORDS.get(self.value, self.value), self.why or self.note)
        return " \u00b7 ".join(filter(None, words))


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
    currency: str = ""
    outcomes: Sequence[Outcome] = ()
    sides: Sequence[str] = field(default_factory=lambda: [Side.BUY.value, Side.SELL.value])

    @property
    def refused(self) -> bool:
        """Whether the form comes back with a refusal."""
        return bool(self.title)

    @property
    def repeats(self) -> bool:
        """Whether an equal order of a moment ago stands against it, which may be meant."""
        return any(one.code == BreachCode.ORDER_REPEATS_ANOTHER for one in self.errors)

    @property
    def shown(self) -> Shown:
        """The rows and tick boxes of the form, as templates read them."""
        return Shown(self.values, self.errors)

    def refuse(self, title: str, detail: str, errors: Sequence[FieldError] = ()) -> None:
        """Note why nothing was sent."""
        self.title, self.detail, self.errors = title, detail, errors


def new_cl_ord_id(now: datetime) -> str:
    """Return a client id for a form that opens now."""
    return f"p-{new_ulid(now)}"


def blank_ticket(*, account: str, symbol: str, now: datetime, given: Mapping[str, str]) -> Ticket:
    """Return a fresh form; ``given`` presets fields from the address (side, symbol, price)."""
    free = set(FIELDS) - {"cl_ord_id", "preview_id", "account", "allow_duplicate"}
    presets = {name: given[name][:64] for name in free if name in given}
    values = {
        "side": Side.BUY.value,
        "ord_type": OrdType.LIMIT.value,
        "time_in_force": TimeInForce.DAY.value,
        **dict.fromkeys(("order_qty", "strategy", *fields.NAMES, *exits.NAMES), ""),
        **presets,
        "account": account,
        "symbol": presets.get("symbol") or symbol,
        "cl_ord_id": new_cl_ord_id(now),
        "preview_id": "",
        "allow_duplicate": "",
    }
    return Ticket(values)


def posted_ticket(posted: Mapping[str, str]) -> Ticket:
    """Return the form as it was sent."""
    return Ticket({name: posted.get(name, "").strip()[:400] for name in FIELDS})


def next_ticket(sent: Ticket, *, now: datetime) -> Ticket:
    """Return the form after an order went out: the same instrument and terms, no quantity.

    Without one a further Enter sends nothing. That a repeat is meant is said of each order anew.
    """
    once = {"order_qty", "allow_duplicate"}
    given = {name: value for name, value in sent.values.items() if name not in once}
    fresh = blank_ticket(
        account=sent.values["account"], symbol=sent.values["symbol"], now=now, given=given
    )
    fresh.ord_types, fresh.times_in_force = sent.ord_types, sent.times_in_force
    fresh.currency = sent.currency
    return fresh


def spell_out(ticket: Ticket, around: words.Surroundings) -> None:
    """Replace short words for quantity and price by the figures they stand for.

    What a word cannot mean becomes an error of its field.
    """
    values, errors = ticket.values, list(ticket.errors)
    limit_px = None
    try:
        values["price"] = words.price(values["price"], around)
        if fields.belongs("price", values):
            limit_px = _number(values["price"])
    except words.UnclearWordError as error:
        errors.append(FieldError("price", "unclear", str(error)))
    is_percent = values["qty_unit"] == fields.IN_PERCENT and values["order_qty"]
    typed = f"{values['order_qty'].removesuffix('%')}%" if is_percent else values["order_qty"]
    try:
        values["order_qty"] = words.quantity(typed, around, limit_px=limit_px)
        if is_percent and values["order_qty"] != typed:
            values["qty_unit"] = fields.IN_UNITS
    except words.UnclearWordError as error:
        errors.append(FieldError("order_qty", "unclear", str(error)))
    ticket.errors = errors


def _number(text: str) -> Decimal | None:
    """The decimal a text is, None where the schema will refuse it."""
    try:
        return parse_decimal(text)
    except PydanticCustomError:
        return None


def intent_of(ticket: Ticket, zone: tzinfo) -> OrderIntent | None:
    """Return the intent of a form, or None with ``errors`` filled in.

    The rules of each field are those of the API: one schema reads both. Times of the form are
    those of ``zone``.
    """
    unclear = {one.field for one in ticket.errors}
    try:
        intent = OrderIn.model_validate(body_of(ticket.values, zone)).to_intent(SOURCE)
    except ValidationError as failure:
        found = [one for one in field_errors(failure.errors()) if one.field not in unclear]
        ticket.errors = [*ticket.errors, *found]
        return None
    return None if ticket.errors else intent


def wish_of(ticket: Ticket, zone: tzinfo) -> ListWish | None:
    """Return the list a form with exits asks for, or None with ``errors`` filled in."""
    try:
        wish = exits.wish_of(exits.list_body(ticket.values, zone), SOURCE)
    except ValidationError as failure:
        unclear = {one.field for one in ticket.errors}
        found = exits.at_rows(field_errors(failure.errors()), ticket.values["link"])
        ticket.errors = [*ticket.errors, *(one for one in found if one.field not in unclear)]
        return None
    return None if ticket.errors else wish


def choose(ticket: Ticket, account: BrokerAccount, instrument: Instrument, now: datetime) -> None:
    """Fill in what may be chosen for an account and an instrument, and why the rest may not.

    A preset that is off gives way to the first that is not.
    """
    ticket.currency = instrument.currency
    broker = account.connection.broker
    able = capabilities_of(broker)
    if able is None:
        why = f"there is no adapter for {broker} here"
        ticket.ord_types = [Choice(one.value, why) for one in OrdType]
        ticket.times_in_force = [Choice(one.value, why) for one in TimeInForce]
        return
    placed = {one: [kind for kind in OrdType if _is_placed(kind, one, able)] for one in TimeInForce}
    taken = {kind for kinds in placed.values() for kind in kinds}
    ticket.ord_types = [
        Choice(
            one.value,
            why="" if one in taken else f"{broker} does not take it",
            note="" if one in able.ord_types else "held here",
        )
        for one in OrdType
    ]
    closed = _closed(instrument, now)
    times = []
    for one in TimeInForce:
        types = [kind.value for kind in placed[one]]
        why = "" if types else f"{broker} does not take it"
        if not why and closed and one is not TimeInForce.GTC:
            why = closed
        times.append(Choice(one.value, why, types))
    ticket.times_in_force = times
    chosen = ticket.values["time_in_force"]
    on = [one.value for one in times if not one.why and ticket.values["ord_type"] in one.types]
    if chosen not in on and on:
        ticket.values["time_in_force"] = on[0]


def _is_placed(kind: OrdType, time: TimeInForce, able: Capabilities) -> bool:
    """Whether an account's venue takes such an order, or what this system makes of it."""
    known = time in TIME_IN_FORCE_BY_TYPE[kind]
    return known and placement(kind, time, able.takes) is not None


def _closed(instrument: Instrument, now: datetime) -> str:
    if session_at(instrument, now) is not None:
        return ""
    opens = next_open(instrument, now)
    return f"closed until {opens:%Y-%m-%d %H:%M} UTC" if opens else "closed"
