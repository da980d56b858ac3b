"""Orders and what happens to them. Rows here change only through ``oms.services``.

An order row is the fold of its ``OrderEvent`` rows; ``facts`` is that fold's state without the
ledger, which lies in ``Execution``. Foreign keys on these hot rows carry no database constraint:
each insert would lock the same account and instrument rows (a nightly check proves them).
"""

from typing import Any

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest

from brokers.models import BrokerAccount
from marketdata.models import Instrument
from trading.vocabulary import (
    CommandKind,
    CommandState,
    ExecType,
    Mode,
    OrdStatus,
    OrdType,
    ReportSource,
    Side,
    TimeInForce,
)

ULID_LENGTH = 26
CL_ORD_ID_LENGTH = 36


def _choices(enum: Any) -> list[tuple[str, str]]:
    return [(member.value, member.value) for member in enum]


def _hot_key(model: Any, **options: Any) -> Any:
    """A foreign key that says what a column means without a constraint that locks the target."""
    return models.ForeignKey(
        model, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", **options
    )


def _exact(**options: Any) -> "models.DecimalField[Any, Any]":
    """A quantity or price: 12 digits before the point, 12 behind."""
    return models.DecimalField(max_digits=24, decimal_places=12, **options)


class Order(models.Model):
    """One instruction and its whole amend chain."""

    id = models.CharField(primary_key=True, max_length=ULID_LENGTH)
    account = _hot_key(BrokerAccount)
    instrument = _hot_key(Instrument)
    symbol = models.CharField(max_length=32)
    mode = models.CharField(max_length=8, choices=_choices(Mode))
    cl_ord_id = models.CharField(max_length=CL_ORD_ID_LENGTH)
    orig_cl_ord_id = models.CharField(max_length=CL_ORD_ID_LENGTH, null=True)
    order_id = models.CharField(max_length=64, null=True)
    side = models.CharField(max_length=10, choices=_choices(Side))
    ord_type = models.CharField(max_length=24, choices=_choices(OrdType))
    order_qty = _exact()
    price = _exact(null=True)
    stop_px = _exact(null=True)
    display_qty = _exact(null=True)
    time_in_force = models.CharField(max_length=3, choices=_choices(TimeInForce))
    expire_time = models.DateTimeField(null=True)
    exec_inst = models.JSONField(default=list)
    strategy = models.CharField(max_length=64, null=True)
    tags = models.JSONField(default=dict)
    source = models.CharField(max_length=12)
    ord_status = models.CharField(max_length=16, choices=_choices(OrdStatus))
    is_closed = models.BooleanField()
    cum_qty = _exact(default=0)
    leaves_qty = _exact()
    reserved_qty = _exact()
    overfill_qty = _exact(default=0)
    gross_trade_amt = models.DecimalField(max_digits=38, decimal_places=18, default=0)
    reserve_px = _exact()
    ord_rej_reason = models.CharField(max_length=20, null=True)
    text = models.CharField(max_length=500, default="")
    intent_hash = models.CharField(max_length=64)
    facts = models.JSONField()
    created_by = models.CharField(max_length=200)
    version = models.IntegerField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "oms_order"
        indexes = [
            models.Index(fields=["account", "order_id"], name="order_by_venue_id"),
            models.Index(fields=["account"], condition=Q(is_closed=False), name="order_open"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(order_qty__gt=0), name="order_qty_positive"),
            models.CheckConstraint(
                condition=Q(cum_qty__gte=0, leaves_qty__gte=0, overfill_qty__gte=0)
                & Q(reserved_qty__gte=0),
                name="order_quantities_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(overfill_qty=Greatest(F("cum_qty") - F("order_qty"), 0)),
                name="order_overfill_is_excess",
            ),
            models.CheckConstraint(
                condition=Q(is_closed=False) | Q(leaves_qty=0), name="order_closed_has_no_leaves"
            ),
            models.CheckConstraint(
                condition=Q(is_closed=True)
                | Q(ord_status="DONE_FOR_DAY")
                | Q(leaves_qty=Greatest(F("order_qty") - F("cum_qty"), 0))
                | Q(leaves_qty=0, ord_status="PENDING_CANCEL")
                | Q(leaves_qty=0, ord_status="PENDING_REPLACE"),
                name="order_leaves_is_rest",
            ),
            models.CheckConstraint(
                condition=~Q(ord_status="FILLED") | Q(cum_qty__gte=F("order_qty")),
                name="order_filled_is_full",
            ),
            models.CheckConstraint(
                condition=~Q(ord_status__in=["REJECTED", "NEW", "PENDING_NEW"]) | Q(cum_qty=0),
                name="order_unfilled_has_no_cum",
            ),
            models.CheckConstraint(
                condition=~Q(ord_type="LIMIT") | Q(price__isnull=False),
                name="order_limit_has_price",
            ),
            models.CheckConstraint(
                condition=Q(display_qty__isnull=True) | Q(display_qty__lte=F("order_qty")),
                name="order_display_within_qty",
            ),
            models.CheckConstraint(
                condition=Q(cum_qty=0, gross_trade_amt=0) | Q(cum_qty__gt=0, gross_trade_amt__gt=0),
                name="order_amount_with_quantity",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cl_ord_id} {self.side} {self.order_qty.normalize():f} {self.symbol}"


class ClOrdId(models.Model):
    """Every client id an account ever used, for orders, replaces and cancels: unique for ever."""

    id = models.BigAutoField(primary_key=True)
    account = _hot_key(BrokerAccount)
    cl_ord_id = models.CharField(max_length=CL_ORD_ID_LENGTH)
    order = _hot_key(Order)
    kind = models.CharField(max_length=8, choices=_choices(CommandKind))
    content_hash = models.CharField(max_length=64)

    class Meta:
        db_table = "oms_cl_ord_id"
        constraints = [
            models.UniqueConstraint(fields=["account", "cl_ord_id"], name="cl_ord_id_once")
        ]

    def __str__(self) -> str:
        return self.cl_ord_id


class OrderVersion(models.Model):
    """One link of an amend chain; v0 is the order as submitted."""

    PENDING, ACCEPTED, SUPERSEDED, REJECTED = "PENDING", "ACCEPTED", "SUPERSEDED", "REJECTED"

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="versions")
    account = _hot_key(BrokerAccount)
    number = models.IntegerField()
    cl_ord_id = models.CharField(max_length=CL_ORD_ID_LENGTH)
    venue_cl_ord_id = models.CharField(max_length=32)
    order_qty = _exact()
    price = _exact(null=True)
    time_in_force = models.CharField(max_length=3)
    state = models.CharField(
        max_length=10, choices=[(s, s) for s in (PENDING, ACCEPTED, SUPERSEDED, REJECTED)]
    )
    created_at = models.DateTimeField()

    class Meta:
        db_table = "oms_order_version"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "venue_cl_ord_id"], name="version_venue_id_once"
            ),
            models.UniqueConstraint(fields=["order", "number"], name="version_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} v{self.number}"


class Command(models.Model):
    """One request we want a venue to carry out. This table is the outbox to the venues."""

    OPEN_STATES = (CommandState.QUEUED, CommandState.SENDING, CommandState.UNKNOWN)

    id = models.CharField(primary_key=True, max_length=ULID_LENGTH)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="commands")
    account = _hot_key(BrokerAccount)
    kind = models.CharField(max_length=8, choices=_choices(CommandKind))
    cl_ord_id = models.CharField(max_length=CL_ORD_ID_LENGTH)
    orig_cl_ord_id = models.CharField(max_length=CL_ORD_ID_LENGTH, null=True)
    venue_cl_ord_id = models.CharField(max_length=32)
    payload = models.JSONField()
    state = models.CharField(max_length=8, choices=_choices(CommandState))
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


