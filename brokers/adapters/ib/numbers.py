"""Order numbers, allocated before a byte leaves and never used again.

TWS takes numbers that rise; the same number again changes the order that has it. Blocking: the
adapter runs these in a database thread.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from brokers.adapters.base import NotConnected, ReplaceOrder
from brokers.adapters.ib.terms import has_terms, text
from brokers.adapters.ib.wire import WireOrder
from brokers.models import BrokerAccount, BrokerConnection, GatewayLease, OrderNumber, VenueSymbol
from tenants.binding import tenant_bound
from trading.vocabulary import Mode


@dataclass(frozen=True, slots=True)
class Setup:
    """What a session needs to know before it connects. ``accounts``: our code to TWS's."""

    host: str
    port: int
    client_number: int
    time_zone: str
    mode: Mode
    accounts: dict[str, str]
    symbols: dict[str, dict[str, Any]]
    highest_number: int


PORTS = {Mode.PAPER: 7497, Mode.LIVE: 7496}
"""Where TWS listens unless it is told otherwise."""


def setup(schema: str, connection_id: int) -> Setup:
    """Read a connection's options, accounts and symbols."""
    with tenant_bound(schema):
        connection = BrokerConnection.objects.get(pk=connection_id)
        mode, options = Mode(connection.mode), connection.options
        client_number = int(options.get("client_id", 1))
        accounts = BrokerAccount.objects.filter(connection_id=connection_id)
        symbols = VenueSymbol.objects.filter(connection_id=connection_id)
        return Setup(
            host=str(options.get("host", "127.0.0.1")),
            port=int(options.get("port", PORTS[mode])),
            client_number=client_number,
            time_zone=str(options.get("time_zone", "America/New_York")),
            mode=mode,
            accounts={account.code: account.venue_code or account.code for account in accounts},
            symbols={known.symbol: known.description for known in symbols},
            highest_number=_highest(connection_id, client_number),
        )


def allocate(
    schema: str, connection_id: int, client_number: int, floor: int, venue_cl_ord_id: str
) -> int:
    """Return the number of a new order: the highest used so far and one, at least ``floor``.

    The same id gets the same number again, for an order whose sending is tried once more.
    """
    with tenant_bound(schema):
        GatewayLease.objects.select_for_update().get(connection_id=connection_id)
        known = OrderNumber.objects.filter(
            connection_id=connection_id, venue_cl_ord_id=venue_cl_ord_id
        ).first()
        if known is not None:
            return known.number
        number = max(_highest(connection_id, client_number) + 1, floor)
        OrderNumber.objects.create(
            connection_id=connection_id,
            client_number=client_number,
            number=number,
            venue_cl_ord_id=venue_cl_ord_id,
        )
        return number


def number_of(schema: str, connection_id: int, venue_cl_ord_id: str) -> OrderNumber | None:
    """The number an order got under this id of its chain, None for one that got none here."""
    with tenant_bound(schema):
        return OrderNumber.objects.filter(
            connection_id=connection_id, venue_cl_ord_id=venue_cl_ord_id
        ).first()


def amended(schema: str, connection_id: int, request: ReplaceOrder) -> OrderNumber:
    """Let the new version have its order's number, with the terms it asks for.

    :raises NotConnected: if the order got no number here, so that nothing can be written.
    """
    with tenant_bound(schema):
        before = OrderNumber.objects.filter(
            connection_id=connection_id, venue_cl_ord_id=request.orig_venue_cl_ord_id
        ).first()
        if before is None:
            raise NotConnected(f"{request.orig_venue_cl_ord_id} has no number at this TWS")
        version, _ = OrderNumber.objects.update_or_create(
            connection_id=connection_id,
            venue_cl_ord_id=request.venue_cl_ord_id,
            defaults={
                "client_number": before.client_number,
                "number": before.number,
                "asked": {
                    "order_qty": text(request.order_qty),
                    "price": None if request.price is None else text(request.price),
                    "stop_px": None if request.stop_px is None else text(request.stop_px),
                },
            },
        )
        return version


def versions_of(
    schema: str, connection_id: int, client_number: int, order_numbers: Iterable[int]
) -> dict[int, list[OrderNumber]]:
    """Every version of the orders with these numbers, oldest first."""
    with tenant_bound(schema):
        rows = OrderNumber.objects.filter(
            connection_id=connection_id,
            client_number=client_number,
            number__in=list(order_numbers),
        ).order_by("id")
        found: dict[int, list[OrderNumber]] = {}
        for row in rows:
            found.setdefault(row.number, []).append(row)
        return found


def current_ref(order: WireOrder, versions: list[OrderNumber]) -> str:
    """Our id of the version an order at TWS shows: the newest whose terms it has, else its own."""
    for version in reversed(versions):
        if version.asked is not None and has_terms(order, **_terms(version.asked)):
            return version.venue_cl_ord_id
    return order.order_ref


def _terms(asked: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value is None else Decimal(value) for name, value in asked.items()}


def _highest(connection_id: int, client_number: int) -> int:
    used = OrderNumber.objects.filter(connection_id=connection_id, client_number=client_number)
    last = used.order_by("-number").values_list("number", flat=True).first()
    return 0 if last is None else int(last)
