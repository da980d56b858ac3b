"""The books of one firm: journal, lots, and the running totals that are read from them.

The journal and the lots' closures are append-only and are the truth. ``Position``, ``Balance`` and
the open part of a ``Lot`` are totals of it, kept in the same transaction; ``check_books`` proves
them. Signs are those of ``trading.journal``: a short position has negative quantity and cost.

Foreign keys carry no database constraint: rows here are written with every fill, and each insert
would lock the row it points to. ``check_books`` looks for orphans.
"""

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from common.numbers import dec_str
from trading.journal import Ledger, Reason
from trading.lots import Lot as LotValue

SYMBOL_LENGTH = 32
CURRENCY_LENGTH = 8
REF_LENGTH = 64


def _quantity(**options: Any) -> Any:
    return models.DecimalField(max_digits=24, decimal_places=12, **options)


def _money(**options: Any) -> Any:
    # A price times a quantity has up to 18 decimals; sums of them stay exact.
    return models.DecimalField(max_digits=38, decimal_places=18, **options)


def _key(model: str, **options: Any) -> Any:
    options.setdefault("db_index", False)
    return models.ForeignKey(
        model, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", **options
    )


class Balance(models.Model):
    """The ledgers of one account in one currency, as running sums in the journal's signs.

    Whoever books for the account holds its rows locked, so bookings of one account are in line.
    """

    account = _key("brokers.BrokerAccount")
    currency = models.CharField(max_length=CURRENCY_LENGTH)
    cash = _money(default=0)
    position_cost = _money(default=0)
    fees = _money(default=0)
    realized_pnl = _money(default=0)
    capital = _money(default=0)
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "currency"], name="portfolio_balance_once"),
            models.CheckConstraint(
                condition=Q(
                    capital=-F("cash") - F("position_cost") - F("fees") - F("realized_pnl")
                ),
                name="portfolio_balance_sums_to_zero",
            ),
        ]

    def __str__(self) -> str:
        return f"account {self.account_id}: {dec_str(self.cash)} {self.currency}"


class Position(models.Model):
    """What one account holds of one instrument. The average price follows from the cost.

    Currency and multiplier are the instrument's at the first fill: what is booked in one
    currency cannot go on in another.
    """

    account = _key("brokers.BrokerAccount")
    symbol = models.CharField(max_length=SYMBOL_LENGTH)
    currency = models.CharField(max_length=CURRENCY_LENGTH)
    multiplier = _quantity(default=1)
    qty = _quantity(default=0)
    cost = _money(default=0)
    realized_pnl = _money(default=0)
    version = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "symbol"], name="portfolio_position_once"),
            models.CheckConstraint(
                condition=~Q(qty=0) | Q(cost=0), name="portfolio_position_flat_costs_nothing"
            ),
            models.CheckConstraint(
                condition=Q(multiplier__gt=0), name="portfolio_position_multiplier_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"account {self.account_id}: {dec_str(self.qty)} {self.symbol}"


class Lot(models.Model):
    """Units opened by one execution (whose id it bears) and what is still open of them.

    A lot only shrinks, but for a correction of the books: that states it anew, as ``revision`` + 1,
    and may leave nothing of it (``opened_qty`` 0). What stood before is in the journal.
    """

    id = models.CharField(primary_key=True, max_length=REF_LENGTH)
    position = _key("portfolio.Position")
    opened_at = models.DateTimeField()
    opened_qty = _quantity()
    opened_cost = _money()
    qty = _quantity()
    cost = _money()
    revision = models.IntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["position", "opened_at", "id"],
                name="portfolio_lot_open",
                condition=~Q(qty=0),
            ),
            models.Index(fields=["position", "id"], name="portfolio_lot_by_position"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(opened_qty=0) | Q(revision__gt=0, opened_cost=0),
                name="portfolio_lot_not_empty",
            ),
            models.CheckConstraint(
                condition=Q(opened_qty__gt=0, qty__gte=0, qty__lte=F("opened_qty"))
                | Q(opened_qty__lt=0, qty__lte=0, qty__gte=F("opened_qty"))
                | Q(opened_qty=0, qty=0),
                name="portfolio_lot_open_part",
            ),
            models.CheckConstraint(
                condition=~Q(qty=0) | Q(cost=0), name="portfolio_lot_closed_costs_nothing"
            ),
        ]

    def __str__(self) -> str:
        opened = f"{self.opened_at:%Y-%m-%d %H:%M}"
        return f"{dec_str(self.qty)} of {dec_str(self.opened_qty)} opened {opened}"

    @property
    def value(self) -> LotValue:
        """The open part as the core reads it."""
        return LotValue(self.id, self.opened_at, self.qty, self.cost)


