"""Our books against the venue's: differences become breaks, and breaks close by themselves."""

import asyncio
from decimal import Decimal
from functools import partial

import pytest
from django.db import connection, connections
from django.db.models import F

from brokers.adapters.paper.adapter import PaperBroker
from brokers.models import PaperAccount
from events.models import Event
from oms.models import Break, Execution, Order, ReconciliationRun
from tenants.binding import tenant_bound


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """A difference is confirmed after tenths of a second."""
    monkeypatch.setattr("oms.gateway.recovery.CONFIRM_AFTER_S", 0.1)


def tamper(desk, cash):
    """Let the venue's books say that the account opened with more cash."""
    with tenant_bound(desk.schema):
        rows = PaperAccount.objects.filter(account_id=desk.account_id)
        rows.update(opening_cash=F("opening_cash") + Decimal(cash))


def breaks(desk):
    return desk.rows(Break, account_id=desk.account_id)


def test_books_that_agree_have_no_break(gateway, alice, desk):
    alice.until_final(alice.placed("BUY", "10"))
    alice.until_final(alice.placed("SELL_SHORT", "30"))
    gateway.reconcile(desk)
    run = desk.rows(ReconciliationRun, account_id=desk.account_id)[-1]
    assert (run.complete, run.reports_applied, run.breaks_open) == (True, 0, 0)
    assert breaks(desk) == []


def test_a_difference_in_cash_opens_one_break_and_closes_when_it_is_gone(gateway, desk):
    tamper(desk, "5")
    gateway.reconcile(desk)
    gateway.reconcile(desk)
    (found,) = breaks(desk)
    assert (found.subject, found.closed_at) == ("USD", None)
    assert (found.ours, found.theirs) == ("10000000", "10000005")
    (told,) = desk.rows(Event, type="break.opened", subject=found.id)
    assert told.data["account"] == desk.code
    tamper(desk, "-5")
    gateway.reconcile(desk)
    (found,) = breaks(desk)
    assert found.closed_at is not None
    tamper(desk, "7")
    gateway.reconcile(desk)
    assert [row.closed_at is None for row in breaks(desk)] == [False, True]


def test_a_difference_in_a_position_opens_a_break_and_is_never_overwritten(gateway, alice, desk):
    alice.until_final(alice.placed("BUY", "10"))
    _venue_holds_more(desk, 1)
    gateway.reconcile(desk)
    assert {(row.subject, row.ours, row.theirs) for row in breaks(desk)} == {("SPX", "10", "11")}
    (position,) = alice.get(f"/positions?account={desk.code}").json["items"]
    assert position["qty"] == "10"
    _venue_holds_more(desk, -1)
    gateway.reconcile(desk)
    assert all(row.closed_at for row in breaks(desk))


def test_the_first_reconciliation_after_an_outage_finds_what_was_missed(
    gateway, market, alice, desk
):
    """Acknowledged, filled in part, told to nobody: all of it is in the venue's books."""
    order_id = alice.placed("BUY", "150", price="990.00", tif="GTC")
    alice.until_status(order_id, "NEW")
    gateway.stop()
    _let_venue_trade(desk, market)
    gateway.start()
    order = alice.order(order_id)
    assert (order["ord_status"], order["cum_qty"]) == ("PARTIALLY_FILLED", "100")
    (row,) = desk.rows(Execution, order_id=order_id)
    assert row.last_px == 990
    gateway.reconcile(desk)
    assert len(desk.rows(Execution, order_id=order_id)) == 1
    assert len(desk.rows(Order, account_id=desk.account_id)) == 1


def _venue_holds_more(desk, qty):
    """Change what the venue's newest trade moved; its own books refuse that, so go round them."""
    with tenant_bound(desk.schema), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE paper_execution DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE paper_execution SET qty_delta = qty_delta + %s"
            " WHERE account_id = %s AND exec_type = 'TRADE'",
            [qty, desk.account_id],
        )
        assert cursor.rowcount == 1
        cursor.execute("ALTER TABLE paper_execution ENABLE TRIGGER USER")


def _let_venue_trade(desk, market):
    """The venue lives on while nobody of ours listens."""

    def closing(work):
        try:
            return work()
        finally:
            connections.close_all()

    async def run_db(function, /, *args, **kwargs):
        return await asyncio.to_thread(closing, partial(function, *args, **kwargs))

    async def unheard(_account, _raw):
        return

    async def trade():
        broker = PaperBroker(
            schema=desk.schema,
            connection_id=desk.connection_id,
            quote_source=market,
            run_db=run_db,
        )
        broker.on_message = unheard
        await broker.connect()
        market.loop = asyncio.get_running_loop()
        market.show("989.00", "990.00")
        async with asyncio.timeout(5):
            while "TRADE" not in await run_db(desk.venue_words):  # noqa: ASYNC110 - rows wake nobody
                await asyncio.sleep(0.02)
        market.loop = None
        await broker.close()

    asyncio.run(trade())
