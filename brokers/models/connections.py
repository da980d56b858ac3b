"""Broker connections, their accounts, the gateway's leases and every message that passed."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from trading.vocabulary import Mode

PAPER_BROKERS = ("paper", "paper-plain")
"""The brokers that are this system's own venue; the second takes plain orders only."""
MODES = [(mode.value, mode.value) for mode in Mode]


class Direction(models.TextChoices):
    """Which way a message went, seen from us."""

    IN = "IN"
    OUT = "OUT"


class BrokerConnection(models.Model):
    """One session with one broker. ``mode`` never changes (a trigger refuses it).

    ``options`` says where and how to reach it, as its adapter reads it; nothing secret is there.
    """

    class State(models.TextChoices):
        """What we know of the session with the venue."""

        DOWN = "DOWN"
        CONNECTING = "CONNECTING"
        SYNCING = "SYNCING"
        UP = "UP"
        DISABLED = "DISABLED"

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=64, unique=True)
    broker = models.CharField(max_length=32)
    mode = models.CharField(max_length=8, choices=MODES)
    options = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DOWN)
    reason = models.CharField(max_length=200, default="")
    state_since = models.DateTimeField()
    last_seen_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "broker_connection"
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(
                condition=~Q(broker__in=PAPER_BROKERS) | Q(mode=Mode.PAPER.value),
                name="connection_paper_is_paper",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.mode})"


class BrokerAccount(models.Model):
    """One account at a broker; its code is what people and programs name it by.

    ``venue_code`` is what the broker calls it where that is another word.
    """

    class State(models.TextChoices):
        """Whether orders may be entered."""

        ACTIVE = "ACTIVE"
        DISABLED = "DISABLED"

    id = models.BigAutoField(primary_key=True)
    code = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=120)
    venue_code = models.CharField(max_length=64, default="", blank=True)
    connection = models.ForeignKey(
        BrokerConnection, on_delete=models.PROTECT, related_name="accounts"
    )
    mode = models.CharField(max_length=8, choices=MODES)
    currency = models.CharField(max_length=8)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "broker_account"
        ordering = ("code",)

    def __str__(self) -> str:
        return f"{self.code} ({self.mode})"

    @property
    def is_active(self) -> bool:
        """Whether orders may be entered."""
        return self.state == self.State.ACTIVE


class GatewayLease(models.Model):
    """Which gateway process holds a connection. ``epoch`` rises with every new holding and is
    written on each command sent, so a holder that lost its lease is recognised afterwards.
    """

    connection = models.OneToOneField(
        BrokerConnection, on_delete=models.CASCADE, primary_key=True, related_name="lease"
    )
    holder = models.CharField(max_length=120, default="")
    epoch = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField()

    class Meta:
        db_table = "gateway_lease"

    def __str__(self) -> str:
        return f"{self.holder} epoch {self.epoch}"


class BrokerMessage(models.Model):
    """One message as it passed, stored before anything is made of it. Append-only."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(
        BrokerAccount, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    received_at = models.DateTimeField()
    direction = models.CharField(max_length=3, choices=Direction.choices)
    raw = models.TextField()
    venue_cl_ord_id = models.CharField(max_length=32, default="")

    class Meta:
        db_table = "broker_message"
        indexes = [
            models.Index(fields=["account", "venue_cl_ord_id"], name="message_by_venue_id"),
            BrinIndex(fields=["received_at"], autosummarize=True, name="message_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.id}"
