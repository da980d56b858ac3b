"""The paper venue outlives its process, and misbehaves exactly as often as it is told to."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from brokers.adapters.base import Accepted, NotConnected, Unknown
from brokers.models import PaperFault
from brokers.services import FaultNotApplicable
from trading.vocabulary import CxlRejReason, OrdRejReason, OrdStatus


class TestRestart:
    def test_working_orders_resume_with_their_figures_and_their_place_in_time(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.00", size=4)
                await s.submit("BUY", "10", "100.00", "GTC", name="PART")
                await s.submit("BUY", "10", "99.00", "GTC", name="FIRST")
                await s.submit("BUY", "10", "99.00", "GTC", name="SECOND", account=desk.other)
                await s.submit("BUY", "10", "98.00", "GTC", name="GONE")
                await s.cancel("GONE")
                await s.until(lambda: len(s.raw) == 6)
            async with desk.session() as s:
                orders = (await s.broker.open_orders(desk.account)).orders
                assert [(o.venue_cl_ord_id, o.cum_qty) for o in orders] == [
                    ("PART", 4),
                    ("FIRST", 0),
                ]
                desk.market.show("98.00", "98.50", size=20)
                await s.until(lambda: len(s.reports("TRADE")) == 3)
                told = [(r.venue_cl_ord_id, r.last_qty) for r in s.reports("TRADE")]
                assert sorted(told) == [("FIRST", 10), ("PART", 6), ("SECOND", 4)]
                again = await s.submit("BUY", "10", "98.00", "GTC", name="GONE")
                assert again.reason is OrdRejReason.DUPLICATE

        asyncio.run(play())

    def test_execution_ids_and_order_ids_never_come_twice(self, desk):
        async def play():
            seen = []
            for _ in range(3):
                async with desk.session() as s:
                    desk.market.show("99.99", "100.00")
                    await s.submit("BUY", "1", "100.00")
                    await s.until(lambda: len(s.raw) == 2)
                    seen += [(r.exec_id, r.venue_seq, r.order_id) for r in s.reports()]
            assert [seq for _, seq, _ in seen] == [1, 2, 3, 4, 5, 6]
            assert len({exec_id for exec_id, _, _ in seen}) == 6
            assert len({order_id for _, _, order_id in seen}) == 3

        asyncio.run(play())

    def test_day_orders_whose_day_ended_meanwhile_expire_before_any_price(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                await s.submit("BUY", "10", "99.00", "DAY", name="V1")
            desk.market.now = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
            desk.market.show("98.00", "98.50")
            async with desk.session() as s:
                await s.until(lambda: s.words() == ["EXPIRED"])
                found = (await s.broker.lookup(desk.account, "V1", "SPX")).found
                assert (found.ord_status, found.cum_qty) == (OrdStatus.EXPIRED, 0)

        asyncio.run(play())

    def test_a_second_log_on_shuts_the_first_one_out(self, desk):
        async def play():
            async with desk.session() as old:
                desk.market.show("99.99", "100.01")
                async with desk.session() as young:
                    outcome = await old.submit("BUY", "10", "99.00", name="OLD")
                    assert isinstance(outcome, Unknown)
                    assert "session" in await old.broker.wait_disconnected()
                    assert isinstance(await young.submit("BUY", "1", "99.00"), Accepted)
                    assert (await young.broker.lookup(desk.account, "OLD", "SPX")).found is None

        asyncio.run(play())

    def test_a_receiver_that_fails_ends_the_session_and_nothing_is_lost(self, desk):
        async def play():
            async with desk.session() as s:

                async def fail(account, raw):
                    raise ConnectionError("the database is away")

                s.broker.on_message = fail
                desk.market.show("99.99", "100.00")
                await s.submit("BUY", "1", "100.00")
                assert "was not taken" in await asyncio.wait_for(s.broker.wait_disconnected(), 2)
            async with desk.session() as s:
                page = await s.broker.executions(
                    desk.account, desk.market.now - timedelta(hours=1), ()
                )
                (trade,) = [r for raw in page.messages for r in s.broker.parse(raw)]
                assert (trade.last_qty, trade.last_px) == (1, 100)

        asyncio.run(play())

    def test_a_venue_that_cannot_be_reached_is_not_connected(self, desk):
        async def away(work):
            raise ConnectionError("no database")

        async def play():
            with pytest.raises(NotConnected, match="no database"):
                async with desk.session(run_db=away):
                    pass

        asyncio.run(play())

    def test_an_account_of_another_connection_is_no_evidence_here(self, desk):
        async def play():
            async with desk.session() as s:
                assert (await s.broker.lookup("NOBODY", "V1", "SPX")).complete is False
                assert (await s.broker.open_orders("NOBODY")).complete is False
                assert (await s.broker.positions("NOBODY")).complete is False

        asyncio.run(play())


class TestFaults:
    def test_lose_ack_takes_the_order_and_withholds_answer_and_first_messages(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.00", size=4)
                outcome = await s.submit("BUY", "10", "100.00", name="V1")
                assert isinstance(outcome, Unknown)
                await s.quiet()
                assert s.raw == []
                found = (await s.broker.lookup(desk.account, "V1", "SPX")).found
                assert (found.ord_status, found.cum_qty) == (OrdStatus.PARTIALLY_FILLED, 4)
                page = await s.broker.executions(desk.account, desk.market.now, ())
                assert len(page.messages) == 1
                desk.market.show("99.98", "99.99")
                await s.until(lambda: s.words() == ["TRADE"])
                again = await s.submit("BUY", "10", "100.00", name="V1")
                assert again.proves_existence
                assert isinstance(await s.submit("BUY", "1", "90.00"), Accepted), "only once"

        desk.fault("lose_ack")
        asyncio.run(play())

    def test_drop_before_read_leaves_no_trace(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                for _ in range(2):
                    assert isinstance(await s.submit("BUY", "10", "99.00", name="V1"), Unknown)
                lookup = await s.broker.lookup(desk.account, "V1", "SPX")
                assert (lookup.found, lookup.complete) == (None, True)
                third = await s.submit("BUY", "10", "99.00", name="V1")
                assert isinstance(third, Accepted)

        desk.fault("drop_before_read", times=2)
        asyncio.run(play())

    def test_cancel_lost_leaves_the_order_working(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                await s.submit("BUY", "10", "99.00", name="V1")
                assert isinstance(await s.cancel("V1", "C1"), Unknown)
                assert (await s.broker.lookup(desk.account, "V1", "SPX")).found.leaves_qty == 10
                assert isinstance(await s.cancel("V1", "C1"), Accepted)

        desk.fault("cancel_lost")
        asyncio.run(play())

    def test_a_cancel_can_be_carried_out_with_its_answer_lost(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                await s.submit("BUY", "10", "99.00", name="V1")
                assert isinstance(await s.cancel("V1", "C1"), Unknown)
                await s.quiet()
                assert s.words() == ["NEW"]
                found = (await s.broker.lookup(desk.account, "V1", "SPX")).found
                assert found.ord_status is OrdStatus.CANCELED
                again = await s.cancel("V1", "C1")
                assert again.reason is CxlRejReason.TOO_LATE

        desk.fault("lose_ack", command="CANCEL")
        asyncio.run(play())

    def test_a_replace_can_be_carried_out_with_its_answer_lost(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                await s.submit("BUY", "10", "99.00", name="V1")
                outcome = await s.replace("V1", "V1-01", "20", "99.00")
                assert isinstance(outcome, Unknown)
                found = (await s.broker.lookup(desk.account, "V1", "SPX")).found
                assert (found.venue_cl_ord_id, found.order_qty) == ("V1-01", 20)

        desk.fault("lose_ack", command="REPLACE")
        asyncio.run(play())

    def test_duplicate_fill_is_told_twice_and_booked_once(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.00")
                await s.submit("BUY", "10", "100.00")
                await s.until(lambda: len(s.raw) == 3)
                first, second = s.reports("TRADE")
                assert first == second
                held = await s.broker.positions(desk.account)
                assert held.positions == {(desk.account, "SPX"): Decimal(10)}

        desk.fault("duplicate_fill")
        asyncio.run(play())

    def test_delay_ack_holds_back_one_answer_but_not_the_others(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                began = time.monotonic()
                slow = asyncio.create_task(s.submit("BUY", "10", "99.00", name="SLOW"))
                await asyncio.sleep(0.05)
                assert isinstance(await s.submit("BUY", "10", "98.00", name="FAST"), Accepted)
                assert time.monotonic() - began < 0.35
                assert isinstance(await slow, Accepted)
                assert time.monotonic() - began >= 0.4
                await s.until(lambda: len(s.raw) == 2)
                assert [r.venue_cl_ord_id for r in s.reports()] == ["FAST", "SLOW"]

        desk.fault("delay_ack", delay_ms=400)
        asyncio.run(play())

    def test_closing_while_an_answer_is_late_makes_it_unknown(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                slow = asyncio.create_task(s.submit("BUY", "10", "99.00"))
                await asyncio.sleep(0.15)
            assert isinstance(await asyncio.wait_for(slow, 1), Unknown)

        desk.fault("delay_ack", delay_ms=30_000)
        asyncio.run(play())

    def test_setting_a_fault_again_replaces_it_and_zero_switches_it_off(self, desk):
        desk.fault("lose_ack", times=5)
        desk.fault("lose_ack", times=0)
        (fault,) = desk.rows(PaperFault, venue_id=desk.connection_id)
        assert fault.remaining == 0

    def test_a_switch_names_only_commands_it_concerns(self, desk):
        with pytest.raises(FaultNotApplicable):
            desk.fault("cancel_lost", command="NEW")
