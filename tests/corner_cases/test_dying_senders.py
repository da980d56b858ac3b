"""A sender that dies, stalls or loses its database: one order at the venue, whatever happened."""

import asyncio
import threading
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from brokers.adapters.base import Lookup, Rejected, Unknown
from brokers.adapters.capabilities import Dedup
from brokers.adapters.paper.adapter import PaperBroker
from brokers.models import BrokerConnection, GatewayLease
from brokers.services import acquire_lease
from oms.gateway import outcomes, sender
from oms.models import Command, OrderEvent
from oms.services import protocol
from tenants.binding import tenant_bound
from tests.journeys.cast import until, utcnow
from trading.vocabulary import CommandKind

LIMIT = {"price": "950.00", "tif": "GTC"}
KINDS = list(Dedup)


@pytest.fixture(params=KINDS, ids=[kind.value.lower() for kind in KINDS])
def dedup(request, monkeypatch) -> Dedup:
    """What the venue says of how long it refuses a client id it has seen."""
    capabilities = replace(PaperBroker.capabilities, dedup=request.param)
    monkeypatch.setattr(PaperBroker, "capabilities", capabilities)
    return request.param


@pytest.fixture
def last_words(monkeypatch):
    """The gateway's session ends where it sends: before the venue reads, or after it answered.

    Returns the function that sets it up; it answers with an event set when that point is reached.
    """

    def _last_words(*, venue_reads: bool) -> threading.Event:
        reached, submit = threading.Event(), PaperBroker.submit

        async def silent(_account: str, _raw: bytes) -> None:
            """What the venue reports reaches nobody any more."""

        async def dying(self, order):
            if venue_reads:
                self.on_message = silent
                await submit(self, order)
            reached.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(PaperBroker, "submit", dying)
        reached.undo = lambda: monkeypatch.setattr(PaperBroker, "submit", submit)
        return reached

    return _last_words


def command_of(desk, order_id) -> Command:
    (row,) = desk.rows(Command, order_id=order_id, kind="NEW")
    return row


@pytest.mark.parametrize("venue_reads", [False, True], ids=["not_read", "read"])
def test_row_15_killed_between_the_sending_commit_and_the_send_makes_no_second_order(
    idle_gateway, impatient, last_words, dedup, alice, desk, venue_reads
):
    death = last_words(venue_reads=venue_reads)
    idle_gateway.start()
    order_id = alice.placed("BUY", "10", **LIMIT)
    assert death.wait(10)
    idle_gateway.stop()
    assert command_of(desk, order_id).state == "SENDING"
    assert len(desk.at_venue()) == int(venue_reads)

    death.undo()
    idle_gateway.start()
    order = alice.until_status(order_id, "NEW", "REJECTED")
    command = command_of(desk, order_id)
    assert command.unknown_since is not None
    sent_again = dedup is Dedup.FULL and not venue_reads
    assert command.attempt == (2 if sent_again else 1)
    if venue_reads or sent_again:
        assert (order["ord_status"], command.state) == ("NEW", "ACKED")
        (at_venue,) = desk.at_venue()
        assert at_venue.venue_cl_ord_id == order_id
    else:
        assert (order["ord_status"], order["ord_rej_reason"]) == ("REJECTED", "NOT_RECEIVED")
        assert desk.at_venue() == []


def test_row_16_killed_before_the_sending_commit_is_sent_once(
    idle_gateway, monkeypatch, alice, desk
):
    reached, claim = threading.Event(), protocol.claim

    def dying(*args):
        claim(*args)
        reached.set()
        raise RuntimeError("killed before the commit")

    monkeypatch.setattr(protocol, "claim", dying)
    idle_gateway.start()
    order_id = alice.placed("BUY", "10", **LIMIT)
    assert reached.wait(10)
    idle_gateway.stop()
    command = command_of(desk, order_id)
    assert (command.state, command.attempt, command.sending_at) == ("QUEUED", 0, None)
    assert desk.at_venue() == []

    monkeypatch.setattr(protocol, "claim", claim)
    idle_gateway.start()
    alice.until_status(order_id, "NEW")
    command = command_of(desk, order_id)
    assert (command.state, command.attempt, command.unknown_since) == ("ACKED", 1, None)
    assert desk.venue_words() == ["NEW"]


