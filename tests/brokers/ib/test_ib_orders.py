"""Orders at Interactive Brokers: every verb of the port over a real socket to a simulated TWS."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from brokers.adapters.base import Accepted, Rejected
from tests.brokers.ib.conftest import Desk
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


def in_session(desk: Desk, journey) -> None:
    """Run a journey of one session."""

    async def whole() -> None:
        async with desk.tws(), desk.session() as session:
            await journey(session)

    asyncio.run(whole())


def test_a_market_order_is_acknowledged_filled_and_charged(desk: Desk) -> None:
    async def journey(s) -> None:
        outcome = await s.submit(qty="30", tif="DAY", name="V-fill")
        assert outcome == Accepted("1000001")
        fill = await s.told("TRADE")
        assert (fill.last_qty, fill.last_px) == (Decimal(30), Decimal("100.01"))
        assert (fill.venue_cl_ord_id, fill.order_id) == ("V-fill", "1000001")
        charged = await s.told("TRADE_CORRECT")
        assert charged.exec_ref_id == fill.exec_id
        assert (charged.last_qty, charged.last_px) == (fill.last_qty, fill.last_px)
        assert (charged.fee, charged.fee_currency) == (Decimal("1.00"), "USD")

    in_session(desk, journey)


def test_a_limit_order_rests_and_is_taken_back(desk: Desk) -> None:
    async def journey(s) -> None:
        assert isinstance(await s.submit(price="99", name="V-rest"), Accepted)
        assert isinstance(await s.cancel("V-rest", "C-7"), Accepted)
        await s.told("CANCELED")
        assert s.words() == ["NEW", "CANCELED"]
        assert not s.front.brokerage.open_tickets()

    in_session(desk, journey)


def test_an_amendment_changes_the_order_and_nothing_else_of_it(desk: Desk) -> None:
    async def journey(s) -> None:
        await s.submit(price="99", qty="30", name="V-0", extended_hours=True)
        outcome = await s.replace("V-0", "V-0-01", "20", "99.50", request_id="R-9")
        assert isinstance(outcome, Accepted)
        replaced = await s.told("REPLACED")
        assert (replaced.cl_ord_id, replaced.venue_cl_ord_id) == ("R-9", "V-0-01")
        assert (replaced.order_qty, replaced.price) == (Decimal(20), Decimal("99.5"))
        ticket = s.ticket("V-0-01")
        assert (ticket.qty, ticket.limit, ticket.outside_rth) == (
            Decimal(20),
            Decimal("99.50"),
            True,
        )

    in_session(desk, journey)


TYPES = [
    ("LMT", {"price": "99"}, {"limit": "99"}),
    ("STP", {"ord_type": OrdType.STOP, "stop_px": "95"}, {"aux": "95"}),
    (
        "STP LMT",
        {"ord_type": OrdType.STOP_LIMIT, "stop_px": "95", "price": "94"},
        {"aux": "95", "limit": "94"},
    ),
    ("MIT", {"ord_type": OrdType.MARKET_IF_TOUCHED, "stop_px": "105"}, {"aux": "105"}),
    (
        "LIT",
        {"ord_type": OrdType.LIMIT_IF_TOUCHED, "stop_px": "105", "price": "104"},
        {"aux": "105", "limit": "104"},
    ),
    (
        "TRAIL",
        {"ord_type": OrdType.TRAILING_STOP, "trail_offset": "5"},
        {"aux": "5", "trail_percent": None},
    ),
    (
        "TRAIL",
        {
            "ord_type": OrdType.TRAILING_STOP,
            "trail_offset": "5",
            "trail_type": TrailType.PERCENT,
            "stop_px": "94",
        },
        {"aux": None, "trail_percent": "5", "trail_stop": "94"},
    ),
    (
        "TRAIL LIMIT",
        {"ord_type": OrdType.TRAILING_STOP_LIMIT, "trail_offset": "5", "limit_offset": "1"},
        {"aux": "5", "limit_offset": "1"},
    ),
    ("MTL", {"ord_type": OrdType.MARKET_TO_LIMIT}, {}),
    (
        "REL",
        {
            "ord_type": OrdType.PEGGED,
            "price": "110",
            "peg_price_type": PegPriceType.PRIMARY,
            "peg_offset": 1,
        },
        {"aux": "0.01", "limit": "110"},
    ),
    ("MOC", {"tif": "CLS"}, {"tif": "DAY"}),
    ("LOC", {"tif": "CLS", "price": "99"}, {"tif": "DAY", "limit": "99"}),
    ("MKT", {"tif": "OPG"}, {"tif": "OPG"}),
]
DECIMALS = {"stop_px", "trail_offset", "limit_offset"}


@pytest.mark.parametrize(("order_type", "wanted", "at_tws"), TYPES, ids=lambda v: str(v)[:40])
def test_every_type_arrives_as_it_was_meant(desk: Desk, order_type, wanted, at_tws) -> None:
    async def journey(s) -> None:
        terms = {
            name: Decimal(value) if name in DECIMALS else value for name, value in wanted.items()
        }
        assert isinstance(await s.submit("SELL", name="V-type", **terms), Accepted)
        ticket = s.ticket("V-type")
        assert ticket.order_type == order_type
        for name, value in at_tws.items():
            shown = getattr(ticket, name)
            assert shown == (Decimal(value) if isinstance(shown, Decimal) else value), name

    in_session(desk, journey)


def test_instructions_arrive_as_they_were_meant(desk: Desk) -> None:
    async def journey(s) -> None:
        until = datetime(2027, 1, 4, 15, 30, tzinfo=UTC)
        await s.submit(
            price="99",
            qty="100",
            tif="GTD",
            expire_time=until,
            name="V-terms",
            display_qty=Decimal(10),
            extended_hours=True,
        )
        ticket = s.ticket("V-terms")
        assert (ticket.tif, ticket.good_till) == ("GTD", "20270104-15:30:00")
        assert (ticket.display, ticket.outside_rth) == (Decimal(10), True)
        await s.submit(price="99", name="V-aon", exec_inst=("ALL_OR_NONE",))
        assert s.ticket("V-aon").all_or_none
        await s.submit(
            "SELL",
            ord_type=OrdType.STOP,
            stop_px=Decimal(95),
            trigger_price_type=TriggerPriceType.BID_ASK,
            name="V-trigger",
        )
        assert s.ticket("V-trigger").trigger_method == 4

    in_session(desk, journey)


def test_a_stop_that_fires_is_told(desk: Desk) -> None:
    async def journey(s) -> None:
        await s.submit("SELL", ord_type=OrdType.STOP, stop_px=Decimal(95), name="V-stop")
        assert s.words() == ["NEW"]
        await s.front.quote("AAPL", "94.90", "94.95")
        await s.told("TRADE")
        assert s.words()[:3] == ["NEW", "TRIGGERED", "TRADE"]

    in_session(desk, journey)


def test_a_refusal_names_its_code(desk: Desk) -> None:
    async def journey(s) -> None:
        outcome = await s.submit(price="99.001", name="V-bad")
        assert isinstance(outcome, Rejected)
        assert outcome.reason is OrdRejReason.VENUE
        assert outcome.text.startswith("201 ")
        rejected = await s.told("REJECTED")
        assert rejected.venue_cl_ord_id == "V-bad"
        assert s.words() == ["REJECTED"]

    in_session(desk, journey)


def test_a_symbol_nobody_knows_never_reaches_the_order_door(desk: Desk) -> None:
    async def journey(s) -> None:
        outcome = await s.submit(price="99", symbol="NOPE")
        assert isinstance(outcome, Rejected)
        assert outcome.reason is OrdRejReason.UNKNOWN_SYMBOL
        assert "placeOrder" not in [name for name, _ in s.front.received]

    in_session(desk, journey)


def test_a_refused_amendment_leaves_the_order_as_it_was(desk: Desk) -> None:
    async def journey(s) -> None:
        await s.submit(price="99", name="V-keep")
        outcome = await s.replace("V-keep", "V-keep-01", "10", "99.001", request_id="R-2")
        assert isinstance(outcome, Rejected)
        refused = await s.told("REQUEST_REFUSED")
        assert refused.cl_ord_id == "R-2"
        assert s.words() == ["NEW", "REQUEST_REFUSED"]

    in_session(desk, journey)


def test_a_cancel_of_a_filled_order_comes_too_late(desk: Desk) -> None:
    async def journey(s) -> None:
        await s.submit(tif="DAY", name="V-late")
        await s.told("TRADE")
        outcome = await s.cancel("V-late", "C-3")
        assert isinstance(outcome, Rejected)
        assert outcome.reason is CxlRejReason.TOO_LATE
        assert (await s.told("REQUEST_REFUSED")).cl_ord_id == "C-3"
        assert "CANCELED" not in s.words()

    in_session(desk, journey)


def test_the_books_of_tws_are_read_in_our_words(desk: Desk) -> None:
    async def journey(s) -> None:
        begun = datetime.now(UTC) - timedelta(seconds=5)
        await s.submit(qty="30", tif="DAY", name="V-held")
        await s.told("TRADE")
        await s.submit(price="99", qty="20", name="V-open")
        await s.replace("V-open", "V-open-01", "25", "98")
        page = await s.broker.open_orders(s.account)
        assert page.complete
        (order,) = page.orders
        assert (order.venue_cl_ord_id, order.ord_status) == ("V-open-01", OrdStatus.NEW)
        assert (order.order_qty, order.price) == (Decimal(25), Decimal(98))
        assert (order.ord_type, order.time_in_force) == (OrdType.LIMIT, TimeInForce.GTC)
        executions = await s.broker.executions(s.account, begun, ())
        assert [r.exec_type.value for raw in executions.messages for r in s.broker.parse(raw)] == [
            "TRADE",
            "TRADE_CORRECT",
        ]
        positions = await s.broker.positions(s.account)
        assert positions.positions == {(s.account, "AAPL"): Decimal(30)}
        cash = await s.broker.balances(s.account)
        assert cash.balances == {(s.account, "USD"): Decimal("996998.70")}

    in_session(desk, journey)


def test_a_look_up_finds_working_and_done_orders_by_any_id_of_their_chain(desk: Desk) -> None:
    async def journey(s) -> None:
        await s.submit(price="99", qty="20", name="V-a")
        await s.replace("V-a", "V-a-01", "25", "98")
        for name in ("V-a", "V-a-01"):
            found = (await s.broker.lookup(s.account, name, "AAPL")).found
            assert found is not None
            assert found.venue_cl_ord_id == "V-a-01"
        await s.submit(tif="DAY", name="V-done")
        await s.told("TRADE")
        done = (await s.broker.lookup(s.account, "V-done", "AAPL")).found
        assert done is not None
        assert (done.ord_status, done.cum_qty, done.leaves_qty) == (
            OrdStatus.FILLED,
            Decimal(10),
            Decimal(0),
        )
        absent = await s.broker.lookup(s.account, "V-never", "AAPL")
        assert (absent.found, absent.complete) == (None, True)
        assert absent.horizon is not None

    in_session(desk, journey)
