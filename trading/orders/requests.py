"""May this order be cancelled or replaced now, and how: every answer as a value.

The edge turns ``code`` into an HTTP status (``state_conflict`` 409, the rest 422).
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from trading.orders.canonical import dec_str
from trading.orders.facts import DAY_LIKE
from trading.orders.state import OrderState, Terms
from trading.orders.validity import OrderFieldError
from trading.vocabulary import CommandState, OrdStatus, TimeInForce


class Action(StrEnum):
    """What to do with a request.

    WITHDRAW: nothing was sent, take the NEW command back and close the order in the same
    transaction. IN_PLACE: change the unsent order, still one NEW. QUEUE: queue a command. WAIT:
    queue it, send it once the open replace is answered. REPEAT: one is under way, answer with
    it. REFUSE: see ``code`` and ``reason``.
    """

    WITHDRAW = "WITHDRAW"
    IN_PLACE = "IN_PLACE"
    QUEUE = "QUEUE"
    WAIT = "WAIT"
    REPEAT = "REPEAT"
    REFUSE = "REFUSE"


@dataclass(frozen=True, slots=True)
class Decision:
    """An action; for REFUSE the error ``code`` and the ``reason`` in its first field error."""

    action: Action
    code: str = ""
    reason: str = ""


class Standing(Protocol):
    """What a decision reads of an order: its whole state, or the part of it that a row shows."""

    @property
    def ord_status(self) -> OrdStatus:
        """Where the order stands."""

    @property
    def time_in_force(self) -> TimeInForce:
        """How long it was meant to stand."""

    @property
    def cum_qty(self) -> Decimal:
        """What is executed."""

    @property
    def may_amend(self) -> bool:
        """Whether its chain may have one more link."""


@dataclass(frozen=True, slots=True)
class VenueAbility:
    """What the venue of an order can do about requests. Defaults are the cautious ones."""

    cancel_during_replace: bool = True
    pipelined_replaces: bool = False
    replace_filled: bool = False
    replace_suspended: bool = False
    cancel_external: bool = True


CAUTIOUS = VenueAbility()

REASONS = {
    "not_yet_acknowledged": "it is being sent; wait for the venue's answer, then replace it.",
    "unknown_outcome": "its outcome at the venue is unknown; it is being looked up.",
    "cancel_pending": "a cancel is already on its way.",
    "replace_pending": "a replace is already on its way; wait for its answer.",
    "already_filled": "it is completely filled.",
    "already_canceled": "it is cancelled already.",
    "already_expired": "its time in force has ended.",
    "already_rejected": "it was rejected.",
    "done_for_day": "it is done for the day.",
    "external_order": "it was entered elsewhere; replace it there.",
    "managed_by_parent": "its parent or its list manages it; amend that.",
}
"""What to say for a ``reason``, after the words \"the order is STATUS:\"."""

_NOT_TRADED = frozenset({OrdStatus.PENDING_NEW, OrdStatus.NEW, OrdStatus.SUSPENDED})
_QUEUE = Decision(Action.QUEUE)
_ENDED = {
    OrdStatus.FILLED: "already_filled",
    OrdStatus.CANCELED: "already_canceled",
    OrdStatus.EXPIRED: "already_expired",
    OrdStatus.REJECTED: "already_rejected",
}


def cancel_decision(
    state: Standing,
    new_command_state: CommandState | None,
    *,
    held_by_oms: bool = False,
    cancel_open: bool = False,
    external: bool = False,
    ability: VenueAbility = CAUTIOUS,
) -> Decision:
    """Decide a cancel. ``new_command_state`` is that of the order's NEW command, if any.

    ``held_by_oms``: accepted but kept by us until its trigger or start. ``cancel_open``: a
    CANCEL command is not final yet (it may not have been sent, so no status shows it). A NEW
    that is QUEUED has not left, also where the order was kept by us before.
    """
    status = state.ord_status
    ended = _ended_reason(state, status)
    if ended is not None:
        return _conflict(ended)
    if cancel_open or status is OrdStatus.PENDING_CANCEL:
        return Decision(Action.REPEAT)
    if external and not ability.cancel_external:
        return Decision(Action.REFUSE, "unsupported_by_venue", "unsupported_by_venue")
    if _unsent(state, status, new_command_state, held_by_oms=held_by_oms):
        return Decision(Action.WITHDRAW)
    if status is OrdStatus.PENDING_NEW and new_command_state is CommandState.REFUSED:
        return _conflict("already_rejected")
    if status is OrdStatus.PENDING_REPLACE and not ability.cancel_during_replace:
        return Decision(Action.WAIT)
    return _QUEUE


