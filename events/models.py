"""The tenant's stream of events, its chain head, the cursors of its readers, and stored answers."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

# The previous hash of the first event of every stream.
GENESIS_HASH = "0" * 64

SEQUENCE = "events_event_seq"


class NextInsertion(models.Func):
    """The next number of the insertion sequence of the schema the table lies in."""

    # The cast is evaluated while the table is made, so the default is bound to that schema's
    # sequence and no later search_path can send it elsewhere.
    template = f"nextval('{SEQUENCE}'::regclass)"
    output_field = models.BigIntegerField()


class Event(models.Model):
    """One committed fact of the firm, append-only.

    ``seq`` is the order of insertion and has gaps. ``position`` (1, 2, 3 ... without gaps) and
    ``hash`` are given once by the relay, to rows already committed.
    """

    id = models.CharField(primary_key=True, max_length=26)
    seq = models.BigIntegerField(db_default=NextInsertion(), editable=False)
    position = models.BigIntegerField(null=True, unique=True, editable=False)
    type = models.CharField(max_length=64)
    subject = models.CharField(max_length=64)
    occurred_at = models.DateTimeField()
    actor = models.CharField(max_length=200)
    correlation_id = models.CharField(max_length=64, default="", blank=True)
    data = models.JSONField()
    hash = models.CharField(max_length=64, null=True, editable=False)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["seq"], name="events_event_unpositioned", condition=Q(position=None)
            ),
            models.Index(fields=["subject", "seq"], name="events_event_by_subject"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(position=None, hash=None)
                | Q(
                    position__isnull=False,
                    position__gte=1,
                    hash__isnull=False,
                    hash__regex=r"^[0-9a-f]{64}$",
                ),
                name="events_event_position_with_hash",
            ),
            models.CheckConstraint(
                condition=Q(type__regex=r"^[a-z_]+(\.[a-z_]+)+$"), name="events_event_type_dotted"
            ),
            models.CheckConstraint(
                condition=Q(id__regex=r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$"), name="events_event_id_ulid"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject} at {self.position or 'no position yet'}"


class StreamHead(models.Model):
    """The last position given and its hash: one row per tenant, made by the relay."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    position = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=GENESIS_HASH)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="events_streamhead_single"),
            models.CheckConstraint(
                condition=Q(position__gte=0), name="events_streamhead_position_valid"
            ),
        ]

    def __str__(self) -> str:
        return f"head at {self.position}"


class SubscriberCursor(models.Model):
    """How far one subscriber has followed this tenant's stream, and its trouble if it has any."""

    name = models.CharField(primary_key=True, max_length=64)
    position = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField()
    failures = models.IntegerField(default=0)
    last_error = models.CharField(max_length=500, default="", blank=True)
    retry_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(position__gte=0) & Q(failures__gte=0),
                name="events_subscribercursor_counts_valid",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} at {self.position}"


class Proof(models.Model):
    """When something about the firm's records was last proved, and what came of it.

    ``position`` and ``hash`` are how far a proof that goes on from its last end has come.
    ``problem`` is empty where all held.
    """

    name = models.CharField(primary_key=True, max_length=32)
    at = models.DateTimeField()
    figure = models.CharField(max_length=64)
    detail = models.CharField(max_length=500, default="")
    problem = models.CharField(max_length=500, default="")
    position = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="")

    def __str__(self) -> str:
        return f"{self.name}: {self.problem or 'holds'}"


class IdempotentAnswer(models.Model):
    """What a POST with an Idempotency-Key answered; kept for 24 hours, without its secrets.

    ``fingerprint`` is a sha256 over method, path and body, so that a key used for something else
    is told apart.
    """

    actor = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.SmallIntegerField()
    content_type = models.CharField(max_length=100)
    body = models.TextField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["actor", "key"], name="events_idempotentanswer_once"),
            models.CheckConstraint(
                condition=Q(status__gte=200) & Q(status__lt=400),
                name="events_idempotentanswer_only_successes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} for {self.key}"
