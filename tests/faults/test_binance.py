"""Faults at Binance, by the row of the fault table, through the whole system."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from brokers.credentials import keep_credentials
from brokers.models import BrokerAccount, BrokerConnection
from brokers.services import open_connection
from marketdata.models import Instrument
from marketdata.path import REPLAY_FEED
from oms.models import Command
from portfolio.services import deposit
from tenants.binding import tenant_bound
from tests.faults.conftest import CASH
from tests.journeys.cast import Desk, Firm, fresh, utcnow
from tests.simulators.faults import Fault
from tests.simulators.spot.binance import KEY, SECRET, BinanceFront
from tests.simulators.spot.exchange import Market, SpotExchange
from tests.simulators.thread import InThread, running
from trading.vocabulary import Mode

PAIR = "BTC/USDT"
BUY = {"symbol": PAIR, "tif": "IOC"}
LIMIT = {"symbol": PAIR, "price": "49000.00", "tif": "GTC"}


@pytest.fixture
def pair(db) -> Iterator[Instrument]:
    """An instrument of the exchange, gone again from the lists after the test."""
    made, _ = Instrument.objects.update_or_create(
        symbol=PAIR,
        defaults={
            "name": "Bitcoin in Tether",
            "security_type": "INDEX",
            "currency": "USDT",
            "exchange": "BINANCE",
            "tick_size": Decimal("0.01"),
            "lot_size": Decimal("0.00001"),
            "qty_decimals": 5,
            "min_qty": Decimal("0.00001"),
            "max_qty": Decimal(9000),
            "min_notional": Decimal(5),
            "feed": REPLAY_FEED,
            "tradable": True,
        },
    )
    yield made
    Instrument.objects.filter(symbol=PAIR).update(tradable=False, feed="")


@pytest.fixture
def exchange() -> Iterator[InThread[BinanceFront]]:
    """A Binance with one market."""
    spot = SpotExchange([Market("BTC", "USDT")], {"USDT": str(CASH), "BTC": "0"})
    with running(BinanceFront(spot)) as front:
        front.do(front.served.quote(PAIR, "49999.00", "50001.00"))
        yield front


@pytest.fixture
def desk(acme: Firm, exchange, pair, market) -> Desk:
    """Acme's account at that exchange, of this test alone."""
    market.show("49999.00", "50001.00", symbol=PAIR)
    now = utcnow()
    with tenant_bound(acme.schema):
        venue = open_connection(
            name=fresh("binance-"), broker="ccxt:binance", mode=Mode.PAPER, now=now
        )
        options = {"base_url": f"http://127.0.0.1:{exchange.served.port}"}
        BrokerConnection.objects.filter(pk=venue.pk).update(options=options)
        keep_credentials(
            connection=venue, values={"api_key": KEY, "secret": SECRET}, by="test", now=now
        )
        account = BrokerAccount.objects.create(
            code=fresh("B-"),
            name="Journey",
            connection=venue,
            mode=Mode.PAPER.value,
            currency="USDT",
            created_at=now,
        )
        deposit(
            account=account,
            currency="USDT",
            amount=CASH,
            ref=f"opening:{account.code}",
            actor_label="system:test",
            now=now,
        )
    return Desk(acme, account.code, account.pk, venue.name, venue.pk, broker="ccxt:binance")


def at_exchange(exchange, order_id):
    """The orders the exchange has under our id."""
    return exchange.served.exchange.by_client_id(order_id)


def test_an_order_is_filled_charged_and_booked(gateway, exchange, alice, desk) -> None:
    order_id = alice.placed("BUY", "0.1", **BUY)
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "0.1")
    assert alice.executions(order_id) == [("0.1", "50001")]


def test_f01_an_answer_that_never_comes_is_unknown_and_found(
    gateway, impatient, exchange, alice, desk
):
    exchange.served.faults.on("in:newOrder", Fault.KILL)
    order_id = alice.placed("BUY", "0.1", **LIMIT)
    alice.until_status(order_id, "NEW")
    assert len(at_exchange(exchange, order_id)) == 1


def test_f02_an_order_the_venue_never_read_is_proved_absent(
    gateway, impatient, exchange, alice, desk
):
    exchange.served.faults.on("in:newOrder", Fault.DROP)
    order_id = alice.placed("BUY", "0.1", **LIMIT)
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["ord_rej_reason"]) == ("REJECTED", "NOT_RECEIVED")
    assert at_exchange(exchange, order_id) == []


def test_f04_a_5xx_after_the_deed_is_unknown_and_found(gateway, impatient, exchange, alice, desk):
    exchange.served.faults.on("in:newOrder", Fault.ERROR, code=-1007, seconds=503, text="Timeout")
    order_id = alice.placed("BUY", "0.1", **LIMIT)
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["ord_rej_reason"]) == ("REJECTED", "NOT_RECEIVED")


def test_f11_a_fill_told_twice_is_one_execution(gateway, exchange, alice, desk):
    exchange.served.faults.on("out:TRADE", Fault.DUPLICATE)
    order_id = alice.placed("BUY", "0.1", **BUY)
    alice.until_final(order_id)
    assert alice.executions(order_id) == [("0.1", "50001")]


def test_f17_a_fill_that_was_never_told_is_found(gateway, exchange, alice, desk):
    order_id = alice.placed("BUY", "0.1", **LIMIT)
    alice.until_status(order_id, "NEW")
    exchange.served.faults.on("out:TRADE", Fault.SWALLOW)
    exchange.do(exchange.served.quote(PAIR, "48990.00", "48995.00"))
    gateway.reconcile(desk)
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "0.1")
    assert len(alice.executions(order_id)) == 1


def test_f45_a_429_holds_the_order_back_and_sends_it_once(gateway, exchange, alice, desk):
    exchange.served.faults.on("in:newOrder", Fault.ERROR, code=-1003, seconds=429, text="slow down")
    order_id = alice.placed("BUY", "0.1", **LIMIT)
    alice.until_status(order_id, "NEW")
    assert len(at_exchange(exchange, order_id)) == 1
    (command,) = desk.rows(Command, order_id=order_id)
    assert (command.state, command.attempt) == ("ACKED", 2)


def test_f47_a_stream_that_closes_is_opened_again_and_nothing_is_missed(
    gateway, exchange, alice, desk
):
    order_id = alice.placed("BUY", "0.1", **LIMIT)
    alice.until_status(order_id, "NEW")
    exchange.do(exchange.served.cut_streams())
    exchange.do(exchange.served.quote(PAIR, "48990.00", "48995.00"))
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "0.1")


def test_f63_a_revoked_key_disables_the_connection(gateway, exchange, alice, desk):
    order_id = alice.placed("BUY", "0.1", **LIMIT)
    alice.until_status(order_id, "NEW")
    exchange.served.revoked = True
    exchange.do(exchange.served.cut_streams())

    def state(_: object) -> str:
        (row,) = desk.rows(BrokerConnection, pk=desk.connection_id)
        return row.state

    alice.until(order_id, lambda o: state(o) == "DISABLED")
    before = len(exchange.served.received)
    alice.get("/orders")
    assert len(exchange.served.received) == before
    assert alice.order(order_id)["ord_status"] == "NEW"
