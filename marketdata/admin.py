"""Reference data every firm shares, to look at in the platform's console."""

from django.contrib import admin

from common.console.sites import platform_console
from common.console.tables import PlatformRecord
from marketdata.models import Bar, CalendarSession, Instrument, ReferenceDataset, ReplayClock


@admin.register(Instrument, site=platform_console)
class InstrumentAdmin(PlatformRecord):
    """What has a price, and what it demands of an order."""

    list_display = (
        "symbol", "name", "security_type", "currency", "exchange", "tick_size", "lot_size",
        "feed", "tradable",
    )  # fmt: skip
    list_filter = ("tradable", "security_type", "exchange", "currency", "feed")
    search_fields = ("symbol", "name")


@admin.register(Bar, site=platform_console)
class BarAdmin(PlatformRecord):
    """Prices and volume of one interval."""

    list_display = ("at", "instrument", "interval", "open", "high", "low", "close", "volume")
    list_filter = ("instrument", "interval")
    search_fields = ("instrument__symbol",)
    ordering = ("-at", "instrument")


@admin.register(CalendarSession, site=platform_console)
class CalendarSessionAdmin(PlatformRecord):
    """Sessions of the exchanges."""

    list_display = ("calendar", "day", "open_at", "close_at")
    list_filter = ("calendar",)
    search_fields = ("calendar",)
    date_hierarchy = "day"
    ordering = ("-day", "calendar")


@admin.register(ReplayClock, site=platform_console)
class ReplayClockAdmin(PlatformRecord):
    """Where in history each replayed feed stands."""

    list_display = (
        "feed", "calendar", "history_from", "history_to", "started_at", "seconds_per_day",
    )  # fmt: skip
    search_fields = ("feed",)


@admin.register(ReferenceDataset, site=platform_console)
class ReferenceDatasetAdmin(PlatformRecord):
    """Which version of each shipped data set is loaded."""

    list_display = ("name", "version", "loaded_at")
    search_fields = ("name",)