class LotClosure(models.Model):
    """Part of a lot closed by one execution: what left it and what it brought. Append-only.

    A correction of the books closes lots anew; the rows it overtakes stay, with the id of the
    correction in ``superseded_by``, and count no more.
    """

    lot = _key("portfolio.Lot")
    execution_id = models.CharField(max_length=REF_LENGTH)
    at = models.DateTimeField()
    qty = _quantity()
    cost = _money()
    proceeds = _money()
    superseded_by = models.CharField(max_length=REF_LENGTH, null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["execution_id"], name="portfolio_closure_by_execution"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["lot", "execution_id"],
                condition=Q(superseded_by=None),
                name="portfolio_lotclosure_once",
            ),
            models.CheckConstraint(condition=~Q(qty=0), name="portfolio_lotclosure_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{dec_str(self.qty)} of lot {self.lot_id}"


class JournalEntry(models.Model):
    """One booking. Append-only; its lines sum to zero per currency, checked at commit.

    ``at`` is when it happened (a fill's time of trade, never later than its booking), ``ref``
    names what it books: an execution's id, or the reference a deposit was given.
    """

    id = models.CharField(primary_key=True, max_length=26)
    account = _key("brokers.BrokerAccount")
    at = models.DateTimeField()
    booked_at = models.DateTimeField()
    reason = models.CharField(max_length=16, choices=[(one.value, one.value) for one in Reason])
    ref = models.CharField(max_length=REF_LENGTH)
    order_id = models.CharField(max_length=26, null=True)
    actor = models.CharField(max_length=200)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["account", "at"], name="portfolio_entry_by_time"),
            models.Index(fields=["account", "id"], name="portfolio_entry_by_account"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "reason", "ref"], name="portfolio_journalentry_once"
            ),
            models.CheckConstraint(
                condition=Q(reason__in=[one.value for one in Reason]),
                name="portfolio_journalentry_reason",
            ),
            models.CheckConstraint(
                condition=Q(at__lte=F("booked_at")), name="portfolio_journalentry_not_ahead"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason} {self.ref}"


class JournalLine(models.Model):
    """One amount of an entry. Append-only. Only lines of position_cost move units (``qty``)."""

    entry = _key("portfolio.JournalEntry", db_index=True)
    account = _key("brokers.BrokerAccount")
    ledger = models.CharField(max_length=16, choices=[(one.value, one.value) for one in Ledger])
    currency = models.CharField(max_length=CURRENCY_LENGTH)
    amount = _money()
    symbol = models.CharField(max_length=SYMBOL_LENGTH, null=True)
    qty = _quantity(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["account", "symbol"],
                name="portfolio_line_by_symbol",
                condition=Q(symbol__isnull=False),
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ledger__in=[one.value for one in Ledger]),
                name="portfolio_journalline_ledger",
            ),
            models.CheckConstraint(
                condition=~Q(amount=0) | Q(qty__isnull=False),
                name="portfolio_journalline_says_something",
            ),
            models.CheckConstraint(
                condition=Q(
                    ledger=Ledger.POSITION_COST.value, qty__isnull=False, symbol__isnull=False
                )
                | (~Q(ledger=Ledger.POSITION_COST.value) & Q(qty__isnull=True)),
                name="portfolio_journalline_units",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ledger} {dec_str(self.amount)} {self.currency}"


class PnlSnapshot(models.Model):
    """What the books were worth at one instant, at the marks then known. Append-only.

    ``realized`` and ``fees`` are as people read them (a profit, a charge is positive).
    ``unrealized`` and ``equity`` are null where a held position had no mark. ``marks`` is
    ``{symbol: {"px", "at", "simulated"}}`` and serves later questions about that instant.
    """

    account = _key("brokers.BrokerAccount")
    currency = models.CharField(max_length=CURRENCY_LENGTH)
    at = models.DateTimeField()
    cash = _money()
    realized = _money()
    fees = _money()
    unrealized = _money(null=True)
    equity = _money(null=True)
    marks = models.JSONField(default=dict)
    simulated = models.BooleanField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "currency", "at"], name="portfolio_pnlsnapshot_once"
            ),
            models.CheckConstraint(
                condition=Q(unrealized__isnull=True, equity__isnull=True)
                | Q(unrealized__isnull=False, equity__isnull=False),
                name="portfolio_pnlsnapshot_known_or_not",
            ),
        ]

    def __str__(self) -> str:
        return f"account {self.account_id} at {self.at:%Y-%m-%d %H:%M:%S}"
