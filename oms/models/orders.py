"""The order, the client ids it used, and its amend chain."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest

from brokers.models import BrokerAccount
from marketdata.models import Instrument
from oms.models.columns import CL_ORD_ID_LENGTH, ULID_LENGTH, choices, exact, hot_key
from trading.vocabulary import (
    CommandKind,
    HeldBy,
    Mode,
    OrdStatus,
    OrdType,
    PegPriceType,
    Side,
    TimeInForce,
    TrailType,
    TriggerPriceType,
)


class Order(models.Model):
    """One instruction and its whole amend chain."""

    id = models.CharField(primary_key=True, max_length=ULID_LENGTH)
    account = hot_key(BrokerAccount)
    instrument = hot_key(Instrument)
    symbol = models.CharField(max_length=32)
    mode = models.CharField(max_length=8, choices=choices(Mode))
    cl_ord_id = models.CharField(max_length=CL_ORD_ID_LENGTH)
    orig_cl_ord_id = models.CharField(max_length=CL_ORD_ID_LENGTH, null=True)
    order_id = models.CharField(max_length=64, null=True)
    side = models.CharField(max_length=10, choices=choices(Side))
    ord_type = models.CharField(max_length=24, choices=choices(OrdType))
    order_qty = exact()
    price = exact(null=True)
    stop_px = exact(null=True)
    display_qty = exact(null=True)
    time_in_force = models.CharField(max_length=3, choices=choices(TimeInForce))
    expire_time = models.DateTimeField(null=True)
    exec_inst = models.JSONField(default=list)
    cash_order_qty = exact(null=True)
    unspent_cash = exact(null=True)
    min_qty = exact(null=True)
    trigger_price_type = models.CharField(
        max_length=8, choices=choices(TriggerPriceType), null=True
    )
    trail_offset = exact(null=True)
    trail_type = models.CharField(max_length=8, choices=choices(TrailType), null=True)
    activation_px = exact(null=True)
    limit_offset = exact(null=True)
    peg_price_type = models.CharField(max_length=8, choices=choices(PegPriceType), null=True)
    peg_offset = models.IntegerField(null=True)
    max_slippage_bps = exact(null=True)
    extended_hours = models.BooleanField(default=False, db_default=False)
    held_by = models.CharField(max_length=4, choices=choices(HeldBy), null=True)
    synthetic_tif = models.BooleanField(default=False, db_default=False)
    list_id = models.CharField(max_length=ULID_LENGTH, null=True)
    leg_no = models.SmallIntegerField(null=True)
    serves_leg = models.SmallIntegerField(null=True)
    strategy = models.CharField(max_length=64, null=True)
    tags = models.JSONField(default=dict)
    source = models.CharField(max_length=12)
    ord_status = models.CharField(max_length=16, choices=choices(OrdStatus))
    is_closed = models.BooleanField()
    cum_qty = exact(default=0)
    leaves_qty = exact()
    reserved_qty = exact()
    overfill_qty = exact(default=0)
    gross_trade_amt = models.DecimalField(max_digits=38, decimal_places=18, default=0)
    reserve_px = exact()
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
            models.Index(fields=["account"], condition=Q(held_by="OMS"), name="order_kept"),
            models.Index(
                fields=["expire_time"],
                condition=Q(is_closed=False, time_in_force="GTD"),
                name="order_expiring",
            ),
            models.Index(
                fields=["account"],
                condition=Q(is_closed=False) & ~Q(exec_inst=[]),
                name="order_open_instructed",
            ),
            models.Index(
                fields=["account"],
                condition=Q(
                    is_closed=False,
                    ord_status="NEW",
                    ord_type__in=["LIMIT_IF_TOUCHED", "STOP_LIMIT", "TRAILING_STOP_LIMIT"],
                ),
                name="order_open_stop_limit",
            ),
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
                condition=~Q(
                    ord_type__in=["LIMIT", "STOP_LIMIT", "LIMIT_IF_TOUCHED", "TRAILING_STOP_LIMIT"]
                )
                | Q(price__isnull=False)
                | Q(limit_offset__isnull=False),
                name="order_limit_has_price",
            ),
            models.CheckConstraint(
                condition=~Q(
                    ord_type__in=["STOP", "STOP_LIMIT", "MARKET_IF_TOUCHED", "LIMIT_IF_TOUCHED"]
                )
                | Q(stop_px__isnull=False),
                name="order_stop_has_trigger",
            ),
            models.CheckConstraint(
                condition=~Q(ord_type__in=["TRAILING_STOP", "TRAILING_STOP_LIMIT"])
                | Q(trail_offset__gt=0, trail_type__isnull=False),
                name="order_trail_has_offset",
            ),
            models.CheckConstraint(
                condition=Q(time_in_force="GTD", expire_time__isnull=False)
                | ~Q(time_in_force="GTD") & Q(expire_time__isnull=True),
                name="order_gtd_has_expire_time",
            ),
            models.CheckConstraint(
                condition=Q(cash_order_qty__isnull=True) | Q(cash_order_qty__gt=0),
                name="order_cash_positive",
            ),
            models.CheckConstraint(
                condition=Q(display_qty__isnull=True) | Q(display_qty__lte=F("order_qty")),
                name="order_display_within_qty",
            ),
            models.CheckConstraint(
                condition=Q(cum_qty=0, gross_trade_amt=0) | Q(cum_qty__gt=0, gross_trade_amt__gt=0),
                name="order_amount_with_quantity",
            ),
            models.CheckConstraint(
                condition=Q(list_id=None, leg_no=None, serves_leg=None)
                | Q(list_id__isnull=False, leg_no__gte=1, serves_leg__gte=1),
                name="order_leg_has_list",
            ),
            models.UniqueConstraint(
                fields=["list_id", "leg_no"],
                condition=Q(list_id__isnull=False),
                name="order_leg_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cl_ord_id} {self.side} {self.order_qty.normalize():f} {self.symbol}"


class ClOrdId(models.Model):
    """Every client id an account ever used, for orders, replaces and cancels: unique for ever."""

    id = models.BigAutoField(primary_key=True)
    account = hot_key(BrokerAccount)
    cl_ord_id = models.CharField(max_length=CL_ORD_ID_LENGTH)
    order = hot_key(Order)
    kind = models.CharField(max_length=8, choices=choices(CommandKind))
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
    account = hot_key(BrokerAccount)
    number = models.IntegerField()
    cl_ord_id = models.CharField(max_length=CL_ORD_ID_LENGTH)
    venue_cl_ord_id = models.CharField(max_length=32)
    order_qty = exact()
    price = exact(null=True)
    time_in_force = models.CharField(max_length=3)
    stop_px = exact(null=True)
    display_qty = exact(null=True)
    expire_time = models.DateTimeField(null=True)
    trail_offset = exact(null=True)
    limit_offset = exact(null=True)
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
