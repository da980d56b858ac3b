"""Connections, accounts, messages and the paper venue's memory, in the firm's console."""

from django.contrib import admin

from brokers.models import (
    BrokerAccount,
    BrokerConnection,
    BrokerMessage,
    Credential,
    CredentialKey,
    CredentialUse,
    GatewayLease,
    OrderNumber,
    PaperAccount,
    PaperClientId,
    PaperExecution,
    PaperFault,
    PaperOrder,
    PaperVenue,
    VenueSymbol,
)
from common.console.keyset import PeriodFilter
from common.console.sites import firm_console
from common.console.tables import FirmInline, FirmTable, LongFirmTable
from common.console.words import ACCOUNT_STATE, CONNECTION_STATE, MODE, ORDER_STATUS, SIDE


class AccountInline(FirmInline):
    """The accounts of a connection."""

    model = BrokerAccount
    badges = {"state": ACCOUNT_STATE, "mode": MODE}
    fields = ("code", "name", "mode", "currency", "state")


@admin.register(BrokerConnection, site=firm_console)
class BrokerConnectionAdmin(FirmTable):
    """Sessions with brokers."""

    badges = {"state": CONNECTION_STATE, "mode": MODE}
    list_display = ("name", "broker", "mode", "state", "reason", "state_since", "last_seen_at")
    list_filter = ("state", "mode", "broker")
    search_fields = ("name", "reason")
    inlines = (AccountInline,)


@admin.register(BrokerAccount, site=firm_console)
class BrokerAccountAdmin(FirmTable):
    """Accounts at brokers. Whether money is real never changes."""

    badges = {"state": ACCOUNT_STATE, "mode": MODE}
    list_display = ("code", "name", "mode", "currency", "state", "connection", "created_at")
    list_filter = ("state", "mode", "connection")
    search_fields = ("code", "name")


@admin.register(GatewayLease, site=firm_console)
class GatewayLeaseAdmin(FirmTable):
    """Which gateway holds which connection."""

    list_display = ("connection", "holder", "epoch", "lease_until")
    search_fields = ("holder", "connection__name")


@admin.register(Credential, site=firm_console)
class CredentialAdmin(FirmTable):
    """Which secrets connections have, since when and by whom; no page shows a value."""

    list_display = ("name", "connection", "created_at", "created_by")
    list_filter = ("connection",)
    fields = ("connection", "name", "key", "created_at", "created_by")


@admin.register(CredentialKey, site=firm_console)
class CredentialKeyAdmin(FirmTable):
    """The firm's data keys by the master key that encrypts them."""

    list_display = ("id", "master_key_id", "created_at")
    fields = ("master_key_id", "created_at")


@admin.register(CredentialUse, site=firm_console)
class CredentialUseAdmin(FirmTable):
    """Every time credentials were kept, opened or revoked."""

    list_display = ("at", "deed", "connection", "by")
    list_filter = ("deed", "connection")
    search_fields = ("by",)


@admin.register(VenueSymbol, site=firm_console)
class VenueSymbolAdmin(FirmTable):
    """Instruments in the words of a connection's venue."""

    list_display = ("symbol", "connection")
    search_fields = ("symbol",)


@admin.register(OrderNumber, site=firm_console)
class OrderNumberAdmin(FirmTable):
    """The numbers orders have at venues that count them."""

    list_display = ("number", "venue_cl_ord_id", "connection", "client_number")
    search_fields = ("venue_cl_ord_id",)


@admin.register(BrokerMessage, site=firm_console)
class BrokerMessageAdmin(LongFirmTable):
    """Every message as it passed."""

    list_display = ("id", "direction", "account", "venue_cl_ord_id", "received_at")
    list_filter = (PeriodFilter, "direction", "account")
    period_field = "received_at"
    search_fields = ("@venue_cl_ord_id",)
    search_help_text = "The whole id an order bears at the venue"


@admin.register(PaperVenue, site=firm_console)
class PaperVenueAdmin(FirmTable):
    """The venue end of paper connections."""

    list_display = ("connection", "session", "last_order_no")
    search_fields = ("connection__name",)


@admin.register(PaperAccount, site=firm_console)
class PaperAccountAdmin(FirmTable):
    """Accounts as the paper venue has them."""

    list_display = ("account", "currency", "opening_cash", "maker_bps", "taker_bps", "last_seq")
    search_fields = ("account__code",)


@admin.register(PaperOrder, site=firm_console)
class PaperOrderAdmin(LongFirmTable):
    """Orders in the paper venue's book, or once in it."""

    badges = {"side": SIDE, "ord_status": ORDER_STATUS}
    list_display = (
        "order_id", "account", "symbol", "side", "ord_type", "order_qty", "price", "cum_qty",
        "ord_status", "updated_at",
    )  # fmt: skip
    list_filter = ("is_working", "ord_status", "side", "account")
    search_fields = ("order_id", "symbol")


@admin.register(PaperExecution, site=firm_console)
class PaperExecutionAdmin(LongFirmTable):
    """The paper venue's journal of messages."""

    list_display = (
        "exec_id", "account", "exec_type", "symbol", "qty_delta", "cash_delta", "transact_time",
    )  # fmt: skip
    list_filter = ("exec_type", "account")
    search_fields = ("@exec_id",)


@admin.register(PaperClientId, site=firm_console)
class PaperClientIdAdmin(LongFirmTable):
    """Client ids the paper venue took, for ever."""

    list_display = ("venue_cl_ord_id", "account", "order")
    list_filter = ("account",)
    search_fields = ("@venue_cl_ord_id",)


@admin.register(PaperFault, site=firm_console)
class PaperFaultAdmin(FirmTable):
    """Faults the paper venue was told to show."""

    list_display = (
        "switch", "command", "account", "symbol", "remaining", "skip", "one_in", "seen",
        "delay_ms", "venue", "set_by", "set_at",
    )  # fmt: skip
    list_filter = ("switch", "command")
    list_select_related = ("venue",)
    search_fields = ("switch", "set_by")
