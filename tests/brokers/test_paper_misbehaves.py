"""What each switch of the misbehaving venue does on the wire, and what its own books say then."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from brokers.adapters.base import Accepted, NotConnected, NotExecuted, Unknown, UnreadableMessage
from brokers.adapters.paper.adapter import PaperBroker
from brokers.models import COMMANDS_OF, MEANINGS, FaultSwitch, PaperFault
from trading.vocabulary import CxlRejReason, OrdStatus

TOUCH = ("BUY", "10", "100.00")


def figures(session, *exec_types):
    return [(r.exec_type.value, r.last_qty, r.last_px) for r in session.reports(*exec_types)]


async def bought(session, name="V1"):
    """An order of 10 filled at once."""
    session.market.show("99.99", "100.00")
    await session.submit(*TOUCH, name=name)


async def venue_says(session):
    """The position and the cash, as the venue has them."""
    held = await session.broker.positions(session.account)
    cash = await session.broker.balances(session.account)
    return (
        held.positions.get((session.account, "SPX"), Decimal(0)),
        cash.balances[(session.account, "USD")] - 1_000_000,
    )


async def all_fills(session):
    page = await session.broker.executions(
        session.account, session.market.now - timedelta(hours=1), ("SPX",)
    )
    return page, [r for raw in page.messages for r in PaperBroker.parse(raw)]


def test_every_switch_is_explained_and_names_its_commands():
    assert set(MEANINGS) == set(COMMANDS_OF) == set(FaultSwitch)


class TestFills:
    def test_a_fill_may_come_before_the_acknowledgement(self, desk):
        async def play():
            async with desk.session() as s:
                await bought(s)
                await s.until(lambda: s.words() == ["TRADE", "NEW"])

        desk.fault("fill_before_ack")
        asyncio.run(play())

    def test_messages_may_come_in_the_opposite_order(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.00", size=4)
                await s.submit(*TOUCH[:2], "100.00", "IOC")
                await s.until(lambda: s.words() == ["CANCELED", "TRADE", "NEW"])
                assert [r.venue_seq for r in s.reports()] == [3, 2, 1]

        desk.fault("out_of_order")
        asyncio.run(play())

    def test_a_lost_fill_is_found_by_asking(self, desk):
        async def play():
            async with desk.session() as s:
                await bought(s)
                await s.quiet()
                assert s.words() == ["NEW"]
                _, fills = await all_fills(s)
                assert [fill.last_qty for fill in fills] == [10]
                assert (await s.venue_order("V1")).ord_status is OrdStatus.FILLED

        desk.fault("lost_fill")
        asyncio.run(play())

    def test_an_overfill_is_booked_at_the_venue_too(self, desk):
        async def play():
            async with desk.session() as s:
                await bought(s)
                await s.until(lambda: len(s.reports("TRADE")) == 2)
                assert [r.cum_qty for r in s.reports("TRADE")] == [10, 15]
                found = await s.venue_order("V1")
                assert (found.cum_qty, found.leaves_qty) == (15, 0)
                assert (await venue_says(s))[0] == 15

        desk.fault("overfill")
        asyncio.run(play())

    def test_a_bust_takes_quantity_money_and_fee_back(self, desk):
        async def play():
            async with desk.session() as s:
                await bought(s)
                await s.until(lambda: s.reports("TRADE_CANCEL"))
                (trade,), (bust,) = s.reports("TRADE"), s.reports("TRADE_CANCEL")
                assert (bust.exec_ref_id, bust.last_qty) == (trade.exec_id, 10)
                found = await s.venue_order("V1")
                assert (found.ord_status, found.cum_qty) == (OrdStatus.CANCELED, 0)
                assert await venue_says(s) == (0, 0)
                _, fills = await all_fills(s)
                assert [r.exec_type.value for r in fills] == ["TRADE", "TRADE_CANCEL"]

        desk.fault("bust")
        asyncio.run(play())

    @pytest.mark.parametrize(
        ("switch", "qty", "px", "cash"),
        [("correct_price", 10, "100.01", "-1000.20"), ("correct_qty", 9, "100", "-900.10")],
    )
    def test_a_correction_gives_a_fill_other_figures(self, desk, switch, qty, px, cash):
        async def play():
            async with desk.session() as s:
                await bought(s)
                await s.until(lambda: s.reports("TRADE_CORRECT"))
                (trade,), (corrected,) = s.reports("TRADE"), s.reports("TRADE_CORRECT")
                assert corrected.exec_ref_id == trade.exec_id
                assert (corrected.last_qty, corrected.last_px) == (qty, Decimal(px))
                assert (await s.venue_order("V1")).cum_qty == qty
                assert await venue_says(s) == (qty, Decimal(cash))  # the fee of 0.10 stays

        desk.fault(switch)
        asyncio.run(play())

    def test_a_fill_may_be_told_under_an_older_ones_id(self, desk):
        async def play():
            async with desk.session() as s:
                await bought(s, "V1")
                await bought(s, "V2")
                await s.until(lambda: len(s.reports("TRADE")) == 2)
                first, second = s.reports("TRADE")
                assert first.exec_id == second.exec_id
                _, fills = await all_fills(s)
                assert len({fill.exec_id for fill in fills}) == 2

        desk.fault("same_exec_id")
        asyncio.run(play())

    def test_a_fill_may_follow_a_confirmed_cancel(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                await s.submit("BUY", "10", "99.00", name="V1")
                assert isinstance(await s.cancel("V1"), Accepted)
                await s.until(lambda: s.words() == ["NEW", "CANCELED", "TRADE"])
                found = await s.venue_order("V1")
                assert (found.ord_status, found.cum_qty) == (OrdStatus.CANCELED, 5)
                assert (await venue_says(s))[0] == 5

        desk.fault("fill_after_cancel")
        asyncio.run(play())


class TestAnswers:
    def test_an_error_after_the_order_was_taken(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                outcome = await s.submit("BUY", "10", "99.00", name="V1")
                assert isinstance(outcome, Unknown)
                assert "503" in outcome.text
                await s.until(lambda: s.words() == ["NEW"])

        desk.fault("error_after_accept")
        asyncio.run(play())

    def test_a_message_that_is_cut_off_cannot_be_read(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                await s.submit("BUY", "10", "99.00", name="V1")
                await s.until(lambda: s.raw)
                with pytest.raises(UnreadableMessage):
                    PaperBroker.parse(s.raw[0])

        desk.fault("garbled")
        asyncio.run(play())

    def test_too_many_requests_is_no_answer_about_the_order(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                busy = await s.submit("BUY", "10", "99.00", name="V1")
                assert isinstance(busy, NotExecuted)
                assert busy.retry_after == timedelta(milliseconds=250)
                assert await s.venue_order("V1") is None
                assert isinstance(await s.submit("BUY", "10", "99.00", name="V1"), Accepted)

        desk.fault("throttle", delay_ms=250)
        asyncio.run(play())

    def test_a_working_order_may_be_called_unknown(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                await s.submit("BUY", "10", "99.00", name="V1")
                refused = await s.cancel("V1")
                assert refused.reason is CxlRejReason.UNKNOWN_ORDER
                assert (await s.venue_order("V1")).ord_status is OrdStatus.NEW
                assert isinstance(await s.cancel("V1", "C2"), Accepted)

        desk.fault("cancel_refused_but_live")
        asyncio.run(play())

    @pytest.mark.parametrize(
        ("switch", "word"),
        [
            ("unsolicited_cancel", "CANCELED"),
            ("expire_early", "EXPIRED"),
            ("reject_after_new", "REJECTED"),
        ],
    )
    def test_the_venue_may_end_an_order_by_itself(self, desk, switch, word):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                await s.submit("BUY", "10", "99.00", name="V1")
                await s.until(lambda: s.words() == ["NEW", word])
                (ended,) = s.reports(word)
                assert (ended.cl_ord_id, ended.leaves_qty) == (None, 0)
                assert (await s.venue_order("V1")).ord_status.value == word
                assert (await s.broker.open_orders(s.account)).orders == ()

        desk.fault(switch)
        asyncio.run(play())

    def test_the_venue_may_give_an_order_other_terms(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                await s.submit("BUY", "10", "99.00", name="V1")
                await s.until(lambda: s.words() == ["NEW", "REPLACED"])
                (fewer,) = s.reports("REPLACED")
                assert (fewer.cl_ord_id, fewer.order_qty, fewer.leaves_qty) == (None, 5, 5)
                assert (await s.venue_order("V1")).order_qty == 5

        desk.fault("unsolicited_restate")
        asyncio.run(play())

    def test_a_word_nobody_knows_cannot_be_read(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                await s.submit("BUY", "10", "99.00", name="V1")
                await s.until(lambda: s.raw)
                with pytest.raises(UnreadableMessage, match="PONDERED"):
                    PaperBroker.parse(s.raw[0])

        desk.fault("unknown_enum")
        asyncio.run(play())

    def test_an_acknowledgement_may_repeat_another_order(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                await s.submit("BUY", "10", "99.00", "GTC", name="V1")
                await s.submit("SELL", "1", name="V2", ord_type="STOP", stop_px="95", tif="GTC")
                await s.until(lambda: len(s.raw) == 2)
                limit, stop = s.reports("NEW")
                assert limit.time_in_force.value == "DAY"
                assert stop.stop_px == Decimal("95.01")
                assert (await s.venue_order("V1")).time_in_force.value == "GTC"

        desk.fault("wrong_echo", times=2)
        asyncio.run(play())


class TestLine:
    def test_a_line_that_drops_takes_the_answer_with_it(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                first = asyncio.create_task(s.submit("BUY", "1", "99.00", name="V1"))
                second = asyncio.create_task(s.submit("BUY", "1", "99.00", name="V2"))
                assert isinstance(await first, Unknown)
                with pytest.raises(NotConnected):
                    await second
                assert "dropped" in await s.broker.wait_disconnected()
                assert s.raw == []
            async with desk.session() as s:
                assert await s.venue_order("V1") is not None
                assert await s.venue_order("V2") is None, "it was never read"

        desk.fault("disconnect")
        asyncio.run(play())

    def test_an_outage_lasts_until_it_is_over(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                await s.submit("BUY", "1", "99.00", name="V1")
                await desk.run_db(partial(desk.fault, "outage"))
                with pytest.raises(NotConnected):
                    await s.submit("BUY", "1", "99.00", name="V2")
                assert "maintenance" in await s.broker.wait_disconnected()
                assert (await s.broker.open_orders(s.account)).complete is False
            with pytest.raises(NotConnected, match="maintenance"):
                async with desk.session():
                    pass
            await desk.run_db(partial(desk.fault, "outage", times=0))
            async with desk.session() as s:
                assert [
                    o.venue_cl_ord_id for o in (await s.broker.open_orders(s.account)).orders
                ] == ["V1"]

        asyncio.run(play())


class TestQuestions:
    def test_the_first_look_up_may_find_nothing(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                await s.submit("BUY", "1", "99.00", name="V1")
                answers = [await s.broker.lookup(s.account, "V1", "SPX") for _ in range(2)]
                assert [answer.found is None for answer in answers] == [True, False]
                assert answers[0].complete, "it sounds as sure as the right answer"

        desk.fault("not_found_first")
        asyncio.run(play())

    def test_a_page_may_lack_its_end(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                for name in ("V1", "V2"):
                    await s.submit("BUY", "1", "99.00", name=name)
                page = await s.broker.open_orders(s.account)
                assert ([o.venue_cl_ord_id for o in page.orders], page.complete) == (["V1"], False)
                await bought(s, "V3")
                page, fills = await all_fills(s)
                assert (fills, page.complete) == ([], False)

        desk.fault("partial_page", times=2)
        asyncio.run(play())

    def test_a_list_of_fills_may_have_every_row_twice(self, desk):
        async def play():
            async with desk.session() as s:
                await bought(s)
                _, fills = await all_fills(s)
                assert len(fills) == 2
                assert fills[0] == fills[1]

        desk.fault("duplicate_rows")
        asyncio.run(play())

    def test_order_numbers_may_begin_again(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                await s.submit("BUY", "1", "99.00", name="WORKS")
                await bought(s, "DONE")
                await s.submit("BUY", "1", "99.00", name="AGAIN")
                numbers = [(await s.venue_order(n)).order_id for n in ("WORKS", "DONE", "AGAIN")]
                assert numbers[2] == numbers[1] != numbers[0], "only of orders that work no more"
                assert isinstance(await s.cancel("AGAIN"), Accepted)
                assert (await s.venue_order("DONE")).ord_status is OrdStatus.FILLED

        desk.fault("id_reset", skip=2)
        asyncio.run(play())


class TestAim:
    def test_a_switch_hits_the_account_and_the_instrument_it_names(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                safe = await s.submit("BUY", "1", "99.00")
                hit = await s.submit("BUY", "1", "99.00", account=desk.other)
                assert (type(safe), type(hit)) == (Accepted, Unknown)

        desk.fault("drop_before_read", times=9, account=desk.other)
        desk.fault("lose_ack", times=9, symbol="OTHER")
        asyncio.run(play())

    def test_the_nth_is_hit(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                kinds = [type(await s.submit("BUY", "1", "99.00")) for _ in range(4)]
                assert kinds == [Accepted, Accepted, Unknown, Accepted]

        desk.fault("drop_before_read", skip=2)
        asyncio.run(play())

    def test_one_in_so_many_is_hit_and_the_same_ones_in_every_run(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99.99", "100.01")
                kinds = [type(await s.submit("BUY", "1", "99.00")) for _ in range(30)]
                return [kind is Unknown for kind in kinds]

        runs = []
        for _ in range(2):
            desk.fault("drop_before_read", times=1000, one_in=3)
            runs.append(asyncio.run(play()))
            (row,) = desk.rows(PaperFault, venue_id=desk.connection_id)
            assert (row.seen, row.remaining) == (30, 1000 - sum(runs[-1]))
        assert runs[0] == runs[1]
        assert 3 <= sum(runs[0]) <= 20
