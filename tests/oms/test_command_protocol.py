"""Claims under a lease, the send window, and what proves that a command never arrived."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import connections

from brokers.services import acquire_lease, free_leases_of
from oms.gateway import sender
from oms.models import Command, OrderVersion
from oms.services import evidence, protocol
from tenants.binding import tenant_bound
from tests.journeys.cast import utcnow
from trading.orders.reports import ExecutionReport
from trading.vocabulary import ExecType, ReportSource

LIMIT = {"price": "950.00", "tif": "GTC"}
QUIET = timedelta(seconds=1)


@pytest.fixture
def lease(desk):
    """A gateway's lease of the desk's connection, held from now."""
    return acquire_lease(
        schema=desk.schema, connection_id=desk.connection_id, holder="here", now=utcnow()
    )


@pytest.fixture
def claim(desk, lease):
    def _claim(*, later=timedelta(0), epoch=lease.epoch):
        return protocol.claim_next(
            schema=desk.schema,
            connection_id=desk.connection_id,
            account_id=desk.account_id,
            epoch=epoch,
            now=utcnow() + later,
        )

    return _claim


@pytest.fixture
def command_of(desk):
    def _command(order_id, kind="NEW"):
        (row,) = desk.rows(Command, order_id=order_id, kind=kind)
        return row

    return _command


def test_a_claim_is_committed_as_sending_under_the_epoch(market, alice, claim, lease, command_of):
    order_id = alice.placed(**LIMIT)
    claimed = claim()
    assert (claimed.order_pk, claimed.attempt) == (order_id, 1)
    command = command_of(order_id)
    assert (command.state, command.epoch) == ("SENDING", lease.epoch)
    assert command.valid_until - command.sending_at == protocol.SEND_WINDOW
    assert claim() is None


def test_without_a_lease_that_lasts_nothing_is_claimed(market, alice, desk, claim, lease):
    alice.placed(**LIMIT)
    assert claim(later=timedelta(seconds=8.5)) is None  # less than two seconds are left of it
    assert claim(later=timedelta(minutes=1)) is None
    free_leases_of(schema=desk.schema, holder="here", now=utcnow())
    assert claim() is None
    successor = acquire_lease(
        schema=desk.schema, connection_id=desk.connection_id, holder="there", now=utcnow()
    )
    assert claim(epoch=lease.epoch) is None
    assert claim(epoch=successor.epoch) is not None


def test_cancels_go_before_new_orders_and_after_their_own(market, alice, claim, command_of):
    first = alice.placed(**LIMIT)
    claimed = claim()
    assert claimed.order_pk == first
    second = alice.placed(qty="11", **LIMIT)
    assert alice.cancel(first).status == 202
    # its own NEW is on the wire: the cancel waits, the other order does not
    assert claim().order_pk == second
    assert claim() is None


def test_a_successor_calls_unknown_what_it_finds_sending(
    market, alice, desk, claim, lease, command_of
):
    order_id = alice.placed(**LIMIT)
    claim()
    assert _take_over(desk, lease.epoch) == 0
    assert command_of(order_id).state == "SENDING"
    assert _take_over(desk, lease.epoch + 1) == 1
    command = command_of(order_id)
    assert command.state == "UNKNOWN"
    assert command.next_lookup_at is not None
    assert alice.order(order_id)["ord_status"] == "PENDING_NEW"


def test_what_provably_did_not_leave_waits_its_turn_again(market, alice, desk, claim, command_of):
    order_id = alice.placed(**LIMIT)
    claimed = claim()
    protocol.put_back(
        schema=desk.schema,
        command_id=claimed.id,
        delay=timedelta(seconds=5),
        reason="not connected",
        now=utcnow(),
    )
    assert command_of(order_id).state == "QUEUED"
    assert claim() is None
    assert claim(later=timedelta(seconds=6)).attempt == 2


def test_what_was_unknown_before_stays_unknown_though_this_attempt_did_not_leave(
    market, alice, desk, claim, lease, command_of
):
    order_id = alice.placed(**LIMIT)
    command = {"schema": desk.schema, "command_id": claim().id, "now": utcnow()}
    protocol.record_unknown(**command, text="silence")
    assert evidence.resend(**command, epoch=lease.epoch) is not None
    protocol.put_back(**command, delay=timedelta(seconds=5), reason="not connected")
    assert command_of(order_id).state == "UNKNOWN"
    assert alice.order(order_id)["pending"][0]["state"] == "UNKNOWN"


def test_a_replace_that_never_left_its_ended_order_leaves_no_version_waiting(
    market, alice, desk, claim
):
    order_id = alice.placed(**LIMIT)
    sent = claim()
    protocol.record_outcome(
        schema=desk.schema, command_id=sent.id, report=said(ExecType.NEW, order_id), now=utcnow()
    )
    assert alice.replace(order_id, price="951.00").status == 202
    protocol.record_outcome(
        schema=desk.schema,
        command_id=sent.id,
        report=said(ExecType.CANCELED, order_id),
        now=utcnow(),
    )
    first, second = desk.rows(OrderVersion, order_id=order_id)
    assert (first.state, second.state) == ("ACCEPTED", "REJECTED")


def said(exec_type, order_id):
    """The venue's word on an order."""
    return ExecutionReport(
        exec_type=exec_type,
        source=ReportSource.VENUE,
        exec_id=exec_type.value,
        transact_time=utcnow(),
        venue_cl_ord_id=order_id,
        order_id="V1",
    )


