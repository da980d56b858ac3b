"""What happened to orders: append-only rows from which everything else follows."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models

from brokers.models import BrokerAccount
from oms.models.columns import CL_ORD_ID_LENGTH, ULID_LENGTH, choices, exact, hot_key
from oms.models.orders import Order
from trading.vocabulary import ExecType, ReportSource, Side


class OrderEvent(models.Model):
    """One report as applied. Append-only: a trigger refuses edits."""

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="events")
    seq = models.IntegerField()
    at = models.DateTimeField()
    exec_type = models.CharField(max_length=16, choices=choices(ExecType))
    exec_id = models.CharField(max_length=64)
    source = models.CharField(max_length=8, choices=choices(ReportSource))
    verdict = models.CharField(max_length=16)
    before = models.CharField(max_length=16)
    after = models.CharField(max_length=16)
    report = models.JSONField()
    actor = models.CharField(max_length=200)
    broker_message_id = models.BigIntegerField(null=True)

    class Meta:
        db_table = "oms_order_event"
        indexes = [BrinIndex(fields=["at"], autosummarize=True, name="order_event_by_time")]
        constraints = [
            models.UniqueConstraint(fields=["order", "seq"], name="order_event_seq_once"),
            models.UniqueConstraint(
                fields=["order", "exec_type", "exec_id"], name="order_event_report_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} #{self.seq} {self.exec_type}"


class Execution(models.Model):
    """One row of the trade ledger: superseded by later rows, never edited (a trigger refuses)."""

    id = models.CharField(primary_key=True, max_length=ULID_LENGTH)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="executions")
    account = hot_key(BrokerAccount)
    symbol = models.CharField(max_length=32)
    side = models.CharField(max_length=10, choices=choices(Side))
    exec_id = models.CharField(max_length=64)
    exec_type = models.CharField(max_length=16, choices=choices(ExecType))
    exec_ref_id = models.CharField(max_length=64, null=True)
    last_qty = exact()
    last_px = exact()
    fee = exact(default=0)
    fee_currency = models.CharField(max_length=8)
    liquidity = models.CharField(max_length=8, null=True)
    late = models.BooleanField(default=False)
    venue_seq = models.BigIntegerField(null=True)
    cl_ord_id = models.CharField(max_length=CL_ORD_ID_LENGTH, null=True)
    venue_cl_ord_id = models.CharField(max_length=32, null=True)
    source = models.CharField(max_length=8, choices=choices(ReportSource))
    transact_time = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        db_table = "oms_execution"
        indexes = [models.Index(fields=["account", "symbol"], name="execution_by_symbol")]
        constraints = [
            models.UniqueConstraint(fields=["account", "exec_id"], name="execution_once"),
        ]

    def __str__(self) -> str:
        return f"{self.exec_id} {self.last_qty.normalize():f} @ {self.last_px.normalize():f}"
