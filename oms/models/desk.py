"""What a person has to look at: parked reports, differences, and how reconciliation went."""

from django.db import models
from django.db.models import Q

from brokers.models import BrokerAccount
from oms.models.columns import ULID_LENGTH, hot_key
from oms.models.orders import Order


class ParkedReport(models.Model):
    """A report that could not be applied: kept for a person, never dropped."""

    id = models.CharField(primary_key=True, max_length=ULID_LENGTH)
    account = hot_key(BrokerAccount)
    order = hot_key(Order, null=True)
    reason = models.CharField(max_length=64)
    report = models.JSONField(null=True)
    broker_message_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=200, null=True)
    resolution = models.CharField(max_length=500, default="")

    class Meta:
        db_table = "oms_parked_report"
        indexes = [
            models.Index(fields=["at"], condition=Q(resolved_at=None), name="parked_unresolved")
        ]

    def __str__(self) -> str:
        return f"{self.reason} {self.id}"


class Break(models.Model):
    """A difference between our books and the venue's, open until evidence or a person closes it."""

    id = models.CharField(primary_key=True, max_length=ULID_LENGTH)
    account = hot_key(BrokerAccount)
    kind = models.CharField(max_length=24)
    subject = models.CharField(max_length=64)
    ours = models.CharField(max_length=80)
    theirs = models.CharField(max_length=80)
    detail = models.CharField(max_length=500)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    resolution = models.CharField(max_length=500, default="")
    owner = models.CharField(max_length=200, default="", db_default="")
    closed_by = models.CharField(max_length=200, default="", db_default="")

    class Meta:
        db_table = "oms_break"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "kind", "subject"],
                condition=Q(closed_at=None),
                name="break_open_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class ReconciliationRun(models.Model):
    """One comparison of an account with its venue, so that "when last checked" has an answer."""

    id = models.BigAutoField(primary_key=True)
    account = hot_key(BrokerAccount)
    at = models.DateTimeField()
    complete = models.BooleanField()
    reports_applied = models.IntegerField()
    breaks_open = models.IntegerField()

    class Meta:
        db_table = "oms_reconciliation_run"
        indexes = [models.Index(fields=["account", "-at"], name="reconciliation_latest")]

    def __str__(self) -> str:
        return f"{self.account_id} at {self.at:%Y-%m-%d %H:%M:%S}"