class OrderEvent(models.Model):
    """One report as applied. Append-only: a trigger refuses edits."""

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="events")
    seq = models.IntegerField()
    at = models.DateTimeField()
    exec_type = models.CharField(max_length=16, choices=_choices(ExecType))
    exec_id = models.CharField(max_length=64)
    source = models.CharField(max_length=8, choices=_choices(ReportSource))
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
    account = _hot_key(BrokerAccount)
    symbol = models.CharField(max_length=32)
    side = models.CharField(max_length=10, choices=_choices(Side))
    exec_id = models.CharField(max_length=64)
    exec_type = models.CharField(max_length=16, choices=_choices(ExecType))
    exec_ref_id = models.CharField(max_length=64, null=True)
    last_qty = _exact()
    last_px = _exact()
    fee = _exact(default=0)
    fee_currency = models.CharField(max_length=8)
    liquidity = models.CharField(max_length=8, null=True)
    late = models.BooleanField(default=False)
    venue_seq = models.BigIntegerField(null=True)
    cl_ord_id = models.CharField(max_length=CL_ORD_ID_LENGTH, null=True)
    venue_cl_ord_id = models.CharField(max_length=32, null=True)
    source = models.CharField(max_length=8, choices=_choices(ReportSource))
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


class ParkedReport(models.Model):
    """A report that could not be applied: kept for a person, never dropped."""

    id = models.CharField(primary_key=True, max_length=ULID_LENGTH)
    account = _hot_key(BrokerAccount)
    order = _hot_key(Order, null=True)
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
    account = _hot_key(BrokerAccount)
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
    account = _hot_key(BrokerAccount)
    at = models.DateTimeField()
    complete = models.BooleanField()
    reports_applied = models.IntegerField()
    breaks_open = models.IntegerField()

    class Meta:
        db_table = "oms_reconciliation_run"
        indexes = [models.Index(fields=["account", "-at"], name="reconciliation_latest")]

    def __str__(self) -> str:
        return f"{self.account_id} at {self.at:%Y-%m-%d %H:%M:%S}"
