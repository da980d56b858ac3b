"""Requests to the venues: this table is the outbox."""

from django.db import models
from django.db.models import Q

from brokers.models import BrokerAccount
from oms.models.columns import CL_ORD_ID_LENGTH, ULID_LENGTH, choices, hot_key
from oms.models.orders import Order
from trading.vocabulary import CommandKind, CommandState


class Command(models.Model):
    """One request we want a venue to carry out. This table is the outbox to the venues."""

    OPEN_STATES = (CommandState.QUEUED, CommandState.SENDING, CommandState.UNKNOWN)

    id = models.CharField(primary_key=True, max_length=ULID_LENGTH)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="commands")
    account = hot_key(BrokerAccount)
    kind = models.CharField(max_length=8, choices=choices(CommandKind))
    cl_ord_id = models.CharField(max_length=CL_ORD_ID_LENGTH)
    orig_cl_ord_id = models.CharField(max_length=CL_ORD_ID_LENGTH, null=True)
    venue_cl_ord_id = models.CharField(max_length=32)
    payload = models.JSONField()
    state = models.CharField(max_length=8, choices=choices(CommandState))
    priority = models.SmallIntegerField()
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField()
    epoch = models.BigIntegerField(null=True)
    attempt = models.IntegerField(default=0)
    sending_at = models.DateTimeField(null=True)
    valid_until = models.DateTimeField(null=True)
    unknown_since = models.DateTimeField(null=True)
    next_lookup_at = models.DateTimeField(null=True)
    refused_by = models.CharField(max_length=8, null=True)
    outcome_code = models.CharField(max_length=32, default="")
    outcome_text = models.CharField(max_length=500, default="")
    outcome_at = models.DateTimeField(null=True)
    evidence = models.JSONField(default=list)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "oms_command"
        indexes = [
            models.Index(
                fields=["account", "priority", "id"],
                condition=Q(state="QUEUED"),
                name="command_queue",
            ),
            models.Index(
                fields=["next_lookup_at"], condition=Q(state="UNKNOWN"), name="command_unknown"
            ),
            models.Index(fields=["order"], name="command_of_order"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "kind"],
                condition=Q(kind="NEW", state__in=["QUEUED", "SENDING", "UNKNOWN"]),
                name="command_one_open_new",
            ),
            models.UniqueConstraint(
                fields=["order", "kind"],
                condition=Q(kind="CANCEL", state__in=["QUEUED", "SENDING", "UNKNOWN"]),
                name="command_one_open_cancel",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.cl_ord_id} {self.state}"
