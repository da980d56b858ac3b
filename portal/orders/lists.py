"""One order list as its page shows it: legs with what each is for, prices that may change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from common.actor import Actor
from common.errors import Invalid
from common.http.validation import field_errors
from oms import selectors
from oms.lists_present import list_json
from oms.lists_schemas import ListReplaceIn
from oms.models import Order
from oms.services.lists.requests import ExitTerms, access_list
from portal.badges import Badge, status_badge
from portal.kinds import TYPE_WORDS

KINDS = {
    "OCO": "One cancels the other",
    "OUO_ABSOLUTE": "One reduces the others",
    "OUO_PROPORTIONAL": "One reduces the others by its share",
    "OTO": "One triggers the others",
    "OTOCO": "Bracket",
}
ROLES = {
    "ENTRY": "Entry",
    "TARGET": "Target",
    "STOP": "Stop",
    "RELEASED": "Released by the first",
    "ALTERNATIVE": "Alternative",
}
_PRICES = (("price", "limit"), ("stop_px", "trigger"))


@dataclass(frozen=True, slots=True)
class Leg:
    """One order of the list; ``prices`` are those that may be given another value."""

    role: str
    order: Mapping[str, Any]
    type: str
    badge: Badge
    serves: int
    prices: Sequence[Mapping[str, str]]


def shown_list(actor: Actor, list_id: str) -> dict[str, Any]:
    """Return the list as the API shows it.

    :raises NotFound: absent or out of reach.
    """
    row = access_list(actor, list_id)
    orders = list(Order.objects.filter(list_id=row.id).order_by("leg_no"))
    pending = selectors.open_commands_of(one.id for one in orders)
    return list_json(row, [(one, pending[one.id]) for one in orders])


def legs_of(shown: Mapping[str, Any], typed: Mapping[str, str]) -> list[Leg]:
    """Return the legs; ``typed`` are prices of a form that came back, by ``<leg>.<field>``."""
    return [_leg(shown, one, typed) for one in shown["legs"]]


def _leg(shown: Mapping[str, Any], leg: Mapping[str, Any], typed: Mapping[str, str]) -> Leg:
    order = leg["order"]
    is_open = order["leaves_qty"] != "0" and shown["list_order_status"] == "EXECUTING"
    may_move = is_open and leg["role"] != "ENTRY"
    prices = [
        {
            "name": f"{leg['serves_leg']}.{name}",
            "label": label,
            "value": typed.get(f"{leg['serves_leg']}.{name}", order[name]),
            "was": order[name],
        }
        for name, label in _PRICES
        if may_move and order[name] is not None
    ]
    return Leg(
        ROLES[leg["role"]],
        order,
        TYPE_WORDS[order["ord_type"]],
        status_badge(order),
        leg["serves_leg"],
        prices,
    )


def exit_terms(legs: Sequence[Leg], typed: Mapping[str, str]) -> list[ExitTerms]:
    """Return the prices that a form changes, by leg.

    :raises Invalid: for a price that is none, or where nothing changes.
    """
    bodies = []
    for leg in legs:
        changed = {
            one["name"].partition(".")[2]: typed[one["name"]].strip()
            for one in leg.prices
            if typed.get(one["name"], "").strip() not in ("", one["was"])
        }
        if changed:
            bodies.append({"leg_no": leg.serves, **changed})
    if not bodies:
        raise Invalid("The exits have these prices already; nothing was sent.")
    try:
        return ListReplaceIn.model_validate({"legs": bodies}).to_terms()
    except ValidationError as failure:
        rows = field_errors(failure.errors())
        raise Invalid(rows[0].message, errors=rows) from None
