"""Every order type, instruction and time in force, held by the paper venue itself."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from brokers.adapters.base import Accepted, Rejected
from brokers.adapters.paper.adapter import PlainPaperBroker
from brokers.adapters.paper.capabilities import PAPER, PAPER_PLAIN
from trading.orders.validity import TIME_IN_FORCE_BY_TYPE
from trading.vocabulary import (
    CxlRejReason,
    OrdRejReason,
    OrdStatus,
    OrdType,
    PegPriceType,
    TimeInForce,
    TrailType,
    TriggerPriceType,
)

PERCENT = {"trail_offset": "5", "trail_type": TrailType.PERCENT}
BY_PRICE = {"trail_offset": "2", "trail_type": TrailType.PRICE}
TERMS = {
    OrdType.MARKET: {},
    OrdType.LIMIT: {"price": "90"},
    OrdType.STOP: {"stop_px": "110"},
    OrdType.STOP_LIMIT: {"stop_px": "110", "price": "111"},
    OrdType.MARKET_IF_TOUCHED: {"stop_px": "90"},
    OrdType.LIMIT_IF_TOUCHED: {"stop_px": "90", "price": "89"},
    OrdType.TRAILING_STOP: PERCENT,
    OrdType.TRAILING_STOP_LIMIT: {**BY_PRICE, "limit_offset": "0"},
    OrdType.MARKET_TO_LIMIT: {},
    OrdType.PEGGED: {"price": "105", "peg_price_type": PegPriceType.PRIMARY},
}
PAIRS = [(kind, tif) for kind, times in PAPER.time_in_force.items() for tif in sorted(times)]


def told(session, *exec_types):
    return [(r.exec_type.value, r.venue_cl_ord_id) for r in session.reports(*exec_types)]


def terms_of(market, ord_type, tif):
    terms = dict(TERMS[ord_type])
    if tif is TimeInForce.GTD:
        terms["expire_time"] = market.now + timedelta(hours=1)
    return {"ord_type": ord_type, "tif": tif, **terms}


@pytest.mark.parametrize(("ord_type", "tif"), PAIRS, ids=lambda word: word.value)
def test_every_declared_pair_is_taken_and_echoed_as_asked(desk, ord_type, tif):
    async def play():
        async with desk.session() as s:
            desk.market.show("99.99", "100.01")
            terms = terms_of(desk.market, ord_type, tif)
            assert isinstance(await s.submit(name="V1", **terms), Accepted)
            await s.until(lambda: s.raw)
            (new,) = s.reports("NEW")
            asked = s.order(**terms)
            for term in ("stop_px", "trail_offset", "limit_offset", "expire_time"):
                assert getattr(new, term) == getattr(asked, term)
            assert new.time_in_force is tif
            found = await s.venue_order("V1")
            assert (found.ord_type, found.time_in_force) == (ord_type, tif)
            assert found.stop_px == asked.stop_px

    asyncio.run(play())


@pytest.mark.parametrize("ord_type", OrdType)
def test_what_is_declared_is_what_the_type_allows(ord_type):
    auctions = {TimeInForce.OPG, TimeInForce.CLS}
    assert PAPER.time_in_force[ord_type] == set(TIME_IN_FORCE_BY_TYPE[ord_type]) - auctions


@pytest.mark.parametrize(("ord_type", "tif"), PAIRS, ids=lambda word: word.value)
def test_the_plain_venue_refuses_what_it_does_not_declare(desk, ord_type, tif):
    async def play():
        async with desk.session(kind=PlainPaperBroker) as s:
            desk.market.show("99.99", "100.01")
            outcome = await s.submit(name="V1", **terms_of(desk.market, ord_type, tif))
            if PAPER_PLAIN.takes(ord_type, tif):
                assert isinstance(outcome, Accepted)
            else:
                assert isinstance(outcome, Rejected)
                assert "not traded here" in outcome.text
                assert await s.venue_order("V1") is None

    asyncio.run(play())


class TestStops:
    def test_a_stop_fires_and_takes_what_the_market_has(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("100", "101")
                await s.submit("SELL", "5", name="V1", ord_type="STOP", stop_px="95", tif="GTC")
                desk.market.show("96", "97")
                assert not (await s.venue_order("V1")).working_indicator
                desk.market.show("90", "91")  # row 51: it gaps over the stop
                await s.until(lambda: s.reports("TRADE"))
                assert s.words() == ["NEW", "TRIGGERED", "TRADE"]
                (fill,) = s.reports("TRADE")
                assert (fill.last_qty, fill.last_px) == (5, 90)

        asyncio.run(play())

    def test_a_stop_limit_that_is_gapped_over_rests_at_its_price(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("100", "101")
                terms = {"ord_type": "STOP_LIMIT", "stop_px": "95", "price": "94", "tif": "GTC"}
                await s.submit("SELL", "5", name="V1", **terms)
                desk.market.show("90", "91")
                await s.until(lambda: s.reports("TRIGGERED"))
                found = await s.venue_order("V1")
                assert (found.price, found.cum_qty, found.working_indicator) == (94, 0, True)
                desk.market.show("94.50", "95")
                await s.until(lambda: s.reports("TRADE"))

        asyncio.run(play())

    def test_a_stop_on_the_wrong_side_is_refused(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("100", "101")
                wrong = await s.submit("SELL", "5", ord_type="STOP", stop_px="101", tif="GTC")
                assert (wrong.reason, wrong.text) == (
                    OrdRejReason.OTHER,
                    "would_trigger_immediately",
                )

        asyncio.run(play())

    def test_which_price_triggers_is_the_orders_choice(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("100", "101")
                terms = {"ord_type": "STOP", "stop_px": "95", "tif": "GTC"}
                await s.submit("SELL", "1", name="LAST", **terms)
                by_bid = {"trigger_price_type": TriggerPriceType.BID_ASK}
                await s.submit("SELL", "1", name="BID", **terms, **by_bid)
                desk.market.show("95", "99", last="98")
                await s.until(lambda: s.reports("TRADE"))
                desk.market.show("96", "99", last="95")
                await s.until(lambda: len(s.reports("TRADE")) == 2)
                assert [name for _, name in told(s, "TRIGGERED")] == ["BID", "LAST"]

        asyncio.run(play())

    def test_no_price_is_no_trigger(self, desk):
        """Quotes older than five seconds are no market: nothing fires, nothing is guessed."""

        async def play():
            async with desk.session() as s:
                desk.market.show("100", "101")
                await s.submit("SELL", "5", name="V1", ord_type="STOP", stop_px="95", tif="GTC")
                desk.market.now += timedelta(seconds=6)
                await s.submit("SELL", "1", "99", name="OTHER", tif="GTC")
                desk.market.show("96", "97")
                await s.quiet()
                assert s.words() == ["NEW", "NEW"]

        asyncio.run(play())


class TestTrails:
    def test_row_55_the_stop_follows_and_fires(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("100", "101")
                await s.submit(
                    "SELL", "5", name="V1", ord_type="TRAILING_STOP", tif="GTC", **PERCENT
                )
                for price in ("120", "118"):
                    desk.market.show(price, "121", after_ms=1500)
                    await s.quiet()
                desk.market.show("114", "115", after_ms=1500)
                await s.until(lambda: s.reports("TRADE"))
                stops = [(r.stop_px, r.anchor_px) for r in s.reports("RESTATED", "TRIGGERED")]
                assert stops == [(95, 100), (114, 120), (114, 120)]
                assert s.reports("TRADE")[0].last_px == 114

        asyncio.run(play())

    def test_row_57_a_restart_goes_on_from_the_stop_last_told(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("100", "101")
                await s.submit(
                    "SELL", "5", name="V1", ord_type="TRAILING_STOP", tif="GTC", **BY_PRICE
                )
                desk.market.show("110", "111", after_ms=1500)
                await s.until(lambda: len(s.reports("RESTATED")) == 2)
            desk.market.show("130", "131", after_ms=1500)  # nobody is there to see it
            desk.market.show("109", "111", after_ms=1500)
            async with desk.session() as s:
                desk.market.show("109", "111")
                await s.quiet()
                assert s.raw == []
                desk.market.show("108", "111")
                await s.until(lambda: s.reports("TRADE"))
                (fired,) = s.reports("TRIGGERED")
                assert (fired.stop_px, fired.anchor_px) == (108, 110)

        asyncio.run(play())

    def test_a_trailing_limit_gets_its_price_when_it_fires(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("100", "101")
                terms = {"ord_type": "TRAILING_STOP_LIMIT", "limit_offset": "1", "tif": "GTC"}
                await s.submit("SELL", "5", name="V1", **terms, **BY_PRICE)
                desk.market.show("90", "91")
                await s.until(lambda: s.reports("TRIGGERED"))
                assert s.reports("TRIGGERED")[0].price == 97
                assert (await s.venue_order("V1")).price == 97

        asyncio.run(play())

    def test_a_moved_stop_is_told_although_the_market_falls_silent(self, desk):
        """It moved within a second of the last word, so the venue speaks when that is over."""

        async def play():
            async with desk.session() as s:
                desk.market.show("100", "101")
                await s.submit(
                    "SELL", "5", name="V1", ord_type="TRAILING_STOP", tif="GTC", **BY_PRICE
                )
                desk.market.show("103", "104")
                await s.quiet()
                assert [r.stop_px for r in s.reports("RESTATED")] == [98]
                desk.market.now += timedelta(seconds=1)
                await s.until(lambda: [r.stop_px for r in s.reports("RESTATED")] == [98, 101])

        asyncio.run(play())

    def test_row_58_a_tighter_offset_that_would_fire_is_refused(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("100", "101")
                terms = {"ord_type": "TRAILING_STOP", "trail_type": TrailType.PRICE}
                await s.submit("SELL", "5", name="V1", tif="GTC", trail_offset="5", **terms)
                desk.market.show("97", "98")
                refused = await s.replace("V1", "V1-01", "5", None, "GTC", trail_offset="2")
                assert (refused.reason, refused.text) == (
                    CxlRejReason.OTHER,
                    "would_trigger_immediately",
                )
                taken = await s.replace("V1", "V1-02", "5", None, "GTC", trail_offset="4")
                assert isinstance(taken, Accepted)
                await s.until(lambda: s.reports("REPLACED"))
                assert s.reports("REPLACED")[0].trail_offset == 4
                desk.market.show("96", "98")
                await s.until(lambda: s.reports("TRADE"))

        asyncio.run(play())


class TestPegs:
    def test_a_peg_follows_and_waits_while_there_is_nothing_to_follow(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("100", "102")
                terms = {"peg_price_type": PegPriceType.PRIMARY, "peg_offset": 1, "tif": "GTC"}
                await s.submit("BUY", "5", "105", name="V1", ord_type="PEGGED", **terms)
                desk.market.show("101", "103")
                await s.until(lambda: s.reports("RESTATED"))
                (moved,) = s.reports("RESTATED")
                assert (moved.price, moved.text) == (105, "repriced to 101.01")
                desk.market.show("101", "103", size=0)
                await s.until(lambda: s.reports("SUSPENDED"))
                assert (await s.venue_order("V1")).ord_status is OrdStatus.SUSPENDED
                desk.market.show("101", "101.01")
                await s.until(lambda: s.reports("TRADE"))
                assert (await s.venue_order("V1")).ord_status is OrdStatus.FILLED

        asyncio.run(play())

    def test_a_restart_leaves_it_where_it_was(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("100", "102")
                terms = {"peg_price_type": PegPriceType.MARKET, "peg_offset": -100, "tif": "GTC"}
                await s.submit("BUY", "5", "105", name="V1", ord_type="PEGGED", **terms)
            async with desk.session() as s:
                desk.market.show("100", "102")
                await s.quiet()
                assert s.raw == []
                desk.market.show("100", "103")
                await s.until(lambda: s.reports("RESTATED"))
                assert s.reports("RESTATED")[0].text == "repriced to 102"

        asyncio.run(play())


class TestInstructions:
    def test_market_to_limit_rests_at_the_price_it_paid(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99", "100", size=3)
                await s.submit("BUY", "10", name="V1", ord_type="MARKET_TO_LIMIT")
                await s.until(lambda: s.reports("RESTATED"))
                assert s.words() == ["NEW", "TRADE", "RESTATED"]
                (rest,) = s.reports("RESTATED")
                assert (rest.price, rest.restatement_reason) == (100, "REPRICING")
                found = await s.venue_order("V1")
                assert (found.price, found.leaves_qty) == (100, 7)

        asyncio.run(play())

    def test_row_59_post_only_at_the_opposite_best_is_refused_and_not_moved(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99", "100")
                careful = {"exec_inst": ("POST_ONLY",), "tif": "GTC"}
                refused = await s.submit("BUY", "10", "100", name="V1", **careful)
                assert refused.reason is OrdRejReason.WOULD_TAKE
                await s.submit("BUY", "10", "99.99", name="V2", **careful)
                amended = await s.replace("V2", "V2-01", "10", "100", "GTC")
                assert (amended.reason, amended.text) == (CxlRejReason.OTHER, "would_take")
                assert (await s.venue_order("V2")).price == Decimal("99.99")

        asyncio.run(play())

    def test_all_or_none_waits_for_the_whole(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99", "100", size=5)
                whole = {"exec_inst": ("ALL_OR_NONE",), "tif": "GTC"}
                await s.submit("BUY", "10", "100", name="V1", **whole)
                desk.market.show("99", "100", size=9)
                desk.market.show("99", "100", size=10)
                await s.until(lambda: s.reports("TRADE"))
                assert s.reports("TRADE")[0].last_qty == 10

        asyncio.run(play())

    def test_an_iceberg_trades_in_the_parts_it_shows(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99", "100")
                await s.submit("BUY", "10", "99.50", name="V1", tif="GTC", display_qty="4")
                desk.market.show("98", "99.50", size=20)
                await s.until(lambda: len(s.reports("TRADE")) == 3)
                assert [r.last_qty for r in s.reports("TRADE")] == [4, 4, 2]

        asyncio.run(play())

    def test_min_qty_is_what_an_ioc_gets_at_least(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99", "100", size=5)
                await s.submit("BUY", "10", "100", tif="IOC", min_qty="6", name="V1")
                await s.until(lambda: len(s.raw) == 2)
                assert (s.words(), s.reports()[-1].cum_qty) == (["NEW", "CANCELED"], 0)

        asyncio.run(play())

    @pytest.mark.parametrize(
        "terms",
        [
            {"exec_inst": ("POST_ONLY",), "tif": "IOC"},
            {"exec_inst": ("ALL_OR_NONE",), "tif": "GTC", "display_qty": "5"},
            {"min_qty": "5", "tif": "GTC"},
            {"stop_px": "95", "tif": "GTC"},
            {"ord_type": "STOP", "price": None, "tif": "GTC"},
            {"ord_type": "STOP", "stop_px": "95", "tif": "GTC"},
            {"ord_type": "TRAILING_STOP", "price": None, "tif": "GTC"},
            {
                "ord_type": "TRAILING_STOP",
                "price": None,
                "tif": "GTC",
                **PERCENT,
                "trail_offset": "0.001",
            },
            {"ord_type": "TRAILING_STOP_LIMIT", "price": None, "tif": "GTC", **PERCENT},
            {"ord_type": "PEGGED", "tif": "GTC"},
            {"tif": "GTD"},
            {"tif": "GTD", "expire_time": datetime(2026, 3, 2, 14, 0, tzinfo=UTC)},
            {"tif": "GTC", "display_qty": "0"},
            {"tif": "GTC", "display_qty": "11"},
        ],
        ids=str,
    )
    def test_terms_that_contradict_each_other_leave_no_trace(self, desk, terms):
        async def play():
            async with desk.session() as s:
                desk.market.show("99", "100")
                assert isinstance(await s.submit(name="V1", **({"price": "90"} | terms)), Rejected)
                assert await s.venue_order("V1") is None

        asyncio.run(play())


class TestEnds:
    def test_gtd_ends_at_its_time_and_can_be_given_another(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99", "101")
                soon = desk.market.now + timedelta(seconds=30)
                await s.submit("BUY", "1", "98", name="V1", tif="GTD", expire_time=soon)
                await s.submit("BUY", "1", "98", name="V2", tif="GTD", expire_time=soon)
                later = soon + timedelta(seconds=30)
                await s.replace("V2", "V2-01", "1", "98", "GTD", expire_time=later)
                desk.market.now = soon
                desk.market.show("99", "101")
                await s.until(lambda: s.reports("EXPIRED"))
                assert told(s, "EXPIRED") == [("EXPIRED", "V1")]
                assert (await s.venue_order("V2")).ord_status is OrdStatus.NEW
            desk.market.now = later
            async with desk.session() as s:
                await s.until(lambda: s.reports("EXPIRED"))
                assert told(s, "EXPIRED") == [("EXPIRED", "V2-01")]

        asyncio.run(play())

    def test_an_untriggered_stop_ends_with_its_day(self, desk):
        async def play():
            async with desk.session() as s:
                desk.market.show("99", "101")
                await s.submit("SELL", "1", name="V1", ord_type="STOP", stop_px="95")
                desk.market.now = datetime(2026, 3, 3, tzinfo=UTC)
                desk.market.show("99", "101")  # the venue looks at the clock again
                await s.until(lambda: s.reports("EXPIRED"))

        asyncio.run(play())
