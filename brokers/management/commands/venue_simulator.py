"""``manage.py venue_simulator tws|binance``: a venue to try a connection with, on loopback."""

import asyncio
import random
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

PORTS = {"tws": 7497, "binance": 9090}
EVERY_S = 1.0


class Command(BaseCommand):
    """Quotes one market around a price and fills what reaches it, until it is stopped."""

    help = "Serve a simulated TWS (share AAPL) or Binance (BTC/USDT) on this machine."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the venue and its port."""
        parser.add_argument("venue", choices=sorted(PORTS))
        parser.add_argument("--port", type=int, help="7497 for tws, 9090 for binance")

    def handle(self, *_: Any, **options: Any) -> None:
        """Serve until interrupted. :raises CommandError: without the project's simulators."""
        try:
            front, symbol, price = _front(options["venue"])
        except ImportError as missing:
            raise CommandError("The simulators stand in tests/ of the project.") from missing
        port = options["port"] or PORTS[options["venue"]]
        self.stdout.write(f"{options['venue']} listens on 127.0.0.1:{port}; {symbol} at {price}")
        try:
            asyncio.run(_serve(front, port, symbol, price))
        except KeyboardInterrupt:
            self.stdout.write("stopped")


def _front(venue: str) -> tuple[Any, str, Decimal]:
    if venue == "tws":
        from tests.simulators.tws.brokerage import Brokerage
        from tests.simulators.tws.front import Front
        from tests.simulators.tws.shapes import Listing

        listings = [Listing(265598, "AAPL"), Listing(416904, "SPX")]
        return Front(Brokerage(listings=listings)), "AAPL", Decimal("200.00")
    from tests.simulators.spot.binance import BinanceFront
    from tests.simulators.spot.exchange import Market, SpotExchange

    exchange = SpotExchange([Market("BTC", "USDT")], {"USDT": "1000000", "BTC": "10"})
    return BinanceFront(exchange), "BTC/USDT", Decimal("50000.00")


async def _serve(front: Any, port: int, symbol: str, price: Decimal) -> None:
    await front.start(port)
    walk = random.Random(symbol)  # noqa: S311 - prices of a simulator
    try:
        while True:
            price += Decimal(walk.randint(-20, 20)) / 100
            await front.quote(symbol, str(price - Decimal("0.01")), str(price + Decimal("0.01")))
            await asyncio.sleep(EVERY_S)
    finally:
        await front.stop()
