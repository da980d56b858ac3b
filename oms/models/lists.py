"""Groups of orders that depend on each other."""

from django.db import models
from django.db.models import Q

from brokers.models import BrokerAccount
from oms.models.columns import CL_ORD_ID_LENGTH, ULID_LENGTH, choices, exact, hot_key
from trading.contingency import ContingencyType, ListOrderStatus, Release, Reprotect, Sizing
from trading.vocabulary import Mode


class OrderList(models.Model):
    """A contingency group. Its legs are orders that name it in ``list_id``.

    A leg may be served by several orders one after the other: ``Order.serves_leg`` is the leg
    asked for, ``Order.leg_no`` the order's own number in the list. ``legs`` holds, per leg asked
    for, what no order row says: its role and its distance from the entry. ``is_due`` says that
    something happened to a leg since the list was last followed; it is set in the transaction
    that folds the report. Whoever locks a list holds the locks of the orders it concerns already.
    """

    id = models.CharField(primary_key=True, max_length=ULID_LENGTH)
    account = hot_key(BrokerAccount)
    symbol = models.CharField(max_length=32)
    mode = models.CharField(max_length=8, choices=choices(Mode))
    cl_ord_id = models.CharField(max_length=CL_ORD_ID_LENGTH)
    contingency_type = models.CharField(max_length=16, choices=choices(ContingencyType))
    release = models.CharField(max_length=13, choices=choices(Release), null=True)
    sizing = models.CharField(max_length=5, choices=choices(Sizing), null=True)
    reprotect = models.CharField(max_length=7, choices=choices(Reprotect))
    legs = models.JSONField()
    list_order_status = models.CharField(max_length=9, choices=choices(ListOrderStatus))
    withdrawn_legs = models.JSONField(default=list)
    forgiven_orders = models.JSONField(default=list)
    unprotected_qty = exact(default=0)
    unprotected_since = models.DateTimeField(null=True)
    unprotected_alarm_at = models.DateTimeField(null=True)
    unprotected_reason = models.CharField(max_length=200, default="")
    overfill_qty = exact(default=0)
    overfilled_at = models.DateTimeField(null=True)
    flattened_qty = exact(default=0)
    is_due = models.BooleanField(default=False)
    source = models.CharField(max_length=12)
    strategy = models.CharField(max_length=64, null=True)
    intent_hash = models.CharField(max_length=64)
    created_by = models.CharField(max_length=200)
    version = models.IntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "oms_order_list"
        indexes = [
            models.Index(
                fields=["account"],
                condition=Q(list_order_status="EXECUTING")
                | Q(is_due=True)
                | Q(unprotected_since__isnull=False),
                name="order_list_open",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "cl_ord_id"], name="order_list_id_once"),
            models.CheckConstraint(
                condition=Q(unprotected_qty__gte=0, overfill_qty__gte=0, flattened_qty__gte=0),
                name="order_list_quantities_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(unprotected_since=None, unprotected_qty=0, unprotected_alarm_at=None)
                | Q(unprotected_since__isnull=False, unprotected_qty__gt=0),
                name="order_list_unprotected_since",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contingency_type} {self.cl_ord_id} {self.list_order_status}"
