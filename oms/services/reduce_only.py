"""Reduce-only orders where their venue does not watch the position: they shrink with it."""

import logging
from collections import defaultdict
from datetime import datetime

from brokers.adapters.capabilities import Amend
from brokers.adapters.registry import capabilities_of
from brokers.models import BrokerAccount, BrokerConnection
from common.actor import system_actor
from common.errors import Refused
from oms.errors import FieldRefused
from oms.selectors import reducing_orders
from oms.services.cancel import request_cancel
from oms.services.replace import ReplaceTerms, request_replace
from portfolio.selectors import position_qty
from tenants.binding import tenant_bound
from trading.keeping.reduce_only import Cut, Reducing, cuts, reducible
from trading.orders.placement import REDUCE_ONLY
from trading.vocabulary import Side

log = logging.getLogger("oms.keeping")


def shrink_reducing(*, schema: str, connection_id: int, now: datetime) -> None:
    """Amend or cancel the reduce-only orders of a connection that exceed their position.

    The newest give way first. Legs of a list are left alone: their list sizes them.
    """
    with tenant_bound(schema):
        broker = BrokerConnection.objects.get(pk=connection_id).broker
        able = capabilities_of(broker)
        if able is None or REDUCE_ONLY in able.exec_inst:
            return
        found = _excess(connection_id)
    for cut in found:
        _apply(cut, schema, may_amend=able.amend in {Amend.IN_PLACE, Amend.ATOMIC}, now=now)


def _excess(connection_id: int) -> list[Cut]:
    groups: dict[tuple[int, str, str], list[Reducing]] = defaultdict(list)
    accounts = BrokerAccount.objects.filter(connection_id=connection_id)
    for order in reducing_orders(accounts.values_list("pk", flat=True)):
        key = (order.account_id, order.symbol, order.side)
        groups[key].append(Reducing(order.id, order.cum_qty, order.leaves_qty))
    found = []
    for (account_id, symbol, side), working in groups.items():
        held = position_qty(account_id=account_id, symbol=symbol)
        found += cuts(reducible(Side(side), held), working)
    return found


def _apply(cut: Cut, schema: str, *, may_amend: bool, now: datetime) -> None:
    actor = system_actor(schema, "keeper")
    try:
        if cut.order_qty is not None and may_amend:
            try:
                terms = ReplaceTerms(order_qty=cut.order_qty)
                request_replace(schema=schema, order_id=cut.id, actor=actor, terms=terms, now=now)
                return
            except FieldRefused as too_small:
                log.info("order %s cannot shrink and is cancelled: %s", cut.id, too_small)
        request_cancel(schema=schema, order_id=cut.id, actor=actor, now=now)
    except Refused as reason:
        # It ended meanwhile, or a request about it is under way: the next look decides anew.
        log.info("order %s exceeds its position and stays for now: %s", cut.id, reason)