@pytest.fixture
def stopped(desk):
    """A process that claimed the desk's next command 20 s ago and has been stopped since."""
    where = {"schema": desk.schema, "connection_id": desk.connection_id}
    lease = acquire_lease(**where, holder="stopped", now=utcnow())
    claimed = protocol.claim_next(
        **where, account_id=desk.account_id, epoch=lease.epoch, now=utcnow()
    )
    ago = timedelta(seconds=20)
    with tenant_bound(desk.schema):
        GatewayLease.objects.filter(pk=desk.connection_id).update(
            lease_until=lease.lease_until - ago
        )
        Command.objects.filter(pk=claimed.id).update(
            sending_at=claimed.sending_at - ago, valid_until=claimed.valid_until - ago
        )
    claimed = replace(
        claimed, sending_at=claimed.sending_at - ago, valid_until=claimed.valid_until - ago
    )
    return SimpleNamespace(claimed=claimed, epoch=lease.epoch, where=where)


@pytest.fixture
def a_waiting_order(market, alice):
    """The id of an order that no gateway has sent yet."""
    return alice.placed("BUY", "10", **LIMIT)


def test_row_17_a_sender_stopped_20_s_and_continued_writes_nothing_and_the_venue_refuses_it(
    a_waiting_order, stopped, idle_gateway, alice, desk
):
    idle_gateway.start()
    alice.until_status(a_waiting_order, "NEW")
    assert command_of(desk, a_waiting_order).epoch == stopped.epoch + 1
    before = [row.pk for row in desk.rows(OrderEvent, order_id=a_waiting_order)]

    # it goes on where it stood: past its deadline no byte leaves, and nothing is claimed any more
    class Wire:
        async def submit(self, _order):
            raise AssertionError("a byte left after the window")

    async def inline(function, **arguments):
        return await asyncio.to_thread(function, **arguments)

    late = SimpleNamespace(
        schema=desk.schema,
        broker=Wire(),
        database=SimpleNamespace(run=inline),
        epoch=stopped.epoch,
    )
    asyncio.run(sender.send(late, stopped.claimed))
    alice.placed("BUY", "1", id="later", **LIMIT)
    assert (
        protocol.claim_next(
            **stopped.where, account_id=desk.account_id, epoch=stopped.epoch, now=utcnow()
        )
        is None
    )
    assert [row.pk for row in desk.rows(OrderEvent, order_id=a_waiting_order)] == before
    assert command_of(desk, a_waiting_order).state == "ACKED"

    # bytes that were on the way all the time come too late for the venue
    request = replace(outcomes.request_of(stopped.claimed), venue_cl_ord_id="ON-THE-WAY")
    answer = in_the_gateway(idle_gateway, lambda broker: broker.submit(request))
    assert isinstance(answer, Rejected)
    assert "valid_until" in answer.text
    assert "ON-THE-WAY" not in {row.venue_cl_ord_id for row in desk.at_venue()}


def in_the_gateway(gateway, call):
    """What a call of the gateway's own session at the venue answers."""
    answer: Future = asyncio.run_coroutine_threadsafe(
        call(gateway.sessions[0].broker), gateway.market.loop
    )
    return answer.result(10)


def test_row_18_a_refusal_as_duplicate_of_our_own_id_links_the_order_that_is_there(
    gateway, impatient, fault, alice, desk
):
    fault("silent")
    fault("lose_ack")
    order_id = alice.placed("BUY", "10", **LIMIT)
    # no look-up helps, so it is sent again under its id, and the venue says that it has it
    alice.until(
        order_id, lambda _: "already has this id" in command_of(desk, order_id).outcome_text
    )
    assert alice.order(order_id)["ord_status"] == "PENDING_NEW"
    fault("silent", times=0)
    alice.until_status(order_id, "NEW")
    command = command_of(desk, order_id)
    assert (command.state, command.refused_by) == ("ACKED", None)
    assert command.attempt >= 2
    assert "REJECTED" not in alice.words(order_id)
    assert desk.venue_words() == ["NEW"]