def replace_decision(
    state: Standing,
    new_command_state: CommandState | None,
    *,
    held_by_oms: bool = False,
    cancel_open: bool = False,
    replace_open: bool = False,
    external: bool = False,
    managed_by_parent: bool = False,
    ability: VenueAbility = CAUTIOUS,
) -> Decision:
    """Decide a replace; see ``cancel_decision`` for the arguments they share.

    ``replace_open``: a REPLACE command is not final yet. ``managed_by_parent``: an algorithm's
    child or a list's leg.
    """
    if external:
        return _conflict("external_order")
    if managed_by_parent:
        return _conflict("managed_by_parent")
    status = state.ord_status
    ended = _ended_reason(state, status)
    if ended is not None and not (status is OrdStatus.FILLED and ability.replace_filled):
        return _conflict(ended)
    if cancel_open or status is OrdStatus.PENDING_CANCEL:
        return _conflict("cancel_pending")
    if _unsent(state, status, new_command_state, held_by_oms=held_by_oms):
        return Decision(Action.IN_PLACE)
    if new_command_state is CommandState.UNKNOWN and not state.cum_qty:
        return _conflict("unknown_outcome")
    if status is OrdStatus.PENDING_NEW:
        if new_command_state is CommandState.REFUSED:
            return _conflict("already_rejected")
        return _conflict("not_yet_acknowledged")
    if new_command_state is CommandState.SENDING and not state.cum_qty:
        return _conflict("not_yet_acknowledged")  # kept by us before, and on its way now
    if (replace_open or status is OrdStatus.PENDING_REPLACE) and not ability.pipelined_replaces:
        return _conflict("replace_pending")
    if status is OrdStatus.SUSPENDED and not ability.replace_suspended:
        return Decision(Action.REFUSE, "unsupported_by_venue", "unsupported_by_venue")
    if not state.may_amend:
        return Decision(Action.REFUSE, "too_many_amends", "too_many_amends")
    return _QUEUE


def replace_errors(state: OrderState, wanted: Terms) -> list[OrderFieldError]:
    """Rules of the new terms against the order itself (instrument rules are ``validity``'s)."""
    if wanted.order_qty < state.cum_qty:
        text = f"{dec_str(state.cum_qty)} is executed already; order_qty is the new total"
        return [OrderFieldError("order_qty", "below_cum_qty", text, (state.cum_qty,))]
    in_force = state.terms
    if wanted == in_force and wanted.order_qty == state.order_qty:
        return [OrderFieldError("order_qty", "no_change", "the order has these terms already")]
    return []


def is_stale_orig(state: OrderState, orig_cl_ord_id: str | None) -> bool:
    """Whether a replace names another id than the head of the chain (none named is fine)."""
    return orig_cl_ord_id is not None and orig_cl_ord_id != state.chain_head


def _unsent(
    state: Standing,
    status: OrdStatus,
    new_command_state: CommandState | None,
    *,
    held_by_oms: bool,
) -> bool:
    """No byte about this order has left: it can still be changed here alone."""
    if new_command_state is CommandState.QUEUED:
        return status in _NOT_TRADED and not state.cum_qty
    return (
        held_by_oms
        and new_command_state is None
        and status in {OrdStatus.NEW, OrdStatus.SUSPENDED}
        and not state.cum_qty
    )


def _ended_reason(state: Standing, status: OrdStatus) -> str | None:
    if status is OrdStatus.DONE_FOR_DAY and state.time_in_force in DAY_LIKE:
        return "done_for_day"
    return _ENDED.get(status)


def _conflict(reason: str) -> Decision:
    return Decision(Action.REFUSE, "state_conflict", reason)
