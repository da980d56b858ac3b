"""Ends unknown outcomes by evidence, and compares every account with its venue.

Silence is never evidence: an unknown command is looked up on a schedule; it is sent again only
where the venue refuses a second order under the same id, and called refused only when complete
look-ups after the venue's longest delay prove that it was never received.
"""

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from brokers.adapters.base import Lookup, VenueOrder
from brokers.adapters.capabilities import Dedup
from oms.gateway import messages, sender
from oms.gateway.clock import utcnow
from oms.services import evidence, protocol, reconciliation
from oms.services.protocol import Claimed
from oms.services.reports import Incoming, apply_reports
from trading.orders.ids import fingerprint
from trading.orders.reports import ExecutionReport
from trading.protocol import Step, next_step, overtaken, tells, took_effect
from trading.reconcile import Break
from trading.vocabulary import CommandKind, ExecType, ReportSource

if TYPE_CHECKING:
    from brokers.adapters.base import Broker
    from oms.gateway.session import Session

log = logging.getLogger("oms.gateway")
CLOCK_SLACK = timedelta(seconds=2)
CONFIRMATIONS = 2
CONFIRM_AFTER_S = 1.0


async def look_up_unknown(session: "Session") -> None:
    """One round over the unknown commands that are due."""
    await session.database.run(
        protocol.give_up_waiting,
        schema=session.schema,
        connection_id=session.connection_id,
        now=utcnow(),
    )
    due = await session.database.run(
        evidence.due_lookups,
        schema=session.schema,
        connection_id=session.connection_id,
        now=utcnow(),
    )
    for command in due:
        await _look_up(session, command)


async def _look_up(session: "Session", command: Claimed) -> None:
    broker = _broker(session)
    answer = await broker.lookup(command.account_code, command.venue_cl_ord_id, command.symbol)
    if answer.found is None and command.kind is CommandKind.REPLACE:
        # The new id is not known there; the order itself, under its old one, still tells.
        known_as = command.payload["orig_venue_cl_ord_id"]
        answer = await broker.lookup(command.account_code, known_as, command.symbol)
    decided = answer.found is not None and _tells(command, answer.found)
    await session.database.run(
        evidence.record_lookup,
        schema=session.schema,
        command_id=command.id,
        found=answer.found is not None
        and took_effect(
            command.kind, command.venue_cl_ord_id, found_as=answer.found.venue_cl_ord_id
        ),
        complete=answer.complete and _covers(answer, command),
        text=_described(answer),
        now=utcnow(),
    )
    if answer.found is not None:
        await _take_evidence(session, command, answer.found)
    if not decided:
        await _without_evidence(session, command)
    elif answer.found is not None and overtaken(
        command.kind,
        leaves_qty=answer.found.leaves_qty,
        valid_until=command.valid_until,
        quiet=_quiet(session),
        now=utcnow(),
    ):
        await session.database.run(
            evidence.refuse_as_overtaken,
            schema=session.schema,
            command_id=command.id,
            now=utcnow(),
        )


def _tells(command: Claimed, found: VenueOrder) -> bool:
    return tells(
        command.kind,
        command.venue_cl_ord_id,
        found_as=found.venue_cl_ord_id,
        leaves_qty=found.leaves_qty,
    )


def _quiet(session: "Session") -> timedelta:
    """How long after its last instant a command may still arrive and not be seen yet."""
    capabilities = _broker(session).capabilities
    return capabilities.accept_delay_max + capabilities.lookup_lag_max


def _covers(answer: Lookup, command: Claimed) -> bool:
    return answer.horizon is None or answer.horizon <= command.sending_at


def _described(answer: Lookup) -> str:
    if answer.found is None:
        return "not found" if answer.complete else "the answer was incomplete"
    return f"found: {answer.found.ord_status}, cum_qty {answer.found.cum_qty}"


async def _take_evidence(session: "Session", command: Claimed, found: VenueOrder) -> None:
    """Executions first, so that the status never runs ahead of the ledger."""
    broker = _broker(session)
    page = await broker.executions(
        command.account_code, command.sending_at - CLOCK_SLACK, (command.symbol,)
    )
    for raw in page.messages:
        await session.database.run(
            messages.take,
            schema=session.schema,
            account_code=command.account_code,
            raw=raw,
            parse=broker.parse,
            now=utcnow(),
        )
    await session.database.run(
        apply_reports,
        schema=session.schema,
        account_id=command.account_id,
        incoming=[Incoming(status_report(command.account_code, found), None)],
        actor=reconciliation.ACTOR,
        now=utcnow(),
    )


def status_report(account_code: str, found: VenueOrder) -> ExecutionReport:
    """A look-up's answer as the report the fold reads; the same answer has the same id."""
    return ExecutionReport(
        exec_type=ExecType.ORDER_STATUS,
        source=ReportSource.RECON,
        exec_id=fingerprint(
            account=account_code,
            order_id=found.order_id,
            venue_cl_ord_id=found.venue_cl_ord_id,
            ord_status=found.ord_status.value,
            order_qty=str(found.order_qty.normalize()),
            cum_qty=str(found.cum_qty.normalize()),
            price=None if found.price is None else str(found.price.normalize()),
        ),
        transact_time=utcnow(),
        venue_cl_ord_id=found.venue_cl_ord_id,
        order_id=found.order_id,
        ord_status=found.ord_status,
        order_qty=found.order_qty,
        price=found.price,
        time_in_force=found.time_in_force,
        cum_qty=found.cum_qty,
        leaves_qty=found.leaves_qty,
        text=found.text,
    )