def test_row_95_an_answer_whose_commit_failed_is_read_again_from_the_venue(
    gateway, disk, alice, desk
):
    disk.fill()
    order_id = alice.placed("BUY", "10")
    until(lambda: len(desk.at_venue()) == 1, "the venue has the order")
    until(lambda: connection_of(desk).state != "UP", "the session ends")
    shown = alice.order(order_id)
    assert (shown["ord_status"], shown["cum_qty"]) == ("PENDING_NEW", "0")
    assert [c["kind"] for c in shown["pending"]] == [CommandKind.NEW]
    assert alice.executions(order_id) == []

    disk.clear()
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "10")
    assert alice.executions(order_id) == [("10", "1000.5")]
    assert alice.words(order_id).count("TRADE") == 1
    assert len(desk.at_venue()) == 1
    assert command_of(desk, order_id).attempt == 1


def connection_of(desk) -> BrokerConnection:
    (row,) = desk.rows(BrokerConnection, pk=desk.connection_id)
    return row


@pytest.fixture
def ignores_our_ids(monkeypatch):
    """A venue that keeps no client id: what it shows of an order is what the order is.

    Returns the function that loses the answer, and every word, about the next order.
    """
    submit, open_orders = PaperBroker.submit, PaperBroker.open_orders
    capabilities = replace(
        PaperBroker.capabilities, dedup=Dedup.NONE, cancel_by_client_id=False, dedup_window=None
    )

    async def lookup(_self, *_named):
        return Lookup(None, complete=False)

    async def without_ids(self, account):
        page = await open_orders(self, account)
        shown = tuple(replace(one, venue_cl_ord_id=one.order_id) for one in page.orders)
        return replace(page, orders=shown)

    async def lost(self, order):
        hears, self.on_message = self.on_message, _nobody
        await submit(self, order)
        await asyncio.sleep(0.05)
        self.on_message = hears
        monkeypatch.setattr(PaperBroker, "submit", submit)
        return Unknown("the line dropped")

    monkeypatch.setattr(PaperBroker, "capabilities", capabilities)
    monkeypatch.setattr(PaperBroker, "lookup", lookup)
    monkeypatch.setattr(PaperBroker, "open_orders", without_ids)
    return lambda: monkeypatch.setattr(PaperBroker, "submit", lost)


async def _nobody(_account: str, _raw: bytes) -> None:
    """What the venue says reaches nobody."""


def test_row_20_of_two_equal_orders_the_unknown_one_is_linked_to_nothing_and_comes_to_the_desk(
    gateway, impatient, ignores_our_ids, alice, desk
):
    known = alice.placed("BUY", "10", **LIMIT)
    alice.until_status(known, "NEW")
    ignores_our_ids()
    unknown = alice.placed("BUY", "10", allow_duplicate=True, **LIMIT)
    alice.until_unknown(unknown)
    until(lambda: len(command_of(desk, unknown).evidence) >= 3, "it was looked up three times")
    gateway.reconcile(desk)
    order = alice.order(unknown)
    assert (order["ord_status"], order["order_id"], order["leaves_qty"]) == (
        "PENDING_NEW", None, "10",
    )  # fmt: skip
    command = command_of(desk, unknown)
    assert (command.state, command.attempt) == ("UNKNOWN", 1)
    assert not any(look["found"] for look in command.evidence)
    assert len(desk.at_venue()) == 2
    assert alice.order(known)["ord_status"] == "NEW"
    shown = alice.get(f"/breaks?account={desk.code}").json["items"]
    stranger = desk.at_venue()[1].order_id
    assert stranger in [row["subject"] for row in shown if row["kind"] == "EXTERNAL_ORDER"]
