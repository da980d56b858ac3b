"""The tables of a small order service, as one would write them first."""

from django.db import models


class Key(models.Model):
    """Who may send orders."""

    digest = models.CharField(max_length=64, unique=True)


class Account(models.Model):
    """Where orders are booked, and what is open there."""

    code = models.CharField(max_length=32, unique=True)
    halted = models.BooleanField(default=False)
    max_qty = models.DecimalField(max_digits=24, decimal_places=12)
    max_open = models.DecimalField(max_digits=24, decimal_places=12)
    open_qty = models.DecimalField(max_digits=24, decimal_places=12, default=0)


class Instrument(models.Model):
    """What is traded, and its last price."""

    symbol = models.CharField(max_length=32, unique=True)
    last = models.DecimalField(max_digits=24, decimal_places=12)


class Order(models.Model):
    """An order somebody sent."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT)
    cl_ord_id = models.CharField(max_length=36)
    side = models.CharField(max_length=8)
    ord_type = models.CharField(max_length=16)
    order_qty = models.DecimalField(max_digits=24, decimal_places=12)
    price = models.DecimalField(max_digits=24, decimal_places=12)
    status = models.CharField(max_length=16, default="PENDING_NEW")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "cl_ord_id"], name="order_once")]


class OrderEvent(models.Model):
    """What happened to an order."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT)
    kind = models.CharField(max_length=16)
    data = models.JSONField()
    at = models.DateTimeField(auto_now_add=True)


class Outbox(models.Model):
    """What is still to be sent to the venue."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT)
    payload = models.JSONField()
    sent_at = models.DateTimeField(null=True)