async def _without_evidence(session: "Session", command: Claimed) -> None:
    """Nothing found, or nothing that decides: send again where that is harmless, or prove it."""
    quiet = _quiet(session)
    step = next_step(
        command.kind,
        dedup_is_full=_broker(session).capabilities.dedup is Dedup.FULL,
        valid_until=command.valid_until,
        quiet=quiet,
        now=utcnow(),
    )
    if step is Step.RESEND:
        again = await session.database.run(
            evidence.resend,
            schema=session.schema,
            command_id=command.id,
            epoch=session.epoch,
            now=utcnow(),
        )
        if again is not None:
            await sender.send(session, again)
            return
    if command.kind is CommandKind.CANCEL:
        return
    proven = await session.database.run(
        evidence.absence_proven,
        schema=session.schema,
        command_id=command.id,
        quiet=quiet,
        now=utcnow(),
    )
    if proven:
        await session.database.run(
            evidence.refuse_as_absent,
            schema=session.schema,
            command_id=command.id,
            now=utcnow(),
        )


async def reconcile(session: "Session") -> None:
    """Compare every account of the connection with the venue: orders, fills, positions, cash."""
    codes = await session.database.run(
        reconciliation.accounts_of, schema=session.schema, connection_id=session.connection_id
    )
    for code in codes:
        await _reconcile_account(session, code)


async def _reconcile_account(session: "Session", code: str) -> None:
    run, schema = session.database.run, session.schema
    books = await run(reconciliation.our_books, schema=schema, account_code=code, now=utcnow())
    venue = await _pages(_broker(session), books)
    findings = reconciliation.compare_orders(books=books, venue=venue, now=utcnow())
    if findings.reports:
        await run(
            reconciliation.fold_findings,
            schema=schema,
            books=books,
            findings=findings,
            now=utcnow(),
        )
    for order_pk in {*findings.lookups, *findings.executions_of}:
        await _ask_about(session, books, order_pk)
    held = await _lasting_breaks(session, books, venue)
    outcome = await run(
        reconciliation.conclude,
        schema=schema,
        books=books,
        complete=venue.complete,
        breaks=[*findings.breaks, *held],
        reports_applied=len(findings.reports),
        now=utcnow(),
    )
    if outcome.breaks_open:
        log.warning("%s %s: %s breaks are open", schema, code, outcome.breaks_open)


async def _lasting_breaks(
    session: "Session", books: reconciliation.Books, venue: reconciliation.VenueSide
) -> tuple[Break, ...]:
    """Differences in holdings that fresh pages confirm; a fill in between looks like one too."""
    compare = reconciliation.compare_holdings
    run, schema = session.database.run, session.schema
    breaks = await run(compare, schema=schema, books=books, venue=venue)
    for _ in range(CONFIRMATIONS):
        if not breaks:
            break
        await asyncio.sleep(CONFIRM_AFTER_S)
        fresh = await _pages(_broker(session), books)
        again = await run(compare, schema=schema, books=books, venue=fresh)
        breaks = reconciliation.persisting(breaks, again)
    return breaks


async def _pages(broker: "Broker", books: reconciliation.Books) -> reconciliation.VenueSide:
    code = books.account_code
    orders = await broker.open_orders(code)
    executions = await broker.executions(code, books.since, books.symbols)
    positions = await broker.positions(code)
    balances = await broker.balances(code)
    return reconciliation.VenueSide(
        orders=orders.orders,
        orders_complete=orders.complete,
        executions=[report for raw in executions.messages for report in broker.parse(raw)],
        executions_complete=executions.complete,
        positions={s: qty for (account, s), qty in positions.positions.items() if account == code},
        positions_complete=positions.complete,
        balances={c: sum_ for (account, c), sum_ in balances.balances.items() if account == code},
        balances_complete=balances.complete,
    )


async def _ask_about(session: "Session", books: reconciliation.Books, order_pk: str) -> None:
    """One of ours is not in the venue's list as we know it: ask for that order alone."""
    ours = next(item for item in books.ours if item.state.id == order_pk)
    answer = await _broker(session).lookup(
        books.account_code, ours.state.venue_cl_ord_id, ours.symbol
    )
    if answer.found is None:
        return  # no page proves an ending; its command's own recovery, or a person, decides
    await session.database.run(
        apply_reports,
        schema=session.schema,
        account_id=books.account_id,
        incoming=[Incoming(status_report(books.account_code, answer.found), None)],
        actor=reconciliation.ACTOR,
        now=utcnow(),
    )


def _broker(session: "Session") -> "Broker":
    assert session.broker is not None, "a session recovers only while it has a broker"
    return session.broker