def test_a_sender_that_comes_too_late_writes_nothing(market, alice, desk, claim, command_of):
    """Stopped for longer than its window, then continued: no byte, and the outcome is unknown."""

    async def run(function, **arguments):
        return await asyncio.to_thread(_closing, function, arguments)

    class Wire:
        async def submit(self, _order):
            raise AssertionError("a byte left after the window")

    order_id = alice.placed(**LIMIT)
    claimed = claim()
    late = SimpleNamespace(
        schema=desk.schema, broker=Wire(), database=SimpleNamespace(run=run), epoch=1
    )
    asyncio.run(sender.send(late, replace(claimed, valid_until=utcnow())))
    assert command_of(order_id).state == "UNKNOWN"
    assert "window" in command_of(order_id).outcome_text


def test_a_request_nobody_answers_is_unknown_after_ten_seconds(
    market, alice, desk, claim, command_of
):
    order_id = alice.placed(**LIMIT)
    claim()
    for seconds, state in ((9, "SENDING"), (11, "UNKNOWN")):
        protocol.give_up_waiting(
            schema=desk.schema,
            connection_id=desk.connection_id,
            now=utcnow() + timedelta(seconds=seconds),
        )
        assert command_of(order_id).state == state


def test_look_ups_follow_the_schedule_and_are_kept(market, alice, desk, claim, command_of):
    order_id = alice.placed(**LIMIT)
    claimed = claim()
    at = utcnow()
    protocol.record_unknown(schema=desk.schema, command_id=claimed.id, text="silence", now=at)
    waits = []
    for _ in range(8):
        command = command_of(order_id)
        waits.append((command.next_lookup_at - at).total_seconds())
        at = command.next_lookup_at
        look_up(desk, claimed.id, at, found=False, complete=True)
    assert waits == [0.5, 1, 2, 5, 10, 30, 60, 60]
    assert len(command_of(order_id).evidence) == 8


def test_an_unknown_command_is_sent_again_three_times_at_most(
    market, alice, desk, claim, lease, command_of
):
    order_id = alice.placed(**LIMIT)
    claimed = claim()
    attempts = []
    for _ in range(4):
        protocol.record_unknown(
            schema=desk.schema, command_id=claimed.id, text="silence", now=utcnow()
        )
        again = evidence.resend(
            schema=desk.schema, command_id=claimed.id, epoch=lease.epoch, now=utcnow()
        )
        attempts.append(again and (again.attempt, again.venue_cl_ord_id))
    assert attempts == [(2, order_id), (3, order_id), None, None]
    assert command_of(order_id).state == "UNKNOWN"


SENT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
WINDOW_ENDS = SENT + timedelta(seconds=5)
PROVABLE = WINDOW_ENDS + QUIET


def after(seconds: float) -> datetime:
    return PROVABLE + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("rows", "asked_at", "proven"),
    [
        ([], after(60), False),
        ([(after(0.5), False, True)], after(60), False),
        ([(after(0.5), False, True), (after(2.6), False, True)], after(3), True),
        ([(after(0.5), False, True), (after(2.4), False, True)], after(3), False),
        ([(after(-4), False, True), (after(0.1), False, True)], after(1), True),
        ([(after(-4), False, True), (after(-1), False, True)], after(60), False),
        ([(after(-4), False, True), (after(-1), False, True)], after(-0.5), False),
        ([(after(0.5), False, False), (after(3), False, True)], after(4), False),
        ([(after(0.5), False, True), (after(3), False, False)], after(4), False),
        ([(after(0.5), True, True), (after(3), False, True)], after(4), False),
        ([(after(0.5), False, True), (after(3), False, True), (after(4), True, True)], after(5),
         False),
    ],
    ids=[
        "silence alone", "one look", "two looks two seconds apart", "too close together",
        "one before, one after the quiet time", "both before the quiet time", "asked too early",
        "the first incomplete", "the second incomplete", "found at first", "found at last",
    ],
)  # fmt: skip
def test_what_proves_absence(market, alice, desk, claim, rows, asked_at, proven):
    alice.placed(**LIMIT)
    claimed = claim()
    protocol.record_unknown(schema=desk.schema, command_id=claimed.id, text="x", now=utcnow())
    with tenant_bound(desk.schema):
        Command.objects.filter(pk=claimed.id).update(sending_at=SENT, valid_until=WINDOW_ENDS)
    for at, found, complete in rows:
        look_up(desk, claimed.id, at, found=found, complete=complete)
    assert proven is evidence.absence_proven(
        schema=desk.schema, command_id=claimed.id, quiet=QUIET, now=asked_at
    )


def look_up(desk, command_id, at, *, found, complete):
    evidence.record_lookup(
        schema=desk.schema,
        command_id=command_id,
        found=found,
        complete=complete,
        text="",
        now=at,
    )


def _take_over(desk, epoch):
    return protocol.take_over(
        schema=desk.schema, connection_id=desk.connection_id, epoch=epoch, now=utcnow()
    )


def _closing(function, arguments):
    try:
        return function(**arguments)
    finally:
        connections.close_all()
