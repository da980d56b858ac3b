"""Orders at the paper venue: what is answered, told and kept."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError

from brokers.adapters.base import (
    Accepted,
    NotConnected,
    Rejected,
    Unknown,
)
from brokers.models import PaperExecution, PaperOrder
from tenants.binding import tenant_bound
from trading.vocabulary import CxlRejReason, OrdRejReason, OrdStatus


def test_market_order_is_acknowledged_filled_and_charged(desk):
    async def play():
        async with desk.session() as s:
            desk.market.show("99.99", "100.00", size=6)
            outcome = await s.submit("BUY", "10", name="V1")
            assert isinstance(outcome, Accepted)
            await s.until(lambda: len(s.raw) == 3)
            new, first, second = s.reports()
            assert s.broker.parse(outcome.raw) == [new]
            assert (new.venue_cl_ord_id, new.order_id) == ("V1", outcome.order_id)
            assert (first.last_qty, first.last_px, first.fee) == (
                6,
                Decimal(100),
                Decimal("0.06"),
            )
            assert (second.last_qty, second.last_px) == (4, Decimal("100.01"))
            assert (second.ord_status, second.cum_qty, second.leaves_qty) == (
                OrdStatus.FILLED,
                10,
                0,
            )
            assert [r.venue_seq for r in s.reports()] == [1, 2, 3]
            assert len({r.exec_id for r in s.reports()}) == 3
            held = await s.broker.positions(desk.account)
            cash = await s.broker.balances(desk.account)
        assert held.positions == {(desk.account, "SPX"): 10}
        paid = Decimal("1000.04") + Decimal("0.06") + Decimal("0.04")
        assert cash.balances == {(desk.account, "USD"): Decimal(1_000_000) - paid}

    asyncio.run(play())


def test_resting_order_is_filled_by_the_market_in_parts_at_the_maker_fee(desk):
    async def play():
        async with desk.session() as s:
            desk.market.show("99.99", "100.01")
            await s.submit("BUY", "1000", "99.00", name="V1")
            desk.market.show("98.99", "99.00", size=400)
            await s.until(lambda: len(s.reports("TRADE")) == 1)
            desk.market.show("98.90", "98.91", size=5000)
            await s.until(lambda: len(s.reports("TRADE")) == 2)
            first, second = s.reports("TRADE")
            assert (first.last_qty, first.last_px, first.ord_status) == (
                400,
                99,
                OrdStatus.PARTIALLY_FILLED,
            )
            assert (second.last_qty, second.last_px, second.ord_status) == (
                600,
                99,
                OrdStatus.FILLED,
            )
            assert first.fee == Decimal("1.98"), "half a basis point of 39,600"
            assert first.liquidity == "MAKER"
            found = await s.broker.lookup(desk.account, "V1", "SPX")
            assert (found.found.cum_qty, found.found.leaves_qty) == (1000, 0)
            assert (await s.broker.open_orders(desk.account)).orders == ()

    asyncio.run(play())


def test_a_quote_that_fills_nothing_writes_nothing(desk):
    calls = []

    async def counting(work):
        calls.append(work)
        return await desk.run_db(work)

    async def play():
        async with desk.session(run_db=counting) as s:
            desk.market.show("99.99", "100.01")
            await s.submit("BUY", "10", "99.00")
            before = len(calls)
            for cents in range(20):
                desk.market.show("99.50", f"99.{60 + cents}")
                await asyncio.sleep(0)
            await s.quiet()
            assert len(calls) == before
            desk.market.show("98.00", "98.50")
            await s.until(lambda: s.reports("TRADE"))
            assert len(calls) == before + 1

    asyncio.run(play())


def test_a_fill_by_the_market_and_a_command_in_one_batch_number_their_messages_on(desk):
    async def play():
        async with desk.session() as s:
            desk.market.show("99.99", "100.01")
            await s.submit("BUY", "10", "99.00", name="V1")
            desk.market.show("98.00", "98.50")
            assert isinstance(await s.submit("BUY", "5", "97.00", name="V2"), Accepted)
            await s.until(lambda: len(s.raw) == 3)
            told = [(r.venue_seq, r.exec_type.value, r.venue_cl_ord_id) for r in s.reports()]
            assert told == [(1, "NEW", "V1"), (2, "TRADE", "V1"), (3, "NEW", "V2")]

    asyncio.run(play())


def test_the_same_id_is_taken_once_for_ever(desk):
    async def play():
        async with desk.session() as s:
            desk.market.show("99.99", "100.01")
            order = s.order("BUY", "10", "99.00", name="V1")
            assert isinstance(await s.broker.submit(order), Accepted)
            again = await s.broker.submit(order)
            assert again.proves_existence
            assert "DUPLICATE" in again.text
            await s.cancel("V1")
            closed_too = await s.broker.submit(order)
            assert closed_too.reason is OrdRejReason.DUPLICATE

    asyncio.run(play())
    assert len(desk.rows(PaperOrder, venue_id=desk.connection_id)) == 1


def test_the_same_id_sent_twice_in_one_batch_is_one_order(desk):
    async def play():
        async with desk.session() as s:
            desk.market.show("99.99", "100.01")
            order = s.order("BUY", "10", "99.00", name="V1")
            outcomes = await asyncio.gather(*(s.broker.submit(order) for _ in range(5)))
            assert sum(isinstance(o, Accepted) for o in outcomes) == 1
            assert sum(isinstance(o, Rejected) and o.proves_existence for o in outcomes) == 4

    asyncio.run(play())


def test_immediate_or_cancel_and_fill_or_kill(desk):
    async def play():
        async with desk.session() as s:
            desk.market.show("99.99", "100.00", size=10)
            await s.submit("BUY", "15", "100.00", "IOC")
            await s.until(lambda: len(s.raw) == 3)
            assert s.words() == ["NEW", "TRADE", "CANCELED"]
            assert s.reports()[-1].cum_qty == 10
            desk.market.show("99.99", "100.00", size=10)
            await s.submit("BUY", "11", "100.00", "FOK")
            await s.until(lambda: len(s.raw) == 5)
            assert s.words()[3:] == ["NEW", "CANCELED"]
            assert (s.reports()[-1].cum_qty, s.reports()[-1].leaves_qty) == (0, 0)

    asyncio.run(play())


@pytest.mark.parametrize("age_s", [None, 6])
def test_market_order_without_a_living_market_is_rejected(desk, age_s):
    async def play():
        async with desk.session() as s:
            if age_s is not None:
                desk.market.show("99.99", "100.01")
                desk.market.now += timedelta(seconds=age_s)
            outcome = await s.submit("BUY", "10", name="V1")
            assert outcome.reason is OrdRejReason.NO_LIQUIDITY
            await s.until(lambda: s.words() == ["REJECTED"])
            assert s.reports()[0].ord_rej_reason is OrdRejReason.NO_LIQUIDITY
            found = await s.broker.lookup(desk.account, "V1", "SPX")
            assert found.found.ord_status is OrdStatus.REJECTED

    asyncio.run(play())


def test_cancel_ends_the_order_and_a_second_one_is_too_late(desk):
    async def play():
        async with desk.session() as s:
            desk.market.show("99.99", "100.01")
            await s.submit("BUY", "10", "99.00", name="V1")
            assert isinstance(await s.cancel("V1", "C1"), Accepted)
            late = await s.cancel("V1", "C2")
            assert late.reason is CxlRejReason.TOO_LATE
            await s.until(lambda: len(s.raw) == 3)
            _, canceled, refused = s.reports()
            assert (canceled.cl_ord_id, canceled.ord_status) == ("C1", OrdStatus.CANCELED)
            assert (refused.cl_ord_id, refused.cxl_rej_reason) == ("C2", CxlRejReason.TOO_LATE)
            unknown = await s.cancel("V9", "C3")
            assert unknown.reason is CxlRejReason.UNKNOWN_ORDER

    asyncio.run(play())


def test_two_cancels_in_one_batch_end_one_order_once(desk):
    async def play():
        async with desk.session() as s:
            desk.market.show("99.99", "100.01")
            await s.submit("BUY", "10", "99.00", name="V1")
            first, second = await asyncio.gather(s.cancel("V1", "C1"), s.cancel("V1", "C2"))
            assert isinstance(first, Accepted)
            assert second.reason is CxlRejReason.TOO_LATE

    asyncio.run(play())


def test_replace_in_place_answers_to_old_and_new_id(desk):
    async def play():
        async with desk.session() as s:
            desk.market.show("99.99", "100.01")
            await s.submit("BUY", "10", "99.00", name="V1")
            outcome = await s.replace("V1", "V1-01", "20", "99.50")
            assert isinstance(outcome, Accepted)
            await s.until(lambda: len(s.raw) == 2)
            report = s.reports("REPLACED")[0]
            assert (report.cl_ord_id, report.venue_cl_ord_id) == ("R1", "V1-01")
            assert (report.order_qty, report.price) == (20, Decimal("99.5"))
            for name in ("V1", "V1-01"):
                found = (await s.broker.lookup(desk.account, name, "SPX")).found
                assert (found.venue_cl_ord_id, found.order_qty) == ("V1-01", 20)
            used = await s.replace("V1-01", "V1-01", "30", "99.50")
            assert used.reason is CxlRejReason.DUPLICATE_CL_ORD_ID
            desk.market.show("99.00", "99.50")
            await s.until(lambda: s.reports("TRADE"))
            assert s.reports("TRADE")[0].venue_cl_ord_id == "V1-01"

    asyncio.run(play())


def test_a_refused_replace_leaves_the_terms_and_its_id_free(desk):
    async def play():
        async with desk.session() as s:
            desk.market.show("99.99", "100.01")
            await s.submit("BUY", "10", "99.00", name="V1")
            off_tick = await s.replace("V1", "V1-01", "10", "99.005")
            assert (off_tick.reason, "tick" in off_tick.text) == (CxlRejReason.OTHER, True)
            immediate = await s.replace("V1", "V1-01", "10", "99.00", "IOC")
            assert immediate.reason is CxlRejReason.OTHER
            assert isinstance(await s.replace("V1", "V1-01", "9", None), Accepted)
            await s.until(lambda: len(s.raw) == 4)
            assert s.words() == ["NEW", "REQUEST_REFUSED", "REQUEST_REFUSED", "REPLACED"]

    asyncio.run(play())


def test_replace_below_what_is_filled_ends_the_order_filled(desk):
    async def play():
        async with desk.session() as s:
            desk.market.show("99.99", "100.00", size=4)
            await s.submit("BUY", "10", "100.00", name="V1")
            await s.replace("V1", "V1-01", "3", "100.00")
            await s.until(lambda: s.reports("REPLACED"))
            report = s.reports("REPLACED")[0]
            assert (report.order_qty, report.ord_status) == (4, OrdStatus.FILLED)
            assert (await s.broker.open_orders(desk.account)).orders == ()

    asyncio.run(play())


def test_day_orders_expire_at_midnight_and_gtc_orders_do_not(desk):
    async def play():
        desk.market.now = datetime(2026, 3, 2, 23, 59, 59, 800_000, tzinfo=UTC)
        async with desk.session() as s:
            desk.market.show("99.99", "100.01")
            await s.submit("BUY", "10", "99.00", "DAY", name="V1")
            await s.submit("BUY", "10", "99.00", "GTC", name="V2")
            desk.market.now = datetime(2026, 3, 3, 0, 0, 0, tzinfo=UTC)
            await s.until(lambda: s.reports("EXPIRED"))
            expired = s.reports("EXPIRED")[0]
            assert (expired.venue_cl_ord_id, expired.leaves_qty) == ("V1", 0)
            left = (await s.broker.open_orders(desk.account)).orders
            assert [order.venue_cl_ord_id for order in left] == ["V2"]

    asyncio.run(play())


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"qty": "1.5"}, "lot"),
        ({"price": "99.001"}, "tick"),
        ({"qty": "0"}, "positive"),
        ({"price": None, "tif": "GTC"}, "not traded"),
        ({"account": "NOBODY"}, "no account"),
        ({"valid_until": datetime(2026, 3, 2, 14, 59, tzinfo=UTC)}, "valid_until"),
    ],
)
def test_what_the_venue_does_not_take_leaves_no_trace(desk, terms, said):
    async def play():
        async with desk.session() as s:
            desk.market.show("99.99", "100.01")
            outcome = await s.submit(**({"price": "99.00"} | terms))
            assert isinstance(outcome, Rejected)
            assert said in outcome.text
            await s.quiet()
            assert s.raw == []

    asyncio.run(play())
    assert desk.rows(PaperOrder, venue_id=desk.connection_id) == []


def test_own_orders_never_trade_with_each_other(desk):
    async def play():
        async with desk.session() as s:
            desk.market.show("99.00", "101.00")
            await s.submit("SELL", "10", "100.00")
            await s.submit("BUY", "10", "100.00")
            await s.until(lambda: len(s.raw) == 3)
            assert s.words() == ["NEW", "NEW", "CANCELED"]
            assert s.reports()[-1].text == "self_match"

    asyncio.run(play())


def test_accounts_number_their_messages_apart(desk):
    async def play():
        async with desk.session() as s:
            desk.market.show("99.99", "100.01")
            await s.submit("BUY", "1", "99.00")
            await s.submit("BUY", "1", "99.00", account=desk.other)
            await s.submit("BUY", "1", "99.00", account=desk.other)
            await s.until(lambda: len(s.raw) == 3)
            assert sorted(r.exec_id for r in s.reports()) == sorted(
                [f"{desk.account}.1", f"{desk.other}.1", f"{desk.other}.2"]
            )
            assert len((await s.broker.open_orders(desk.other)).orders) == 2

    asyncio.run(play())


def test_nothing_is_sent_without_a_session(desk):
    async def play():
        async with desk.session() as s:
            broker, order = s.broker, s.order("BUY", "1", "99.00")
        with pytest.raises(NotConnected):
            await broker.submit(order)

    asyncio.run(play())


def test_a_failing_database_makes_the_outcome_unknown_and_ends_the_session(desk):
    broken = asyncio.Event()

    async def run_db(work):
        answer = await desk.run_db(work)
        if broken.is_set():
            raise ConnectionError("the answer to COMMIT was lost")
        return answer

    async def play():
        async with desk.session(run_db=run_db) as s:
            desk.market.show("99.99", "100.01")
            broken.set()
            outcome = await s.submit("BUY", "10", "99.00", name="V1")
            assert isinstance(outcome, Unknown)
            assert "COMMIT" in await asyncio.wait_for(s.broker.wait_disconnected(), 1)
            with pytest.raises(NotConnected):
                await s.submit("BUY", "10", "99.00")
        broken.clear()
        async with desk.session() as s:
            assert (await s.broker.lookup(desk.account, "V1", "SPX")).found is not None

    asyncio.run(play())


def test_the_journal_is_append_only(desk):
    async def play():
        async with desk.session() as s:
            desk.market.show("99.99", "100.01")
            await s.submit("BUY", "10", "99.00")

    asyncio.run(play())
    (row,) = desk.rows(PaperExecution, account__connection_id=desk.connection_id)
    row.raw = "{}"
    with pytest.raises(DatabaseError, match="append-only"), tenant_bound(desk.schema):
        row.save()
