"""Halts, limits, breaches and exposure in the firm's console; halting is done from here."""

from collections.abc import Mapping
from datetime import UTC, datetime

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.consoles import console_actor
from brokers.models import BrokerAccount
from common.console.sites import firm_console
from common.console.tables import FirmTable
from common.console.verbs import Verb
from common.console.words import BUSY, HALT_STATE, OWN
from common.errors import NotFound
from risk import services
from risk.models import AccountExposure, Breach, Halt, InstrumentExposure, RiskLimit
from risk.selectors import halts_in_force
from trading.risk import HaltScope, HaltState

SCOPES = {"tenant": OWN, "account": BUSY, "instrument": BUSY, "strategy": BUSY, "venue": BUSY}
STATES = {
    "state": (
        (HaltState.HALTED.value, "Halted: no new order"),
        (HaltState.REDUCING.value, "Reducing: only what lowers a position"),
    )
}


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
class BreachAdmin(FirmTable):
    """Rules that refused orders broke."""

    list_display = ("at", "code", "account", "order_id", "value", "limit", "unit")
    list_filter = ("code", "account", "at")
    search_fields = ("order_id", "code", "rule", "message")
    ordering = ("-id",)


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


# --- what is done ---------------------------------------------------------------------------------


def _halt(
    request: HttpRequest, scope: HaltScope, target: str | None, reason: str, state: str
) -> str:
    actor = console_actor(request)
    halt = services.set_halt(
        scope=scope,
        target=target,
        state=HaltState(state),
        reason=reason,
        actor=actor,
        now=datetime.now(UTC),
        correlation_id=getattr(request, "request_id", "")[:64],
    )
    return f"{halt.state} since now; cancels still pass."


def _halt_account(
    request: HttpRequest, row: BrokerAccount, reason: str, choices: Mapping[str, str]
) -> str:
    return _halt(request, HaltScope.ACCOUNT, row.code, reason, choices["state"])


def _halt_firm(request: HttpRequest, _row: None, reason: str, choices: Mapping[str, str]) -> str:
    return _halt(request, HaltScope.TENANT, None, reason, choices["state"])


def _lift(request: HttpRequest, row: Halt, reason: str, _choices: Mapping[str, str]) -> str:
    actor = console_actor(request)
    services.lift_halt(
        halt_id=row.pk,
        reason=reason,
        actor=actor,
        now=datetime.now(UTC),
        correlation_id=getattr(request, "request_id", "")[:64],
    )
    return "lifted; trading may resume."


def _lift_account(
    request: HttpRequest, row: BrokerAccount, reason: str, choices: Mapping[str, str]
) -> str:
    found = list(halts_in_force().filter(scope=HaltScope.ACCOUNT.value, target=row.code))
    if not found:
        raise NotFound("No halt of this account is in force.")
    for halt in found:
        _lift(request, halt, reason, choices)
    return f"{len(found)} lifted; halts of other scopes stay."


firm_console.offer(
    BrokerAccount,
    Verb(
        "halt",
        "Halt account",
        "From now on the account takes no order (or only reducing ones). Working orders stay, and "
        "cancels pass.",
        _halt_account,
        icon="front_hand",
        choices=STATES,
    ),
    Verb(
        "lift",
        "Lift halts of account",
        "Every halt set on this account ends. Halts of the firm, an instrument, a strategy or the "
        "venue stay in force.",
        _lift_account,
        icon="play_circle",
    ),
)
firm_console.offer(
    Halt,
    Verb(
        "halt_firm",
        "Halt the whole firm",
        "From now on no account of the firm takes an order (or only reducing ones). Working orders "
        "stay, and cancels pass.",
        _halt_firm,
        icon="front_hand",
        on_list=True,
        choices=STATES,
    ),
    Verb(
        "lift",
        "Lift halt",
        "Trading may resume where this halt was. The halt stays on record with your reason.",
        _lift,
        icon="play_circle",
        fits=lambda halt: halt.lifted_at is None,
    ),
)
