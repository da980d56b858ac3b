"""Alarms about triggers kept here: blind, missed, or fired into a limit the market has passed."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db.models import QuerySet

from common.numbers import dec_str, opt_dec_str
from oms.models import Order, OrderEvent
from oms.services.alarms import Alarm, AlarmKind, Subject, close_alarms, raise_alarms
from oms.services.keeping import KEEPER, working_stop_limits
from tenants.binding import tenant_bound
from trading.vocabulary import ExecType

STOP_LIMIT_GRACE = timedelta(seconds=5)


def tell_alarms(
    *,
    schema: str,
    connection_id: int,
    blind: Mapping[Subject, Alarm],
    missed: Mapping[Subject, Alarm],
    kept: Collection[Subject],
    now: datetime,
) -> None:
    """Bring the connection's alarms about triggers in step with what is so now.

    ``blind`` names symbols, ``missed`` and ``kept`` orders: a missed trigger stays an alarm until
    its order is kept no more.
    """
    with tenant_bound(schema):
        skipped = _skipped(connection_id, now)
        for kind, found, but, resolution in (
            (AlarmKind.TRIGGER_BLIND, blind, blind.keys(), "prices are fresh, or nothing waits"),
            (AlarmKind.TRIGGER_MISSED, missed, kept, "the order does not wait any more"),
            (AlarmKind.STOP_LIMIT_SKIPPED, skipped, skipped.keys(), "it trades, or has ended"),
        ):
            raise_alarms(kind, found, actor=KEEPER, now=now)
            close_alarms(
                kind,
                connection_id=connection_id,
                but=but,
                resolution=resolution,
                actor=KEEPER,
                now=now,
            )


def _skipped(connection_id: int, now: datetime) -> dict[Subject, Alarm]:
    """Stop limits that fired a while ago and have not traded: the market is beyond their limit."""
    working = working_stop_limits(connection_id)
    fired_at = _fired_at(working, before=now - STOP_LIMIT_GRACE)
    return {
        (order.account_id, order.id): Alarm(
            ours=f"{order.side} {dec_str(order.order_qty)} at {opt_dec_str(order.price)}",
            theirs=f"no fill since {fired_at[order.id]:%H:%M:%S}",
            detail=(
                f"{order.ord_type} {order.cl_ord_id} fired at {opt_dec_str(order.stop_px)} and "
                "rests unfilled: the market has passed its limit. Amend its price or cancel it."
            ),
        )
        for order in working
        if order.id in fired_at
    }


def _fired_at(orders: QuerySet[Order], *, before: datetime) -> dict[str, datetime]:
    fired = OrderEvent.objects.filter(
        order__in=orders, exec_type=ExecType.TRIGGERED, at__lte=before
    )
    return dict(fired.values_list("order_id", "at"))
