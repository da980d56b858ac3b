"""What our side asks a venue, and what it concludes: look-ups, questions, reconciliation."""

from datetime import timedelta

from tests.reliability.desk import Command, Desk, Order
from tests.reliability.venue import NUMBERS, VenueOrder, at
from trading import protocol, reconcile
from trading.protocol import Look, Step
from trading.vocabulary import CommandKind, CommandState, CxlRejReason

ACCEPT_DELAY_MS = 600
LAG_MS = 400
QUIET = timedelta(milliseconds=ACCEPT_DELAY_MS + LAG_MS)


def look_up(desk: Desk, command: Command, *, complete: bool) -> Command | None:
    """One look-up of an unknown command; returns the command if it is to be sent again."""
    venue, now = command.order.venue, at(desk.clock.now)
    found = venue.look_up(command.venue_id) if complete else None
    if found is None and complete and command.kind is CommandKind.REPLACE:
        found = venue.look_up(command.orig_venue_id)
    leaves = NUMBERS[1]
    if found is not None:
        leaves = NUMBERS[max(found.qty - found.cum, 0) if found.works else 0]
    decided = found is not None and protocol.tells(
        command.kind, command.venue_id, found_as=found.head, leaves_qty=leaves
    )
    there = found is not None and protocol.took_effect(
        command.kind, command.venue_id, found_as=found.head
    )
    look = Look(now, there, complete)
    desk.commit("look", command, look)
    command.looks.append(look)
    wait = protocol.next_lookup(len(command.looks))
    command.next_look = desk.clock.now + wait // timedelta(milliseconds=1)
    if found is not None:
        take_evidence(desk, found, command.order)
    if command.state is not CommandState.UNKNOWN:
        return None
    assert command.valid_until is not None
    if decided:
        if protocol.overtaken(
            command.kind, leaves_qty=leaves, valid_until=command.valid_until, quiet=QUIET, now=now
        ):
            why = CxlRejReason.TOO_LATE
            desk.refuse(command, "overtaken", f"too-late:{command.cl_ord_id}", why)
        return None
    step = protocol.next_step(
        command.kind,
        dedup_is_full=venue.ways.dedup == "FULL",
        valid_until=command.valid_until,
        quiet=QUIET,
        now=now,
    )
    if step is Step.RESEND and protocol.may_resend(command.kind, command.attempt):
        return command
    if command.kind is CommandKind.CANCEL or step is Step.WAIT:
        return None
    if protocol.absence_proven(
        command.looks, valid_until=command.valid_until, quiet=QUIET, now=now
    ):
        desk.refuse(command, "absent", f"absent:{command.cl_ord_id}")
    return None


def take_evidence(desk: Desk, found: VenueOrder, order: Order) -> None:
    """Executions first, so that the status never runs ahead of the ledger."""
    for report in found.venue.executions:
        if report.order_id == found.order_id:
            desk.record(order, report)
    desk.record(order, found.venue.answer_for(found))


def answer_questions(desk: Desk) -> None:
    """What a report left open is asked: the order as the venue shows it."""
    for order in desk.orders:
        if order.question and order.venue.is_up:
            order.question = False
            found = order.venue.look_up(order.state.venue_cl_ord_id)
            if found is not None:
                take_evidence(desk, found, order)


def compare(desk: Desk, *, complete: bool, all_orders: bool = False) -> None:
    """Compare executions and open orders with the venues' pages; at a day's end all orders."""
    now = at(desk.clock.now)
    known = {exec_id for one in desk.orders for exec_id in one.state.ledger.entries}
    for venue in desk.venues:
        if not venue.is_up:
            continue
        sent = [one for one in desk.orders if one.venue is venue and one.commands[0].attempt]
        by_id = {one.id: one for one in sent}
        ours = [
            reconcile.OurOrder(one.state, "SPX", at(max(c.sending_at for c in one.commands)))
            for one in sent
        ]
        found = reconcile.diff_executions(
            account="A",
            ours=ours,
            known_exec_ids=known,
            theirs=venue.executions,
            complete=complete,
            since=at(0),
            now=now,
        )
        for order_id, report in found.reports:
            desk.record(by_id[order_id], report)
        for item in ours:
            order = by_id[item.state.id]
            listed = venue.look_up(order.state.venue_cl_ord_id)
            if listed is None or item.is_young(now):
                continue
            if all_orders or listed.works or not order.state.is_closed:
                desk.record(order, venue.answer_for(listed))
