"""The paper venue's own books. They are the venue's memory: only its adapter touches them.

The order management system learns of them as it would of a foreign exchange's: by answers,
messages and queries. Constraint-less keys are those of rows written with every order.
"""

from typing import Any

from django.db import models
from django.db.models import F, Q

from brokers.models.connections import BrokerAccount, BrokerConnection
from common.numbers import dec_str
from trading.vocabulary import (
    ExecType,
    OrdStatus,
    OrdType,
    PegPriceType,
    Side,
    TimeInForce,
    TrailType,
    TriggerPriceType,
)

FILLS_AND_CORRECTIONS = [
    ExecType.TRADE.value,
    ExecType.TRADE_CANCEL.value,
    ExecType.TRADE_CORRECT.value,
]


def _choices(enum: Any) -> list[tuple[str, str]]:
    return [(member.value, member.value) for member in enum]


def _exact(**options: Any) -> Any:
    return models.DecimalField(max_digits=24, decimal_places=12, **options)


def _amount() -> Any:
    return models.DecimalField(max_digits=38, decimal_places=18, default=0, db_default=0)


def _loose_key(model: Any, **options: Any) -> Any:
    return models.ForeignKey(
        model, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", **options
    )


class PaperVenue(models.Model):
    """The venue end of one connection. ``session`` rises with every log-on: the older session's
    writes fail from then on, as a venue that lets one session in would have it.
    """

    connection = models.OneToOneField(
        BrokerConnection, on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    session = models.BigIntegerField(default=0)
    last_order_no = models.BigIntegerField(default=0)

    class Meta:
        db_table = "paper_venue"

    def __str__(self) -> str:
        return f"paper venue {self.connection_id}"


class PaperAccount(models.Model):
    """An account as the venue has it: opening cash, message counter, and what it pays.

    Fees are basis points of the amount traded by who rested, money ``per_unit`` of quantity, and
    for an order that is filled whole ``minimum_fee`` at least.
    """

    account = models.OneToOneField(
        BrokerAccount, on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    venue = models.ForeignKey(PaperVenue, on_delete=models.PROTECT, related_name="accounts")
    currency = models.CharField(max_length=8)
    opening_cash = _exact()
    maker_bps = models.DecimalField(max_digits=8, decimal_places=4)
    taker_bps = models.DecimalField(max_digits=8, decimal_places=4)
    per_unit = _exact(default=0, db_default=0)
    minimum_fee = _exact(default=0, db_default=0)
    last_seq = models.BigIntegerField(default=0)

    class Meta:
        db_table = "paper_account"

    def __str__(self) -> str:
        return f"paper account {self.account_id}"


class PaperOrder(models.Model):
    """An order in the venue's book, or one it had. ``priority`` orders equal prices by time.

    The terms are as they were asked for; what has become of them (the stop of a trail, the price
    of a peg, the part an iceberg shows) is in ``working``, the engine's order as it was last
    reported, null once it is done. ``fee_exact`` is the sum ``fee_amount`` rounds.
    """

    id = models.BigAutoField(primary_key=True)
    account = _loose_key(BrokerAccount)
    venue = _loose_key(PaperVenue)
    order_id = models.CharField(max_length=32)
    venue_cl_ord_id = models.CharField(max_length=32)
    symbol = models.CharField(max_length=32)
    currency = models.CharField(max_length=8)
    tick_size = _exact()
    lot_size = _exact()
    multiplier = _exact()
    side = models.CharField(max_length=10, choices=_choices(Side))
    ord_type = models.CharField(max_length=24, choices=_choices(OrdType))
    time_in_force = models.CharField(max_length=3, choices=_choices(TimeInForce))
    expire_time = models.DateTimeField(null=True)
    order_qty = _exact()
    price = _exact(null=True)
    stop_px = _exact(null=True)
    display_qty = _exact(null=True)
    min_qty = _exact(null=True)
    trigger_price_type = models.CharField(
        max_length=8, choices=_choices(TriggerPriceType), null=True
    )
    trail_offset = _exact(null=True)
    trail_type = models.CharField(max_length=8, choices=_choices(TrailType), null=True)
    activation_px = _exact(null=True)
    limit_offset = _exact(null=True)
    peg_price_type = models.CharField(max_length=8, choices=_choices(PegPriceType), null=True)
    peg_offset = models.IntegerField(null=True)
    cum_qty = _exact(default=0)
    ord_status = models.CharField(max_length=16, choices=_choices(OrdStatus))
    is_working = models.BooleanField()
    priority = models.BigIntegerField()
    day_ends_at = models.DateTimeField(null=True)
    text = models.CharField(max_length=200, default="")
    working = models.JSONField(null=True)
    fee_exact = _amount()
    fee_notional = _amount()
    fee_amount = _amount()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        db_table = "paper_order"
        indexes = [
            models.Index(
                fields=["venue", "priority"], condition=Q(is_working=True), name="paper_working"
            ),
            models.Index(fields=["order_id"], name="paper_order_by_order_id"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["venue", "order_id"],
                condition=Q(is_working=True),
                name="paper_order_id_works_once",
            ),
            models.CheckConstraint(condition=Q(cum_qty__gte=0), name="paper_cum_not_negative"),
            models.CheckConstraint(
                condition=Q(is_working=False) | Q(cum_qty__lt=F("order_qty")),
                name="paper_working_has_rest",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.side} {dec_str(self.order_qty)} {self.symbol}"


class PaperClientId(models.Model):
    """Every client id the venue ever took, of orders and replaces: unique for ever."""

    id = models.BigAutoField(primary_key=True)
    account = _loose_key(BrokerAccount)
    venue_cl_ord_id = models.CharField(max_length=32)
    order = _loose_key(PaperOrder)

    class Meta:
        db_table = "paper_client_id"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "venue_cl_ord_id"], name="paper_client_id_once"
            )
        ]

    def __str__(self) -> str:
        return self.venue_cl_ord_id


class PaperExecution(models.Model):
    """One message of the venue's journal, a trade or another report, as its bytes. Append-only.

    ``venue_seq`` counts an account's messages without a gap; ``exec_id`` is made of it.
    """

    id = models.BigAutoField(primary_key=True)
    account = _loose_key(BrokerAccount)
    order = _loose_key(PaperOrder, null=True)
    venue_seq = models.BigIntegerField()
    exec_id = models.CharField(max_length=64)
    exec_type = models.CharField(max_length=16, choices=_choices(ExecType))
    symbol = models.CharField(max_length=32)
    currency = models.CharField(max_length=8)
    qty_delta = _exact(default=0)
    cash_delta = models.DecimalField(max_digits=38, decimal_places=18, default=0)
    transact_time = models.DateTimeField()
    raw = models.TextField()

    class Meta:
        db_table = "paper_execution"
        indexes = [
            models.Index(
                fields=["account", "transact_time"],
                condition=Q(exec_type__in=FILLS_AND_CORRECTIONS),
                name="paper_trades",
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "venue_seq"], name="paper_seq_once"),
            models.UniqueConstraint(fields=["account", "exec_id"], name="paper_exec_once"),
        ]

    def __str__(self) -> str:
        return f"{self.exec_id} {self.exec_type}"
