"""The form that gives an order new terms: words in, the terms of a replace out, errors by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from common.errors import FieldError, Refused
from common.http.validation import field_errors
from oms.schemas import ReplaceIn
from oms.services.replace import ReplaceTerms
from portal.orders.amendment import NAMES
from trading.orders.validity import TRAILING_TYPES
from trading.vocabulary import TimeInForce

NUMBERS = tuple(NAMES)
TERMS = (*NUMBERS, "time_in_force")
_PRICES = frozenset({"price", "stop_px"})


@dataclass(slots=True)
class AmendForm:
    """What the form shows. ``cl_ord_id`` is made when it opens, so that it is one request however
    often it is sent; ``orig_cl_ord_id`` is the version the person saw.
    """

    values: dict[str, str]
    has: Sequence[str]
    confirm: bool = False
    errors: Sequence[FieldError] = ()
    title: str = ""
    detail: str = ""
    diffs: Sequence[Mapping[str, str]] = ()
    times: Sequence[str] = field(default_factory=lambda: [one.value for one in TimeInForce])

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The number fields: those of the terms the order has."""
        messages = self.messages
        return [
            {
                "name": name,
                "label": NAMES[name].capitalize(),
                "value": self.values[name],
                "error": messages[name],
                "is_price": name in _PRICES,
            }
            for name in self.has
        ]

    @property
    def messages(self) -> dict[str, str]:
        """What is wrong with each field, in words."""
        return {
            name: " ".join(one.message for one in self.errors if one.field == name)
            for name in TERMS
        }

    def refuse(self, refusal: Refused) -> None:
        """Keep what was typed and say what was wrong with it."""
        self.title, self.detail, self.errors = refusal.title, refusal.detail, refusal.errors


def opened(order: Mapping[str, Any], *, cl_ord_id: str) -> AmendForm:
    """Return the form with the terms in force."""
    values = {name: order[name] or "" for name in TERMS}
    values |= {"cl_ord_id": cl_ord_id, "orig_cl_ord_id": order["cl_ord_id"]}
    return AmendForm(values, _numbers_of(order))


def _numbers_of(order: Mapping[str, Any]) -> list[str]:
    """The numbers an order has; the stop of a trail follows the market, and nobody moves it."""
    trails = order["ord_type"] in TRAILING_TYPES
    return [name for name in NUMBERS if order[name] and not (trails and name == "stop_px")]


def posted(order: Mapping[str, Any], given: Mapping[str, str]) -> AmendForm:
    """Return the form as it was sent."""
    names = (*TERMS, "cl_ord_id", "orig_cl_ord_id")
    values = {name: given.get(name, "").strip()[:64] for name in names}
    form = AmendForm(values, _numbers_of(order))
    form.diffs = [
        {"name": NAMES.get(name, name), "before": order[name] or "\u2014", "after": values[name]}
        for name in (*form.has, "time_in_force")
        if values[name] and values[name] != order[name]
    ]
    return form


def terms_of(form: AmendForm) -> tuple[ReplaceTerms, str | None, str | None] | None:
    """Return terms, client id and original id as the API would read them; None with errors."""
    apart = set(NUMBERS) - set(form.has)
    body = {name: text for name, text in form.values.items() if text and name not in apart}
    try:
        read = ReplaceIn.model_validate(body)
    except ValidationError as failure:
        form.errors = field_errors(failure.errors())
        form.title, form.detail = "Nothing was sent", "Some fields need another value."
        return None
    terms = ReplaceTerms(**{name: getattr(read, name) for name in TERMS})
    return terms, read.cl_ord_id, read.orig_cl_ord_id
