"""Writes the engine's reports and guards the order of its events."""

from trading.matching.events import Cancel, Replace
from trading.matching.state import WorkingOrder
from trading.matching.triggers import Trigger
from trading.matching.values import EndReason, Liquidity, Report
from trading.vocabulary import CxlRejReason, ExecType, OrdStatus, TimeInForce


class TimeReversed(ValueError):
    """An event is older than one already processed."""


class Reporter:
    """Collects the reports of one event; ``last_seq`` counts those of the whole run."""

    def __init__(self, *, last_at: int = 0, last_seq: int = 0) -> None:
        self.last_at = last_at
        self.last_seq = last_seq
        self._out: list[Report] = []

    def begin(self, at: int) -> None:
        """Start an event at ``at`` ns. :raises TimeReversed: if a later one was processed."""
        if at < self.last_at:
            raise TimeReversed(f"an event at {at} ns came after one at {self.last_at} ns")
        self.last_at = at
        self._out = []

    def end(self) -> list[Report]:
        """Return the event's reports."""
        reports, self._out = self._out, []
        return reports

    def order(
        self,
        order: WorkingOrder,
        exec_type: ExecType,
        *,
        status: OrdStatus | None = None,
        last_qty: int = 0,
        last_px: int = 0,
        liquidity: Liquidity | None = None,
        request_id: str | None = None,
        reason: EndReason | None = None,
        fired: Trigger | None = None,
    ) -> None:
        """Report on an order; a ``status`` given closes it, else it follows from the figures.

        ``fired`` is the trigger the order has just lost by firing.
        """
        self.last_seq += 1
        trigger = fired or order.trigger
        trail = None if trigger is None else trigger.trail
        self._out.append(
            Report(
                seq=self.last_seq,
                at=self.last_at,
                exec_type=exec_type,
                order_id=order.order_id,
                ord_status=status or working_status(order),
                order_qty=order.qty,
                price=order.price,
                time_in_force=order.time_in_force,
                cum_qty=order.cum_qty,
                leaves_qty=0 if status else order.leaves_qty,
                side=order.side,
                last_qty=last_qty,
                last_px=last_px,
                liquidity=liquidity,
                request_id=request_id,
                reason=reason,
                stop_px=None if trigger is None else trigger.stop_px,
                anchor_px=None if trail is None else trail.anchor,
            )
        )

    def refusal(
        self,
        request: Cancel | Replace,
        why: CxlRejReason,
        text: str,
        order: WorkingOrder | None = None,
    ) -> None:
        """Report that a cancel or replace is refused; without an order the figures are 0."""
        self.last_seq += 1
        self._out.append(
            Report(
                seq=self.last_seq,
                at=self.last_at,
                exec_type=ExecType.REQUEST_REFUSED,
                order_id=request.order_id,
                ord_status=working_status(order) if order else OrdStatus.REJECTED,
                order_qty=order.qty if order else 0,
                price=order.price if order else None,
                time_in_force=order.time_in_force if order else TimeInForce.DAY,
                cum_qty=order.cum_qty if order else 0,
                leaves_qty=order.leaves_qty if order else 0,
                side=order.side if order else None,
                request_id=request.request_id,
                cxl_rej_reason=why,
                text=text,
            )
        )


def working_status(order: WorkingOrder) -> OrdStatus:
    """The status an order that is not closed has by its figures.

    A peg without a price to follow is suspended until there is one.
    """
    if order.cum_qty >= order.qty:
        return OrdStatus.FILLED
    if order.peg is not None and order.price is None:
        return OrdStatus.SUSPENDED
    return OrdStatus.PARTIALLY_FILLED if order.cum_qty else OrdStatus.NEW
