"""Orders and their life in the firm's console, to look at; what is done is in ``oms.verbs``."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from brokers.models import BrokerAccount
from common.console.keyset import PeriodFilter, words_filter
from common.console.sites import firm_console
from common.console.tables import FirmInline, FirmTable, LongFirmTable
from common.console.words import (
    COMMAND_STATE,
    MODE,
    ORDER_STATUS,
    SIDE,
    VERDICT,
    VERSION_STATE,
)
from oms.models import (
    Break,
    ClOrdId,
    Command,
    Execution,
    Order,
    OrderEvent,
    OrderList,
    OrderVersion,
    ParkedReport,
    ReconciliationRun,
)
from trading.orders.fold import Verdict
from trading.vocabulary import CommandState


class UnknownFilter(admin.SimpleListFilter):
    """Orders with a request whose outcome nobody knows."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("unknown", "Unknown"), ("known", "Known")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        """Narrow the list."""
        if self.value() not in {"unknown", "known"}:
            return queryset
        unknown = Command.objects.filter(state=CommandState.UNKNOWN).values("order_id")
        if self.value() == "unknown":
            return queryset.filter(pk__in=unknown)
        return queryset.exclude(pk__in=unknown)


def orders_named(text: str) -> list[str]:
    """Return the orders that ever bore this id, whoever gave it: we, the client or the venue."""
    accounts = BrokerAccount.objects.values("pk")
    names = ClOrdId.objects.filter(account__in=accounts, cl_ord_id=text)
    found = set(Order.objects.filter(pk=text).values_list("pk", flat=True))
    found |= set(names.values_list("order_id", flat=True))
    found |= set(
        Order.objects.filter(account__in=accounts, order_id=text).values_list("pk", flat=True)
    )
    return sorted(found)


class OfOrders(LongFirmTable):
    """A long table found by any id of its orders, then by ids of its own."""

    order_key = "order_id"
    search_help_text = "Whole ids only: ours, the client's, the venue's"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the rows of the orders named, or with that id."""
        orders = orders_named(search_term.strip()) if search_term.strip() else []
        if orders:
            return queryset.filter(**{f"{self.order_key}__in": orders}), False
        return super().get_search_results(request, queryset, search_term)


class VersionInline(FirmInline):
    """The amend chain."""

    model = OrderVersion
    badges = {"state": VERSION_STATE}
    fields = ("number", "cl_ord_id", "order_qty", "price", "time_in_force", "state", "created_at")
    ordering = ("number",)


class EventInline(FirmInline):
    """Reports as applied."""

    model = OrderEvent
    badges = {"after": ORDER_STATUS, "before": ORDER_STATUS, "verdict": VERDICT}
    fields = ("seq", "at", "exec_type", "source", "verdict", "before", "after", "actor")
    ordering = ("seq",)


class CommandInline(FirmInline):
    """Requests to the venue."""

    model = Command
    badges = {"state": COMMAND_STATE}
    fields = ("kind", "cl_ord_id", "state", "attempt", "sending_at", "outcome_code", "outcome_at")
    ordering = ("id",)


class ExecutionInline(FirmInline):
    """The trade ledger."""

    model = Execution
    fields = ("exec_id", "exec_type", "last_qty", "last_px", "fee", "transact_time", "source")
    ordering = ("id",)


@admin.register(Order, site=firm_console)
class OrderAdmin(OfOrders):
    """Orders: every row is the fold of its reports."""

    badges = {"ord_status": ORDER_STATUS, "side": SIDE, "mode": MODE}
    list_display = (
        "cl_ord_id", "ord_status", "mode", "account", "symbol", "side",  "order_qty",
        "price", "cum_qty", "created_at",
    )  # fmt: skip
    list_filter = (
        PeriodFilter, "ord_status", UnknownFilter, "is_closed", "mode", "account", "side",
        "ord_type",
    )  # fmt: skip
    reaches = frozenset({"outcome", "is_closed__exact"})
    order_key = "pk"
    portal_url = "/orders/{}"
    search_fields = ("symbol",)
    search_help_text = "Any whole id of the order, or a symbol"
    inlines = (EventInline, ExecutionInline, CommandInline, VersionInline)
    fieldsets = (
        (None, {"fields": (
            ("cl_ord_id", "ord_status"),
            ("account", "mode"),
            ("symbol", "side"),
            ("ord_type", "time_in_force"),
            ("order_qty", "price"),
            ("cum_qty", "leaves_qty"),
            ("gross_trade_amt", "ord_rej_reason"),
            "text",
        )}),
        ("Origin", {"classes": ("tab",), "fields": (
            ("id", "order_id"),
            "orig_cl_ord_id",
            "created_by",
            ("source", "strategy"),
            ("created_at", "updated_at"),
            ("version", "tags"),
        )}),
        ("Working", {"classes": ("tab",), "fields": (
            ("is_closed", "expire_time"),
            ("reserved_qty", "reserve_px"),
            ("overfill_qty", "display_qty"),
            ("stop_px", "exec_inst"),
            "facts",
        )}),
    )  # fmt: skip
    shows_events = True


