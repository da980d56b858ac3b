"""The firm's books, to look at in its console. Repairs are bookings, made by services."""

from django.contrib import admin

from common.console.keyset import PeriodFilter
from common.console.sites import firm_console
from common.console.tables import FirmInline, FirmTable, LongFirmTable
from common.console.words import BUSY, GOOD, OWN
from portfolio.models import (
    Balance,
    JournalEntry,
    JournalLine,
    Lot,
    LotClosure,
    PnlSnapshot,
    Position,
)

LEDGERS = {"cash": GOOD, "position_cost": OWN, "fees": BUSY, "realized_pnl": OWN}


class LotInline(FirmInline):
    """The lots of a position."""

    model = Lot
    fields = ("opened_at", "opened_qty", "opened_cost", "qty", "cost")
    ordering = ("-opened_at",)
    per_page = 20


class ClosureInline(FirmInline):
    """What closed a lot."""

    model = LotClosure
    fields = ("at", "qty", "cost", "proceeds", "execution_id")


class LineInline(FirmInline):
    """The lines of a booking; they sum to zero per currency."""

    model = JournalLine
    badges = {"ledger": LEDGERS}
    fields = ("ledger", "amount", "currency", "symbol", "qty")


@admin.register(Position, site=firm_console)
class PositionAdmin(FirmTable):
    """What each account holds."""

    list_display = ("account", "symbol", "qty", "cost", "realized_pnl", "currency", "updated_at")
    list_filter = ("account", "currency", "symbol")
    search_fields = ("symbol", "account__code")
    ordering = ("account", "symbol")
    inlines = (LotInline,)


@admin.register(Balance, site=firm_console)
class BalanceAdmin(FirmTable):
    """The ledgers of each account."""

    list_display = (
        "account", "currency", "cash", "position_cost", "fees", "realized_pnl", "capital",
    )  # fmt: skip
    list_filter = ("account", "currency")
    search_fields = ("account__code",)
    ordering = ("account", "currency")


@admin.register(Lot, site=firm_console)
class LotAdmin(FirmTable):
    """Units opened together."""

    list_display = ("id", "position", "opened_at", "opened_qty", "qty", "cost")
    list_filter = ("position__account", "position__symbol", "opened_at")
    search_fields = ("id", "position__symbol")
    ordering = ("-opened_at", "id")
    inlines = (ClosureInline,)


@admin.register(LotClosure, site=firm_console)
class LotClosureAdmin(FirmTable):
    """Parts of lots closed by executions."""

    list_display = ("at", "lot", "qty", "cost", "proceeds", "execution_id")
    list_filter = ("at",)
    search_fields = ("lot__id", "execution_id")
    ordering = ("-at", "-id")


@admin.register(JournalEntry, site=firm_console)
class JournalEntryAdmin(LongFirmTable):
    """Bookings."""

    list_display = ("id", "account", "reason", "ref", "at", "booked_at", "actor")
    list_filter = (PeriodFilter, "reason", "account")
    search_fields = ("pk", "@ref")
    search_help_text = "The whole id of the booking or of what it books"
    inlines = (LineInline,)


@admin.register(JournalLine, site=firm_console)
class JournalLineAdmin(LongFirmTable):
    """Amounts of bookings."""

    badges = {"ledger": LEDGERS}
    list_display = ("entry", "account", "ledger", "amount", "currency", "symbol", "qty")
    list_filter = ("ledger", "account")
    search_fields = ("entry", "@symbol")
    search_help_text = "The whole id of the booking, or a symbol"


@admin.register(PnlSnapshot, site=firm_console)
class PnlSnapshotAdmin(LongFirmTable):
    """What the books were worth, and when."""

    list_display = (
        "at", "account", "currency", "cash", "realized", "unrealized", "fees", "equity",
        "simulated",
    )  # fmt: skip
    list_filter = ("account", "simulated")
    search_fields = ("account__code",)
    search_help_text = "The code of an account"
