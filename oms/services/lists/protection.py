"""The position a list opened and no stop protects: counted, told, and protected again.

An alarm closes itself once nothing is unprotected.
"""

from datetime import datetime, timedelta

from oms.models import Order
from oms.services.lists import steps
from oms.services.lists.standing import Standing, ended_unasked, is_acknowledged
from trading.contingency import Reprotect, Role, unprotected_qty
from trading.vocabulary import CommandKind, CommandState, OrdStatus, OrdType

PROTECT_WITHIN = timedelta(seconds=5)
"""How long a position may stand unprotected before people are told."""


def look_after(standing: Standing) -> bool:
    """Keep the list's figures of what is unprotected; whether something was sent for it."""
    row, now = standing.row, standing.now
    qty = unprotected_qty(standing.terms, standing.legs)
    row.unprotected_qty = qty
    if qty == 0:
        row.unprotected_since = row.unprotected_alarm_at = None
        row.unprotected_reason = ""
        return _try_target_again(standing)
    row.unprotected_since = row.unprotected_since or now
    row.unprotected_reason = reason_of(standing)
    if not is_overdue(row.unprotected_since, now):
        return False
    row.unprotected_alarm_at = row.unprotected_alarm_at or now
    return _protect_again(standing)


def is_overdue(since: datetime, now: datetime) -> bool:
    """Whether a position has stood unprotected for too long."""
    return now - since >= PROTECT_WITHIN


def reason_of(standing: Standing) -> str:
    """Why the stop does not protect, in words for a person."""
    stop = _last(standing, Role.STOP)
    if stop is None:
        return "no stop has been sent"
    new = [c for c in standing.open_commands.get(stop.id, ()) if c.kind == CommandKind.NEW]
    if stop.is_closed:
        told = f": {stop.text}" if stop.text else ""
        return f"the stop is {stop.ord_status}{told}"[:200]
    if new and new[0].state == CommandState.UNKNOWN:
        return "the outcome of the stop is unknown"
    if not is_acknowledged(stop):
        return "no venue has acknowledged the stop"
    return "the stop is smaller than the position"


def _last(standing: Standing, role: Role) -> Order | None:
    """The last order sent for the exit of this role."""
    for number in standing.numbers:
        if standing.row.legs[number - 1]["role"] == role:
            sent = standing.sent(number)
            return sent[-1] if sent else None
    return None


def _protect_again(standing: Standing) -> bool:
    """Do what was agreed, once per cause; whether anything was done."""
    row, stop = standing.row, _last(standing, Role.STOP)
    if row.reprotect == Reprotect.NONE or stop is None or not _is_new_cause(standing, stop):
        return False
    row.forgiven_orders = [*row.forgiven_orders, stop.id]
    if row.reprotect == Reprotect.FLATTEN:
        steps.send_again(
            standing, stop.serves_leg or 1, row.unprotected_qty, ord_type=OrdType.MARKET
        )
    row.save()
    return True


def _try_target_again(standing: Standing) -> bool:
    """A take-profit its venue refused is sent once more, as a stop would be; nobody is alarmed."""
    row, target = standing.row, _last(standing, Role.TARGET)
    if row.reprotect != Reprotect.RESEND or target is None:
        return False
    refused = target.ord_status == OrdStatus.REJECTED and _is_new_cause(standing, target)
    if not refused or not is_overdue(target.updated_at, standing.now):
        return False
    row.forgiven_orders = [*row.forgiven_orders, target.id]
    row.save()
    return True


def _is_new_cause(standing: Standing, order: Order) -> bool:
    """An exit its venue ended. One that was sent again and never worked has the cause of before."""
    if not ended_unasked(order) or order.id in standing.row.forgiven_orders:
        return False
    sent_again = (order.leg_no or 0) > len(standing.row.legs)
    return is_acknowledged(order) or not sent_again
