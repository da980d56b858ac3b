"""The form that amends an order: the terms as typed, what they change, what is wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from common.errors import FieldError, Invalid
from common.http.validation import field_errors
from common.ids import new_ulid
from common.numbers import dec_str, opt_dec_str
from oms.models import Order
from oms.schemas import ReplaceIn
from oms.services.replace import ReplaceTerms
from trading.orders.validity import TRAILING_TYPES
from trading.vocabulary import Mode

NAMES = {
    "order_qty": "quantity",
    "price": "price",
    "stop_px": "stop",
    "trail_offset": "trail",
    "limit_offset": "limit offset",
    "display_qty": "shown quantity",
}
TERMS = tuple(NAMES)
_BY_LOT = frozenset({"order_qty", "display_qty"})
WAS = {name: f"was_{name}" for name in TERMS}
FIELDS = (*TERMS, *WAS.values(), "cl_ord_id", "orig_cl_ord_id")


@dataclass(frozen=True, slots=True)
class Amendment:
    """``values`` as typed, ``before`` as the order stands.

    ``cl_ord_id`` is made when the form opens: the same form sent twice is the same request.
    ``orig_cl_ord_id`` is the link of the chain the person looked at: after another's amendment
    the request is refused instead of undoing it unseen.
    """

    order: Order
    values: Mapping[str, str]

    @property
    def before(self) -> dict[str, str]:
        """The terms in force, as exact decimals: those the order has, the quantity first."""
        found = {name: opt_dec_str(getattr(self.order, name)) for name in TERMS}
        if self.order.ord_type in TRAILING_TYPES:
            found["stop_px"] = None  # it follows the market, and nobody moves it
        return {name: value for name, value in found.items() if value is not None}

    @property
    def steps(self) -> dict[str, str]:
        """Tick and lot of the instrument, which the arrows of a number field move by."""
        rules = self.order.instrument
        lot, tick = dec_str(rules.lot_size), dec_str(rules.tick_size)
        return {name: lot if name in _BY_LOT else tick for name in self.before}

    def rows(self, errors: Mapping[str, str]) -> list[dict[str, str]]:
        """The fields of the form, for the page: each with what is in force and what is wrong."""
        return [
            {
                "name": name,
                "label": "Quantity, the new total" if name == "order_qty" else NAMES[name].title(),
                "value": self.values.get(name) or before,
                "was": self.values.get(WAS[name]) or before,
                "before": before,
                "words": NAMES[name],
                "error": errors.get(name, ""),
            }
            for name, before in self.before.items()
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the form as the grid opens it in place."""
        return {
            "cl_ord_id": self.values["cl_ord_id"],
            "orig_cl_ord_id": self.values["orig_cl_ord_id"],
            "before": self.before,
            "steps": self.steps,
            "mode": self.order.mode,
        }

    def terms(self) -> ReplaceTerms:
        """Return what the form changes; a term left as it was when it opened is not asked for.

        What it changes is read off the form alone, not off the order as it is by now: the same
        form sent twice asks for the same.

        :raises Invalid: for a value that is none, or if nothing changes.
        """
        body = {
            name: self.values[name]
            for name in self.before
            if self.values[name] and not _equal(self.values[WAS[name]], self.values[name])
        }
        try:
            asked = ReplaceIn.model_validate(body)
        except ValidationError as failure:
            rows = field_errors(failure.errors())
            raise Invalid(rows[0].message, errors=rows) from None
        if not body:
            text = "The order has these terms already; nothing was sent."
            raise Invalid(text, errors=[FieldError("order_qty", "no_change", text)])
        return ReplaceTerms(**{name: getattr(asked, name) for name in TERMS})

    def needs_confirming(self, terms: ReplaceTerms) -> bool:
        """Whether real money is put at more risk: a smaller quantity alone is not."""
        grows = terms.order_qty is not None and terms.order_qty > self.order.order_qty
        moves = any(
            getattr(terms, name) not in (None, getattr(self.order, name))
            for name in TERMS
            if name not in _BY_LOT
        )
        return self.order.mode == Mode.LIVE and (grows or moves)

    def changes(self) -> Sequence[tuple[str, str, str]]:
        """What differs, as (name, before, after), for the page that shows it."""
        return [
            (NAMES[name], before, self.values[name])
            for name, before in self.before.items()
            if self.values[name] and not _equal(before, self.values[name])
        ]


def _equal(one: str, other: str) -> bool:
    try:
        return Decimal(one) == Decimal(other)
    except ArithmeticError:
        return False


def opened(order: Order, now: datetime) -> Amendment:
    """Return a form that opens now, with the terms in force."""
    before = Amendment(order, {}).before
    made = {"cl_ord_id": f"p-{new_ulid(now)}", "orig_cl_ord_id": order.cl_ord_id}
    return Amendment(order, before | {WAS[name]: value for name, value in before.items()} | made)


def posted(order: Order, given: Mapping[str, str]) -> Amendment:
    """Return the form as it was sent."""
    return Amendment(order, {name: given.get(name, "").strip()[:64] for name in FIELDS})
