"""Order numbers, allocated before a byte leaves and never used again.

TWS takes numbers that rise; the same number again changes the order that has it.
"""

from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import Max, Q

from brokers.adapters.base import NotConnected, ReplaceOrder, RunDb
from brokers.adapters.ib.terms import has_terms, text
from brokers.adapters.ib.wire import WireOrder
from brokers.models import GatewayLease, OrderNumber
from tenants.binding import tenant_bound
from trading.numbering import Numbers


class OrderNumbers:
    """The numbers of one connection under one client id."""

    def __init__(self, run_db: RunDb, schema: str, connection_id: int, client_number: int) -> None:
        self._run_db = run_db
        self._where = (schema, connection_id, client_number)

    async def allocate(self, floor: int, venue_cl_ord_id: str) -> int:
        """Return the number of a new order: one above the highest used, at least ``floor``.

        The same id gets the same number again, for an order whose sending is tried once more.
        """
        return await self._run_db(partial(_allocate, *self._where, floor, venue_cl_ord_id))

    async def of(self, venue_cl_ord_id: str) -> OrderNumber | None:
        """The number an order got under this id of its chain, None if it got none here."""
        return await self._run_db(partial(_of, *self._where[:2], venue_cl_ord_id))

    async def shown(self, number: int) -> None:
        """The venue has shown an order under this number."""
        await self._run_db(partial(_shown, *self._where[:2], number))

    async def amend(self, request: ReplaceOrder) -> OrderNumber:
        """Let the new version have its order's number, with the terms it asks for.

        :raises NotConnected: if the order got no number here, so that nothing can be written.
        """
        return await self._run_db(partial(_amend, *self._where[:2], request))

    async def versions(self, numbers: Iterable[int]) -> dict[int, list[OrderNumber]]:
        """Every version of the orders with these numbers, oldest first."""
        return await self._run_db(partial(_versions, *self._where, list(numbers)))


def current_ref(order: WireOrder, versions: list[OrderNumber]) -> str:
    """Our id of the version an order at TWS shows: the newest whose terms it has, else its own."""
    for version in reversed(versions):
        if version.asked is not None and has_terms(order, **_terms(version.asked)):
            return version.venue_cl_ord_id
    return order.order_ref


def numbers_of(connection_id: int, client_number: int) -> Numbers:
    """The highest numbers taken and shown under a client id. Joins the caller's binding."""
    used = OrderNumber.objects.filter(connection_id=connection_id, client_number=client_number)
    found = used.aggregate(taken=Max("number"), shown=Max("number", filter=Q(shown=True)))
    return Numbers(taken=found["taken"] or 0, shown=found["shown"] or 0)


def _allocate(
    schema: str, connection_id: int, client_number: int, floor: int, venue_cl_ord_id: str
) -> int:
    with tenant_bound(schema):
        GatewayLease.objects.select_for_update().get(connection_id=connection_id)
        known = OrderNumber.objects.filter(
            connection_id=connection_id, venue_cl_ord_id=venue_cl_ord_id
        ).first()
        if known is not None:
            return known.number
        number = max(numbers_of(connection_id, client_number).taken + 1, floor)
        OrderNumber.objects.create(
            connection_id=connection_id,
            client_number=client_number,
            number=number,
            venue_cl_ord_id=venue_cl_ord_id,
        )
        return number


def _shown(schema: str, connection_id: int, number: int) -> None:
    with tenant_bound(schema):
        OrderNumber.objects.filter(connection_id=connection_id, number=number).update(shown=True)


def _of(schema: str, connection_id: int, venue_cl_ord_id: str) -> OrderNumber | None:
    with tenant_bound(schema):
        return OrderNumber.objects.filter(
            connection_id=connection_id, venue_cl_ord_id=venue_cl_ord_id
        ).first()


def _amend(schema: str, connection_id: int, request: ReplaceOrder) -> OrderNumber:
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


def _versions(
    schema: str, connection_id: int, client_number: int, numbers: list[int]
) -> dict[int, list[OrderNumber]]:
    with tenant_bound(schema):
        rows = OrderNumber.objects.filter(
            connection_id=connection_id, client_number=client_number, number__in=numbers
        ).order_by("id")
        found: dict[int, list[OrderNumber]] = {}
        for row in rows:
            found.setdefault(row.number, []).append(row)
        return found


def _terms(asked: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value is None else Decimal(value) for name, value in asked.items()}