@admin.register(OrderVersion, site=firm_console)
class OrderVersionAdmin(OfOrders):
    """Links of amend chains."""

    badges = {"state": VERSION_STATE}
    list_display = (
        "cl_ord_id", "order", "number", "account", "order_qty", "price", "time_in_force", "state",
        "created_at",
    )  # fmt: skip
    list_filter = ("state", "account")
    search_fields = ("@venue_cl_ord_id",)


@admin.register(Command, site=firm_console)
class CommandAdmin(OfOrders):
    """Requests to venues, and how far each has come."""

    badges = {"state": COMMAND_STATE}
    list_display = (
        "cl_ord_id", "kind", "state", "account", "order", "attempt", "unknown_since",
        "next_lookup_at", "outcome_code", "created_at",
    )  # fmt: skip
    list_filter = (PeriodFilter, "state", "kind", "account")
    reaches = frozenset({"state__exact"})
    search_fields = ("pk",)


@admin.register(OrderEvent, site=firm_console)
class OrderEventAdmin(OfOrders):
    """Reports as applied to orders."""

    badges = {"after": ORDER_STATUS, "before": ORDER_STATUS, "verdict": VERDICT}
    list_display = ("order", "seq", "exec_type", "source", "verdict", "after", "actor", "at")
    list_filter = (
        PeriodFilter, "exec_type", "source", words_filter("verdict", "verdict", Verdict),
    )  # fmt: skip
    period_field = "at"
    search_fields = ("pk",)


@admin.register(Execution, site=firm_console)
class ExecutionAdmin(OfOrders):
    """The trade ledger."""

    badges = {"side": SIDE}
    list_display = (
        "exec_id", "account", "symbol", "side", "exec_type", "last_qty", "last_px", "fee",
        "source", "transact_time",
    )  # fmt: skip
    list_filter = (PeriodFilter, "exec_type", "side", "account", "late", "source")
    search_fields = ("pk", "@exec_id", "@symbol")
    search_help_text = "A whole id (of the order or the execution) or a symbol"


@admin.register(ParkedReport, site=firm_console)
class ParkedReportAdmin(FirmTable):
    """Reports that could not be applied and wait for a person."""

    list_display = ("id", "reason", "account", "order", "at", "resolved_at", "resolved_by")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter), "reason", "account", "at")
    list_select_related = ("account", "order")
    search_fields = ("=id", "reason", "resolution")
    ordering = ("-id",)


@admin.register(Break, site=firm_console)
class BreakAdmin(FirmTable):
    """Differences between our books and the venue's."""

    list_display = (
        "kind", "account", "subject", "ours", "theirs", "owner", "opened_at", "closed_at",
        "closed_by",
    )  # fmt: skip
    list_filter = (("closed_at", admin.EmptyFieldListFilter), "kind", "account", "owner")
    search_fields = ("=id", "subject", "detail", "resolution")
    ordering = ("-opened_at", "-id")


@admin.register(OrderList, site=firm_console)
class OrderListAdmin(FirmTable):
    """Orders that depend on each other; their legs are orders."""

    list_display = (
        "id", "cl_ord_id", "account", "symbol", "contingency_type", "list_order_status",
        "unprotected_qty", "overfill_qty", "created_at",
    )  # fmt: skip
    list_filter = ("list_order_status", "contingency_type", "account", "created_at")
    list_select_related = ("account",)
    search_fields = ("=id", "=cl_ord_id")
    ordering = ("-id",)


@admin.register(ReconciliationRun, site=firm_console)
class ReconciliationRunAdmin(FirmTable):
    """Comparisons of accounts with their venues."""

    list_display = ("at", "account", "complete", "reports_applied", "breaks_open")
    list_filter = ("account", "complete", "at")
    search_fields = ("account__code",)
    ordering = ("-id",)


@admin.register(ClOrdId, site=firm_console)
class ClOrdIdAdmin(OfOrders):
    """Client ids ever used; each is unique for ever."""

    list_display = ("cl_ord_id", "kind", "account", "order")
    list_filter = ("kind", "account")
    search_fields = ("@cl_ord_id",)
