"""The form that gives an order new terms: words in, the terms of a replace out, errors by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from common.errors import FieldError, Refused
from common.http.validation import field_errors
from oms.schemas import ReplaceIn
from oms.services.replace import ReplaceTerms
from trading.vocabulary import OrdType, TimeInForce

TERMS = ("order_qty", "price", "time_in_force")


@dataclass(slots=True)
class AmendForm:
    """What the form shows. ``cl_ord_id`` is made when it opens, so that it is one request however
    often it is sent; ``orig_cl_ord_id`` is the version the person saw.
    """

    values: dict[str, str]
    has_price: bool
    confirm: bool = False
    errors: Sequence[FieldError] = ()
    title: str = ""
    detail: str = ""
    diffs: Sequence[Mapping[str, str]] = ()
    times: Sequence[str] = field(default_factory=lambda: [one.value for one in TimeInForce])

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
    return AmendForm(values, order["ord_type"] != OrdType.MARKET)


def posted(order: Mapping[str, Any], given: Mapping[str, str]) -> AmendForm:
    """Return the form as it was sent."""
    names = (*TERMS, "cl_ord_id", "orig_cl_ord_id")
    values = {name: given.get(name, "").strip()[:64] for name in names}
    form = AmendForm(values, order["ord_type"] != OrdType.MARKET)
    form.diffs = [
        {"name": name, "before": order[name] or "\u2014", "after": values[name]}
        for name in TERMS
        if values[name] and values[name] != order[name]
    ]
    return form


def terms_of(form: AmendForm) -> tuple[ReplaceTerms, str | None, str | None] | None:
    """Return terms, client id and original id as the API would read them; None with errors."""
    body = {name: text for name, text in form.values.items() if text}
    if not form.has_price:
        body.pop("price", None)
    try:
        read = ReplaceIn.model_validate(body)
    except ValidationError as failure:
        form.errors = field_errors(failure.errors())
        form.title, form.detail = "Nothing was sent", "Some fields need another value."
        return None
    terms = ReplaceTerms(read.order_qty, read.price, read.time_in_force)
    return terms, read.cl_ord_id, read.orig_cl_ord_id
