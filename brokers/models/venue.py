"""What a real venue calls our things: order numbers, symbols."""

from django.db import models


class VenueSymbol(models.Model):
    """An instrument in the words of one connection's venue, where its symbol alone is not enough.

    ``description`` is what the adapter of that venue reads (a contract at Interactive Brokers).
    """

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        "brokers.BrokerConnection", on_delete=models.CASCADE, related_name="symbols"
    )
    symbol = models.CharField(max_length=32)
    description = models.JSONField()

    class Meta:
        db_table = "venue_symbol"
        ordering = ("symbol",)
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "symbol"], name="venue_symbol_once_per_connection"
            )
        ]

    def __str__(self) -> str:
        return self.symbol


class OrderNumber(models.Model):
    """The number one version of an order has at a venue whose numbers must rise.

    The versions of one order share its number there; a number is never used for a second order.
    ``asked`` are the terms an amendment asked for, by which the venue's books show whether it
    took effect; ``shown`` says that the venue has shown an order under this number.
    """

    id = models.BigAutoField(primary_key=True)
    connection = models.ForeignKey(
        "brokers.BrokerConnection", on_delete=models.CASCADE, related_name="+"
    )
    client_number = models.IntegerField()
    number = models.BigIntegerField()
    venue_cl_ord_id = models.CharField(max_length=32)
    asked = models.JSONField(null=True)
    shown = models.BooleanField(default=False)

    class Meta:
        db_table = "venue_order_number"
        indexes = [
            models.Index(
                fields=["connection", "client_number", "number"], name="order_number_by_number"
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "venue_cl_ord_id"], name="order_number_by_venue_id"
            )
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.venue_cl_ord_id}"
