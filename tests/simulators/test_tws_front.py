"""The simulated TWS under the real client library, over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from brokers.adapters.ib import lib
from tests.simulators.faults import Fault
from tests.simulators.tws.brokerage import Brokerage
from tests.simulators.tws.front import Front
from tests.simulators.tws.shapes import Listing

ib = lib.load()
SHARE = Listing(265598, "AAPL")


@pytest.fixture(params=[176, 178])
def front(request: pytest.FixtureRequest) -> Front:
    """A TWS with one share."""
    return Front(Brokerage(listings=[SHARE]), version=request.param)


@asynccontextmanager
async def client_of(front: Front) -> AsyncIterator[ib.IB]:
    """A connected client of a served front that shows a market of AAPL."""
    await front.start()
    client = ib.IB()
    await client.connectAsync("127.0.0.1", front.port, clientId=1, timeout=2)
    await front.quote("AAPL", "99.99", "100.01")
    try:
        yield client
    finally:
        client.disconnect()
        await front.stop()


def errors_of(client: ib.IB) -> list[tuple[int, str]]:
    """Collects the codes and words of errors from now on."""
    said: list[tuple[int, str]] = []

    def note(_request_id: int, code: int, words: str, _contract: object) -> None:
        said.append((code, words))

    client.errorEvent += note
    return said


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Let the loop run until the condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the library tells no event of every change
            await asyncio.sleep(0.005)


def share() -> ib.Stock:
    return ib.Stock("AAPL", "SMART", "USD", conId=265598)


def order(kind: str, qty: int, **terms: object) -> ib.Order:
    return ib.Order(orderType=kind, totalQuantity=qty, **{"action": "BUY", "tif": "GTC", **terms})


def test_a_market_order_is_filled_and_its_commission_told(front: Front) -> None:
    async def journey() -> None:
        async with client_of(front) as client:
            trade = client.placeOrder(share(), ib.MarketOrder("BUY", 30, orderRef="01A", tif="DAY"))
            await until(lambda: trade.fills and trade.fills[0].commissionReport.execId)
            await until(lambda: trade.orderStatus.status == "Filled")
            fill = trade.fills[0]
            assert (fill.execution.shares, fill.execution.price) == (30.0, 100.01)
            assert fill.execution.execId.endswith(".01")
            assert fill.commissionReport.commission == 1.0
            assert trade.order.permId == 1_000_001

    asyncio.run(journey())


def test_a_limit_order_rests_is_amended_and_cancelled(front: Front) -> None:
    async def journey() -> None:
        async with client_of(front) as client:
            trade = client.placeOrder(
                share(), ib.LimitOrder("BUY", 30, 99.0, orderRef="01B", tif="GTC")
            )
            await until(lambda: trade.orderStatus.status == "Submitted")
            trade.order.lmtPrice = 99.5
            client.placeOrder(share(), trade.order)
            ticket = front.brokerage.by_reference("01B")[0]
            await until(lambda: ticket.limit == Decimal("99.5"))
            client.cancelOrder(trade.order)
            await until(lambda: trade.orderStatus.status == "Cancelled")
            assert not front.brokerage.open_tickets()

    asyncio.run(journey())


@pytest.mark.parametrize(
    ("wanted", "first", "moved"),
    [
        (order("STP", 10, action="SELL", auxPrice=95.0), "PreSubmitted", "94.99"),
        (
            order("STP LMT", 10, action="SELL", auxPrice=95.0, lmtPrice=90.0),
            "PreSubmitted",
            "94.99",
        ),
        (order("MIT", 10, auxPrice=95.0), "PreSubmitted", "94.99"),
        (order("LIT", 10, auxPrice=95.0, lmtPrice=96.0), "PreSubmitted", "94.99"),
        (order("TRAIL", 10, action="SELL", auxPrice=5.0), "PreSubmitted", "94.90"),
        (order("TRAIL", 10, action="SELL", trailingPercent=5.0), "PreSubmitted", "94.90"),
        (
            order("TRAIL LIMIT", 10, action="SELL", auxPrice=5.0, lmtPriceOffset=1.0),
            "PreSubmitted",
            "94.90",
        ),
    ],
    ids=lambda value: value.orderType if isinstance(value, ib.Order) else str(value),
)
def test_what_waits_for_a_price_works_after_it(
    front: Front, wanted: ib.Order, first: str, moved: str
) -> None:
    async def journey() -> None:
        async with client_of(front) as client:
            trade = client.placeOrder(share(), ib.Order(**vars(wanted)))
            await until(lambda: trade.orderStatus.status == first)
            await front.quote("AAPL", moved, moved)
            await until(lambda: trade.orderStatus.status == "Filled")
            assert trade.filled() == 10

    asyncio.run(journey())


def test_a_bracket_is_released_whole_and_its_exits_cancel_each_other(front: Front) -> None:
    async def journey() -> None:
        async with client_of(front) as client:
            entry, target, stop = client.bracketOrder("BUY", 10, 101.0, 110.0, 90.0)
            trades = [client.placeOrder(share(), part) for part in (entry, target, stop)]
            await until(lambda: trades[0].orderStatus.status == "Filled")
            await until(lambda: trades[1].orderStatus.status == "Submitted")
            assert trades[2].orderStatus.status == "PreSubmitted"
            await front.quote("AAPL", "110.00", "110.02")
            await until(lambda: trades[1].orderStatus.status == "Filled")
            await until(lambda: trades[2].orderStatus.status == "Cancelled")

    asyncio.run(journey())


def test_a_group_of_which_one_is_filled_loses_the_other(front: Front) -> None:
    async def journey() -> None:
        async with client_of(front) as client:
            low, high = (
                ib.LimitOrder("BUY", 10, 95.0, ocaGroup="pair", ocaType=1, tif="GTC"),
                ib.StopOrder("BUY", 10, 105.0, ocaGroup="pair", ocaType=1, tif="GTC"),
            )
            first, second = client.placeOrder(share(), low), client.placeOrder(share(), high)
            await until(lambda: second.orderStatus.status == "PreSubmitted")
            await front.quote("AAPL", "94.00", "94.50")
            await until(lambda: first.orderStatus.status == "Filled")
            await until(lambda: second.orderStatus.status == "Cancelled")

    asyncio.run(journey())


def test_after_a_reconnect_the_same_books_are_shown(front: Front) -> None:
    async def journey() -> None:
        async with client_of(front) as client:
            client.placeOrder(share(), ib.MarketOrder("BUY", 30, orderRef="done", tif="DAY"))
            client.placeOrder(share(), ib.LimitOrder("BUY", 20, 99.0, orderRef="rests", tif="GTC"))
            await until(lambda: len(front.brokerage.tickets) == 2)
            front.cut()
            await until(lambda: not client.isConnected())
            await client.connectAsync("127.0.0.1", front.port, clientId=1, timeout=2)
            assert [trade.order.orderRef for trade in client.openTrades()] == ["rests"]
            done = [trade for trade in client.trades() if trade.order.orderRef == "done"]
            assert [(trade.order.orderId, trade.orderStatus.status) for trade in done] == [
                (0, "Filled")
            ]
            assert [fill.execution.shares for fill in client.fills()] == [30.0]
            assert [(held.position, held.avgCost) for held in client.positions()] == [
                (30.0, 100.01)
            ]

    asyncio.run(journey())


def test_a_correction_carries_the_next_revision_of_the_same_execution(front: Front) -> None:
    async def journey() -> None:
        async with client_of(front) as client:
            trade = client.placeOrder(share(), ib.MarketOrder("BUY", 30, tif="DAY"))
            await until(lambda: trade.fills)
            await front.tell(
                front.brokerage.correct(front.brokerage.fills[0], shares="20", price="100")
            )
            await until(lambda: len(trade.fills) == 2)
            assert [fill.execution.execId[-2:] for fill in trade.fills] == ["01", "02"]

    asyncio.run(journey())


def test_a_second_client_of_one_id_is_turned_away(front: Front) -> None:
    async def journey() -> None:
        async with client_of(front) as client:
            second = ib.IB()
            said = errors_of(second)
            with pytest.raises((TimeoutError, ConnectionError)):
                await second.connectAsync("127.0.0.1", front.port, clientId=1, timeout=0.3)
            assert [code for code, _ in said] == [326]
            assert client.isConnected()

    asyncio.run(journey())


def test_an_unheard_order_is_in_the_books(front: Front) -> None:
    async def journey() -> None:
        async with client_of(front) as client:
            front.faults.on("in:placeOrder", Fault.SWALLOW)
            trade = client.placeOrder(
                share(), ib.LimitOrder("BUY", 30, 99.0, orderRef="quiet", tif="GTC")
            )
            await until(lambda: front.brokerage.by_reference("quiet"))
            assert trade.orderStatus.status == "PendingSubmit"
            assert [other.order.orderRef for other in await client.reqAllOpenOrdersAsync()] == [
                "quiet"
            ]

    asyncio.run(journey())


def test_a_wrong_price_is_refused_with_the_reason(front: Front) -> None:
    async def journey() -> None:
        async with client_of(front) as client:
            said = errors_of(client)
            trade = client.placeOrder(share(), ib.LimitOrder("BUY", 30, 99.001, tif="GTC"))
            await until(lambda: trade.orderStatus.status in ("Inactive", "Cancelled"))
            assert said[-1][0] == 201
            assert "minimum price variation" in said[-1][1]

    asyncio.run(journey())
