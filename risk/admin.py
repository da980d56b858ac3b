"""Halts, limits, breaches and exposure in the firm's console; halting is in ``risk.verbs``."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from common.console.keyset import PeriodFilter, words_filter
from common.console.sites import firm_console
from common.console.tables import FirmTable, LongFirmTable
from common.console.words import BUSY, HALT_STATE, OWN
from risk.models import AccountExposure, Breach, Halt, InstrumentExposure, RiskLimit
from trading.risk import BreachCode

SCOPES = {"tenant": OWN, "account": BUSY, "instrument": BUSY, "strategy": BUSY, "venue": BUSY}


class InForceFilter(admin.SimpleListFilter):
    """Halts nobody has lifted, or those that are over."""

    title = "in force"
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("yes", "In force"), ("no", "Lifted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Halt]) -> QuerySet[Halt]:
        """Narrow the list."""
        if self.value() not in {"yes", "no"}:
            return queryset
        return queryset.filter(lifted_at__isnull=self.value() == "yes")


@admin.register(Halt, site=firm_console)
class HaltAdmin(FirmTable):
    """Where trading is or was stopped, by whom and why."""

    badges = {"state": HALT_STATE, "scope": SCOPES}
    list_display = ("state", "scope", "target", "reason", "set_by", "since", "lifted_at")
    list_filter = (InForceFilter, "state", "scope", "since")
    search_fields = ("=id", "target", "reason", "set_by")
    ordering = ("-since", "-id")
    shows_events = True


@admin.register(RiskLimit, site=firm_console)
class RiskLimitAdmin(FirmTable):
    """Limits as they stand; they are changed through the API."""

    badges = {"scope": SCOPES}
    list_display = ("rule", "scope", "target", "value", "enabled", "updated_at", "updated_by")
    list_filter = ("scope", "rule", "enabled")
    search_fields = ("rule", "target", "updated_by")
    ordering = ("rule", "scope", "target")


@admin.register(Breach, site=firm_console)
class BreachAdmin(LongFirmTable):
    """Rules that refused orders broke."""

    list_display = ("at", "code", "account", "order_id", "value", "limit", "unit")
    list_filter = (PeriodFilter, words_filter("code", "code", BreachCode), "account")
    period_field = "at"
    search_fields = ("order_id",)
    search_help_text = "The whole id of the refused order"


@admin.register(AccountExposure, site=firm_console)
class AccountExposureAdmin(FirmTable):
    """How many orders each account has open."""

    list_display = ("account", "open_orders", "version")
    search_fields = ("account__code",)


@admin.register(InstrumentExposure, site=firm_console)
class InstrumentExposureAdmin(FirmTable):
    """What open orders hold reserved."""

    list_display = (
        "account", "symbol", "open_buy_qty", "open_sell_qty", "open_buy_notional",
        "open_sell_notional",
    )  # fmt: skip
    list_filter = ("account", "symbol")
    search_fields = ("account__code", "symbol")
    ordering = ("account", "symbol")
