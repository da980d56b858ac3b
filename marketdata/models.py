"""Reference data every firm shares: instruments, their bars, exchange sessions, replay clocks.

And what each person watches, by their membership of a firm: a preference, no business of the firm.
All tables lie in the public schema. Prices are in the instrument's currency, instants are UTC.
"""

from enum import StrEnum
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import Membership
from marketdata.path import REPLAY_FEED
from marketdata.symbols import PATTERN
from trading.market import InstrumentRules


class SecurityType(StrEnum):
    """FIX tag 167 in words."""

    INDEX = "INDEX"
    COMMON_STOCK = "COMMON_STOCK"
    COMMODITY = "COMMODITY"


class BarKind(StrEnum):
    """What an instrument's bars hold: whole bars, or one value a day in all four prices."""

    OHLCV = "OHLCV"
    CLOSE = "CLOSE"


class Interval(StrEnum):
    """The lengths of bar there are."""

    DAY = "1d"


def _choices(words: type[StrEnum]) -> list[tuple[str, str]]:
    return [(word.value, word.value) for word in words]


def _amount(**options: Any) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(max_digits=24, decimal_places=12, **options)


class Instrument(models.Model):
    """Something that has a price, and what it demands of an order.

    ``feed`` names who quotes it ("" where nobody does); ``tradable`` is False for reference charts.
    """

    symbol = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=120)
    security_type = models.CharField(max_length=20, choices=_choices(SecurityType))
    currency = models.CharField(max_length=8)
    exchange = models.CharField(max_length=16)
    calendar = models.CharField(max_length=16, blank=True)
    tick_size = _amount()
    lot_size = _amount()
    qty_decimals = models.PositiveSmallIntegerField()
    min_qty = _amount()
    max_qty = _amount()
    min_notional = _amount(default=0)
    multiplier = _amount(default=1)
    feed = models.CharField(max_length=40, blank=True)
    bar_kind = models.CharField(
        max_length=8, choices=_choices(BarKind), default=BarKind.OHLCV.value
    )
    tradable = models.BooleanField(default=False)

    class Meta:
        ordering = ("symbol",)
        constraints = (
            models.CheckConstraint(
                name="instrument_symbol_form", condition=Q(symbol__regex=PATTERN)
            ),
            models.CheckConstraint(
                name="instrument_steps_positive",
                condition=Q(tick_size__gt=0, lot_size__gt=0, multiplier__gt=0),
            ),
            models.CheckConstraint(
                name="instrument_qty_range",
                condition=Q(min_qty__gt=0, max_qty__gte=F("min_qty"), min_notional__gte=0),
            ),
            models.CheckConstraint(
                name="instrument_qty_decimals", condition=Q(qty_decimals__lte=12)
            ),
            models.CheckConstraint(
                name="instrument_tradable_has_feed", condition=Q(tradable=False) | ~Q(feed="")
            ),
        )

    def __str__(self) -> str:
        return self.symbol

    @property
    def is_replayed(self) -> bool:
        """Whether history is its market: such an instrument trades at any hour of the week."""
        return self.feed == REPLAY_FEED

    @property
    def rules(self) -> InstrumentRules:
        """The same demands as the value the core reads."""
        return InstrumentRules(
            symbol=self.symbol,
            currency=self.currency,
            tick_size=self.tick_size,
            lot_size=self.lot_size,
            qty_decimals=self.qty_decimals,
            min_qty=self.min_qty,
            max_qty=self.max_qty,
            min_notional=self.min_notional,
            multiplier=self.multiplier,
        )


class Bar(models.Model):
    """Open, high, low, close and volume of one interval.

    A daily bar starts ``at`` 00:00 UTC of the exchange's own day.
    """

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="bars")
    interval = models.CharField(max_length=4, choices=_choices(Interval))
    at = models.DateTimeField()
    open = _amount()
    high = _amount()
    low = _amount()
    close = _amount()
    volume = _amount()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="bar_once", fields=("instrument", "interval", "at")),
            models.CheckConstraint(
                name="bar_high_low",
                condition=Q(low__lte=F("open"), high__gte=F("open"), volume__gte=0)
                & Q(low__lte=F("close"), high__gte=F("close")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.interval} {self.at:%Y-%m-%d}"


class CalendarSession(models.Model):
    """One session of an exchange, in its own day; half days and holidays are in the rows.

    The cutoffs are of the auction at its close: from then on it takes no orders, and gives none
    back. They are None where it is not known to hold one.
    """

    calendar = models.CharField(max_length=16)
    day = models.DateField()
    open_at = models.DateTimeField()
    close_at = models.DateTimeField()
    auction_entry_cutoff = models.DateTimeField(null=True)
    auction_cancel_cutoff = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(name="session_once_a_day", fields=("calendar", "day")),
            models.CheckConstraint(
                name="session_opens_first", condition=Q(open_at__lt=F("close_at"))
            ),
        )
        indexes = (models.Index(name="session_by_open", fields=("calendar", "open_at")),)

    def __str__(self) -> str:
        return f"{self.calendar} {self.day}"


class ReplayClock(models.Model):
    """Which moment of history a feed shows at which wall-clock time, over any restart.

    At ``started_at`` the feed stood at the open of the calendar's first session from
    ``history_from`` on; every ``seconds_per_day`` later it stands at the next session's open;
    after the last session up to ``history_to`` it starts over.
    """

    feed = models.CharField(max_length=40, unique=True)
    calendar = models.CharField(max_length=16)
    history_from = models.DateField()
    history_to = models.DateField()
    started_at = models.DateTimeField()
    seconds_per_day = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="replay_speed_positive", condition=Q(seconds_per_day__gt=0)
            ),
            models.CheckConstraint(
                name="replay_history_order", condition=Q(history_from__lte=F("history_to"))
            ),
        )

    def __str__(self) -> str:
        return self.feed


class ReplayPace(models.Model):
    """How a replay's clock stood from an instant on; a later row ends it. Rows are only added.

    By these rows an instant of the past keeps the moment of history it had, whatever the clock's
    speed has been changed to since.
    """

    feed = models.CharField(max_length=40)
    since = models.DateTimeField()
    started_at = models.DateTimeField()
    seconds_per_day = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(name="replay_pace_once", fields=("feed", "since")),
            models.CheckConstraint(name="replay_pace_positive", condition=Q(seconds_per_day__gt=0)),
        )

    def __str__(self) -> str:
        return f"{self.feed} since {self.since:%Y-%m-%d %H:%M:%S}"


class Watchlist(models.Model):
    """The symbols a person watches at a firm, in order; no row: what everybody starts with."""

    membership = models.OneToOneField(
        Membership, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    symbols = ArrayField(models.CharField(max_length=32), size=50)

    def __str__(self) -> str:
        return " ".join(self.symbols)


class ReferenceDataset(models.Model):
    """Which version of a shipped data set the rows above were loaded from."""

    name = models.CharField(max_length=40, unique=True)
    version = models.CharField(max_length=80)
    loaded_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
