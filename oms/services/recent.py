"""What an account sent moments ago: how many orders, and whether one was equal to this one."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import QuerySet

from brokers.models import BrokerAccount
from common.ids import first_ulid_of
from oms.models import Order
from trading.orders.intent import OrderIntent
from trading.risk import Recent, RuleId, Twin, duplicate_window
from trading.vocabulary import OrdRejReason

PORTAL = "portal"
SECOND = timedelta(seconds=1)
CONTENT = ("symbol", "side", "ord_type", "order_qty", "price", "stop_px")
"""Two orders of an account that agree in these are equal."""


def recent_orders(
    account: BrokerAccount,
    intent: OrderIntent,
    limits: Mapping[RuleId, Decimal],
    now: datetime,
    beside: Sequence[OrderIntent] = (),
) -> Recent:
    """Return what the rules among ``limits`` have to know of the orders before this one.

    ``beside`` are orders to be taken with it: they count as accepted this instant.
    Read while the account's exposure row is locked: orders of the same moment are in line.
    """
    window = limits.get(RuleId.DUPLICATE_ORDER)
    return Recent(
        twin=None if window is None else _twin(account, intent, window, now, beside),
        orders=(
            _accepted_since(account, now - SECOND).count()
            if RuleId.MAX_ORDERS_PER_SECOND in limits
            else None
        ),
    )


def _twin(
    account: BrokerAccount,
    intent: OrderIntent,
    limit: Decimal,
    now: datetime,
    beside: Sequence[OrderIntent],
) -> Twin | None:
    window = duplicate_window(limit, by_hand=intent.source == PORTAL)
    same = {name: getattr(intent, name) for name in CONTENT}
    if any(all(getattr(one, name) == same[name] for name in CONTENT) for one in beside):
        return Twin("a leg of this list", timedelta(0), window)
    latest = (
        _accepted_since(account, now - window)
        .filter(**same)
        .order_by("-id")
        .values_list("cl_ord_id", "created_at")
        .first()
    )
    if latest is None:
        return None
    cl_ord_id, created_at = latest
    return Twin(cl_ord_id, max(now - created_at, timedelta(0)), window)


def _accepted_since(account: BrokerAccount, moment: datetime) -> QuerySet[Order]:
    """Orders younger than that; those that risk refused never were any. Ids carry their time."""
    rows = Order.objects.filter(
        pk__gte=first_ulid_of(moment), account_id=account.pk, created_at__gt=moment
    )
    return rows.exclude(ord_rej_reason=OrdRejReason.RISK)
