"""Orders at Binance: every verb of the port over real sockets to a simulated exchange."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, getcontext

import pytest

from brokers.adapters.base import (
    Accepted,
    NotConnected,
    NotExecuted,
    Rejected,
    SignedOut,
    Unknown,
)
from tests.brokers.ccxt.conftest import PAIR, Desk
from tests.simulators.faults import Fault
from trading.vocabulary import CxlRejReason, OrdRejReason, OrdStatus, OrdType


def in_session(desk: Desk, journey) -> None:
    """Run a journey of one session."""

    async def whole() -> None:
        async with desk.exchange(), desk.session() as session:
            await journey(session)

    asyncio.run(whole())


def test_a_market_order_is_acknowledged_filled_and_charged(desk: Desk) -> None:
    async def journey(s) -> None:
        outcome = await s.submit(name="Vfill")
        assert isinstance(outcome, Accepted)
        fill = await s.told("NEW", "TRADE", "ORDER_STATUS")
        fill = s.reports("TRADE")[0]
        assert (fill.last_qty, fill.last_px) == (Decimal("0.1"), Decimal(50001))
        assert (fill.fee, fill.fee_currency) == (Decimal("0.0001"), "BTC")
        assert (fill.venue_cl_ord_id, fill.order_id) == ("Vfill", outcome.order_id)
        assert fill.liquidity == "TAKER"

    in_session(desk, journey)


def test_a_limit_order_rests_and_is_taken_back_by_our_id(desk: Desk) -> None:
    async def journey(s) -> None:
        assert isinstance(await s.submit(price="49000", name="Vrest"), Accepted)
        assert isinstance(await s.cancel("Vrest"), Accepted)
        await s.told("NEW", "CANCELED")
        assert s.at_exchange("Vrest")[0].status == "CANCELED"

    in_session(desk, journey)


TYPES = [
    ("LIMIT", {"price": "49000"}, {"timeInForce": "GTC"}),
    ("LIMIT", {"price": "49000", "tif": "IOC"}, {"timeInForce": "IOC"}),
    ("LIMIT", {"price": "49000", "tif": "FOK"}, {"timeInForce": "FOK"}),
    ("LIMIT_MAKER", {"price": "49000", "exec_inst": ("POST_ONLY",)}, {}),
    ("MARKET", {}, {}),
    ("STOP_LOSS", {"ord_type": OrdType.STOP, "stop_px": "48000"}, {"stopPrice": "48000"}),
    (
        "STOP_LOSS_LIMIT",
        {"ord_type": OrdType.STOP_LIMIT, "stop_px": "48000", "price": "47900"},
        {"stopPrice": "48000", "price": "47900", "timeInForce": "GTC"},
    ),
]


@pytest.mark.parametrize(("kind", "wanted", "on_the_wire"), TYPES, ids=lambda v: str(v)[:30])
def test_every_type_goes_over_the_wire_as_it_was_meant(desk, kind, wanted, on_the_wire) -> None:
    async def journey(s) -> None:
        terms = {k: Decimal(v) if k == "stop_px" else v for k, v in wanted.items()}
        assert isinstance(await s.submit("SELL" if "stop_px" in terms else "BUY", name="Vt",
                                         **terms), Accepted)  # fmt: skip
        (sent,) = [params for name, params in s.front.received if name == "newOrder"]
        assert (sent["type"], sent["newClientOrderId"]) == (kind, "Vt")
        for name, value in on_the_wire.items():
            assert sent[name] == value

    in_session(desk, journey)


def test_a_quantity_between_two_steps_is_refused_before_the_wire(desk: Desk) -> None:
    async def journey(s) -> None:
        outcome = await s.submit(qty="0.100001", price="49000")
        assert isinstance(outcome, Rejected)
        assert "between two steps" in outcome.text
        assert isinstance(await s.submit(price="49000.001"), Rejected)
        unknown = await s.submit(price="49000", symbol="NO/PAIR")
        assert isinstance(unknown, Rejected)
        assert unknown.reason is OrdRejReason.UNKNOWN_SYMBOL
        assert "newOrder" not in [name for name, _ in s.front.received]

    in_session(desk, journey)


REFUSED = [
    ({"qty": "1000", "price": "49000"}, OrdRejReason.INSUFFICIENT_FUNDS),
    ({"qty": "0.00002", "price": "49000"}, OrdRejReason.VENUE),
    ({"price": "51000", "exec_inst": ("POST_ONLY",)}, OrdRejReason.WOULD_TAKE),
]


@pytest.mark.parametrize(("terms", "reason"), REFUSED, ids=["funds", "notional", "would take"])
def test_a_refusal_has_its_reason(desk: Desk, terms, reason) -> None:
    async def journey(s) -> None:
        outcome = await s.submit(**terms)
        assert isinstance(outcome, Rejected), outcome
        assert outcome.reason is reason

    in_session(desk, journey)


def test_f01_an_answer_that_never_comes_is_unknown(desk: Desk, monkeypatch) -> None:
    monkeypatch.setattr("brokers.adapters.ccxt.lib.ORDER_TIMEOUT_MS", 300)

    async def journey(s) -> None:
        s.front.faults.on("in:newOrder", Fault.SWALLOW)
        assert isinstance(await s.submit(price="49000", name="Vlost"), Unknown)
        found = (await s.broker.lookup(s.account, "Vlost", PAIR)).found
        assert found is not None
        assert (found.ord_status, found.order_qty) == (OrdStatus.NEW, Decimal("0.1"))
        assert [name for name, _ in s.front.received].count("newOrder") == 1

    in_session(desk, journey)


def test_f02_a_line_that_falls_before_the_exchange_read_is_unknown_and_absent(desk: Desk) -> None:
    async def journey(s) -> None:
        s.front.faults.on("in:newOrder", Fault.DROP)
        assert isinstance(await s.submit(price="49000", name="Vnever"), Unknown)
        answer = await s.broker.lookup(s.account, "Vnever", PAIR)
        assert (answer.found, answer.complete) == (None, True)

    in_session(desk, journey)


def test_f03_a_line_that_falls_after_the_exchange_acted_is_unknown_and_found(desk: Desk) -> None:
    async def journey(s) -> None:
        s.front.faults.on("in:newOrder", Fault.KILL)
        assert isinstance(await s.submit(price="49000", name="Vkept"), Unknown)
        assert (await s.broker.lookup(s.account, "Vkept", PAIR)).found is not None
        assert len(s.at_exchange("Vkept")) == 1

    in_session(desk, journey)


def test_f04_a_5xx_is_unknown_and_a_429_is_not_executed(desk: Desk) -> None:
    async def journey(s) -> None:
        s.front.faults.on("in:newOrder", Fault.ERROR, code=-1007, seconds=503, text="Timeout")
        assert isinstance(await s.submit(price="49000"), Unknown)
        s.front.faults.on("in:newOrder", Fault.ERROR, code=-1003, seconds=429, text="Too many")
        outcome = await s.submit(price="49000")
        assert isinstance(outcome, NotExecuted)
        assert outcome.retry_after >= timedelta(seconds=1)
        s.front.faults.on("in:newOrder", Fault.ERROR, code=-1021, seconds=400, text="ahead")
        assert isinstance(await s.submit(price="49000"), NotExecuted)

    in_session(desk, journey)


def test_f10_an_id_the_exchange_has_already_proves_our_order(desk: Desk) -> None:
    async def journey(s) -> None:
        await s.submit(price="49000", name="Vtwice")
        outcome = await s.submit(price="49000", name="Vtwice")
        assert isinstance(outcome, Rejected)
        assert outcome.proves_existence
        assert len(s.at_exchange("Vtwice")) == 1

    in_session(desk, journey)


def test_a_cancel_of_an_order_that_is_done_is_refused(desk: Desk) -> None:
    async def journey(s) -> None:
        await s.submit(name="Vdone")
        outcome = await s.cancel("Vdone")
        assert isinstance(outcome, Rejected)
        assert outcome.reason is CxlRejReason.UNKNOWN_ORDER

    in_session(desk, journey)


def test_an_amendment_is_one_order_under_a_new_id(desk: Desk) -> None:
    async def journey(s) -> None:
        first = await s.submit(price="49000", qty="0.2", name="Va")
        outcome = await s.replace("Va", "Va01", "0.1", "49500", order_id=first.order_id)
        assert isinstance(outcome, Accepted), outcome
        assert outcome.order_id != first.order_id
        replaced = await s.told("NEW", "REPLACED", "CANCELED")
        replaced = s.reports("REPLACED")[0]
        assert (replaced.venue_cl_ord_id, replaced.order_id) == ("Va01", outcome.order_id)
        assert (replaced.order_qty, replaced.price) == (Decimal("0.1"), Decimal(49500))
        words = s.words()
        assert words.index("REPLACED") < words.index("CANCELED")
        (new,) = s.at_exchange("Va01")
        assert (new.qty, new.price, new.is_open) == (Decimal("0.1"), Decimal(49500), True)

    in_session(desk, journey)


def test_the_books_of_the_exchange_are_read_in_our_words(desk: Desk) -> None:
    async def journey(s) -> None:
        begun = datetime.now(UTC) - timedelta(seconds=5)
        await s.submit(qty="0.5", name="Vheld")
        await s.submit(price="49000", qty="0.2", name="Vopen")
        page = await s.broker.open_orders(s.account)
        assert page.complete
        (order,) = page.orders
        assert (order.venue_cl_ord_id, order.ord_status) == ("Vopen", OrdStatus.NEW)
        assert (order.order_qty, order.price) == (Decimal("0.2"), Decimal(49000))
        executions = await s.broker.executions(s.account, begun, {PAIR})
        assert executions.complete
        (fill,) = [r for raw in executions.messages for r in s.broker.parse(raw)]
        assert (fill.venue_cl_ord_id, fill.last_qty) == ("Vheld", Decimal("0.5"))
        cash = await s.broker.balances(s.account)
        assert cash.balances == {(s.account, "USDT"): Decimal("974999.5")}

    in_session(desk, journey)


def test_a_fill_by_stream_and_by_query_is_the_same_execution(desk: Desk) -> None:
    async def journey(s) -> None:
        await s.submit(name="Vsame")
        streamed = await s.told("TRADE")
        page = await s.broker.executions(
            s.account, datetime.now(UTC) - timedelta(seconds=5), {PAIR}
        )
        (listed,) = [r for raw in page.messages for r in s.broker.parse(raw)]
        assert (listed.exec_id, listed.last_qty, listed.last_px, listed.fee) == (
            streamed.exec_id,
            streamed.last_qty,
            streamed.last_px,
            streamed.fee,
        )

    in_session(desk, journey)


def test_f47_a_stream_that_closes_ends_the_session(desk: Desk) -> None:
    async def journey(s) -> None:
        await s.front.cut_streams()
        async with asyncio.timeout(5):
            assert "stream failed" in await s.broker.wait_disconnected()

    in_session(desk, journey)


def test_f63_revoked_credentials_end_the_session_and_a_wrong_key_never_begins_one(desk) -> None:
    async def journey(s) -> None:
        s.front.revoked = True
        assert isinstance(await s.submit(price="49000"), NotExecuted)
        async with asyncio.timeout(5):
            assert "no longer takes the credentials" in await s.broker.wait_disconnected()
        with pytest.raises(SignedOut):
            await desk.broker().connect()

    in_session(desk, journey)


def test_the_library_leaves_the_rounding_of_decimals_as_it_is(desk: Desk) -> None:
    async def journey(s) -> None:
        await s.submit(price="49000")
        assert getcontext().rounding == ROUND_HALF_EVEN

    in_session(desk, journey)


def test_paper_money_goes_to_no_live_exchange(desk: Desk) -> None:
    async def journey() -> None:
        await desk.run_db(lambda: desk.options(base_url="", sandbox=False))
        with pytest.raises(NotConnected, match="must use the test environment"):
            await desk.broker().connect()

    asyncio.run(journey())
