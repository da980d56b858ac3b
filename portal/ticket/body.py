"""What a form says, as the body of POST /orders would say it. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from common.instants import instant_str
from portal.ticket.fields import FLAGS, IN_CASH, ROWS, belongs

_WHOLE = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_PLAIN = (
    *("account", "cl_ord_id", "preview_id", "symbol", "side", "ord_type", "order_qty"),
    *("time_in_force", "strategy"),
    *(row.name for row in ROWS),
)
"""Names whose text the API takes as it is."""


def body_of(values: Mapping[str, str], zone: tzinfo) -> dict[str, Any]:
    """Return the body of a form whose times are those of ``zone``; without its exits.

    The form keeps what was typed for another type of order; none of that is sent.
    """
    apart = {row.name for row in ROWS if not belongs(row.name, values)}
    body: dict[str, Any] = {
        name: values[name] for name in _PLAIN if values.get(name) and name not in apart
    }
    if values.get("qty_unit") == IN_CASH and "order_qty" in body:
        body["cash_order_qty"] = body.pop("order_qty")
    if "trail_offset" not in apart and values.get("trail_type"):
        body["trail_type"] = values["trail_type"]
    if _WHOLE.fullmatch(body.get("peg_offset", "")):
        body["peg_offset"] = int(body["peg_offset"])
    if values.get("allow_duplicate"):
        body["allow_duplicate"] = True
    if "expire_time" in body:
        body["expire_time"] = _instant(body["expire_time"], zone)
    return body | _flagged(values)


def _flagged(values: Mapping[str, str]) -> dict[str, Any]:
    on = [flag for flag in FLAGS if values.get(flag.name) and belongs(flag.name, values)]
    body: dict[str, Any] = {}
    if words := [flag.word for flag in on if flag.word]:
        body["exec_inst"] = words
    names = {flag.name for flag in on}
    if "extended_hours" in names:
        body["extended_hours"] = True
    if "venue_only" in names:
        body["allow_synthetic"] = False
    return body


def _instant(text: str, zone: tzinfo) -> str:
    """A time typed without a zone as the API writes instants, or the text for it to refuse."""
    try:
        typed = datetime.fromisoformat(text)
        local = typed if typed.tzinfo else typed.replace(tzinfo=zone)
        return instant_str(local.astimezone(UTC))
    except (ValueError, OverflowError):
        return text
