"""What frames every page of a console: its name, its label and its menu."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from tenants.binding import bound_schema

# (heading, ((model, words, icon), ...)) from what needs a hand to what is looked up.
Menu = tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]
FIRM_MENU: Menu = (
    (
        "Trading",
        (
            ("oms_order", "Orders", "receipt_long"),
            ("oms_execution", "Executions", "paid"),
            ("oms_command", "Requests to venues", "outbox"),
            ("oms_orderevent", "Order reports", "timeline"),
            ("oms_orderversion", "Amend chains", "link"),
            ("oms_clordid", "Client ids", "tag"),
        ),
    ),
    (
        "Needs a hand",
        (
            ("approvals_approval", "Approvals", "how_to_reg"),
            ("oms_parkedreport", "Parked reports", "inventory_2"),
            ("oms_break", "Breaks", "difference"),
            ("oms_reconciliationrun", "Reconciliations", "compare_arrows"),
        ),
    ),
    (
        "Risk",
        (
            ("risk_halt", "Halts", "front_hand"),
            ("risk_breach", "Breaches", "gpp_bad"),
            ("risk_risklimit", "Limits", "speed"),
            ("risk_accountexposure", "Open orders", "stacked_bar_chart"),
            ("risk_instrumentexposure", "Reserved", "lock"),
        ),
    ),
    (
        "Books",
        (
            ("portfolio_position", "Positions", "pie_chart"),
            ("portfolio_balance", "Balances", "account_balance"),
            ("portfolio_lot", "Lots", "layers"),
            ("portfolio_lotclosure", "Lot closures", "layers_clear"),
            ("portfolio_journalentry", "Journal", "menu_book"),
            ("portfolio_journalline", "Journal lines", "format_list_numbered"),
            ("portfolio_pnlsnapshot", "P&L snapshots", "monitoring"),
        ),
    ),
    (
        "Brokers",
        (
            ("brokers_brokerconnection", "Connections", "cable"),
            ("brokers_brokeraccount", "Accounts", "badge"),
            ("brokers_gatewaylease", "Gateway leases", "key"),
            ("brokers_brokermessage", "Messages", "mail"),
        ),
    ),
    (
        "Paper venue",
        (
            ("brokers_paperorder", "Its orders", "description"),
            ("brokers_paperexecution", "Its journal", "history_edu"),
            ("brokers_paperaccount", "Its accounts", "account_box"),
            ("brokers_papervenue", "Its sessions", "store"),
            ("brokers_paperclientid", "Its client ids", "tag"),
            ("brokers_paperfault", "Faults set", "bug_report"),
        ),
    ),
    (
        "Stream",
        (
            ("events_event", "Events", "stream"),
            ("events_subscribercursor", "Readers", "rss_feed"),
            ("events_streamhead", "Head", "flag"),
            ("events_proof", "Proofs", "verified"),
            ("events_idempotentanswer", "Kept answers", "replay"),
        ),
    ),
)
PLATFORM_MENU: Menu = (
    (
        "Firms and people",
        (
            ("tenants_tenant", "Firms", "domain"),
            ("tenants_firmstanding", "How firms are", "monitor_heart"),
            ("tenants_domain", "Hosts", "dns"),
            ("accounts_user", "People", "person"),
            ("accounts_membership", "Memberships", "groups"),
        ),
    ),
    (
        "Credentials",
        (
            ("accounts_apikey", "API keys", "key"),
            ("accounts_loginsession", "Login sessions", "login"),
            ("accounts_loginfailures", "Failed logins", "gpp_maybe"),
        ),
    ),
    (
        "Reference data",
        (
            ("marketdata_instrument", "Instruments", "candlestick_chart"),
            ("marketdata_bar", "Bars", "bar_chart"),
            ("marketdata_calendarsession", "Sessions", "calendar_month"),
            ("marketdata_replayclock", "Replay clocks", "schedule"),
            ("marketdata_referencedataset", "Data sets", "database"),
        ),
    ),
    (
        "Schedules",
        (
            ("django_celery_beat_periodictask", "Tasks", "task"),
            ("django_celery_beat_intervalschedule", "Intervals", "timer"),
            ("django_celery_beat_crontabschedule", "Crontabs", "event_repeat"),
            ("django_celery_beat_clockedschedule", "Clocked", "alarm"),
            ("django_celery_beat_solarschedule", "Solar", "sunny"),
        ),
    ),
)
_SEARCHED = {
    "firm": [
        "oms.Order", "oms.Execution", "oms.Break", "brokers.BrokerAccount", "risk.Halt",
        "portfolio.Position", "portfolio.JournalEntry",
    ],
    "platform": ["tenants.Tenant", "accounts.User", "accounts.ApiKey", "marketdata.Instrument"],
}  # fmt: skip
_LABEL_COLOURS = {"DEV": "success", "STAGING": "warning", "PROD": "danger"}


def firm_of(request: HttpRequest) -> Any:
    """Return the firm whose console this is; None on the platform's."""
    return getattr(request, "tenant", None) if bound_schema() is not None else None


def title(request: HttpRequest) -> str:
    """Return the console's name."""
    firm = firm_of(request)
    return "Blotter platform" if firm is None else str(firm.name)


def subtitle(request: HttpRequest) -> str:
    """Return what the console is for."""
    return "Firms, people, schedules" if firm_of(request) is None else "Ops console"


def logo(_request: HttpRequest) -> str:
    """Return the address of the mark."""
    return static("blotter.svg")


def styles(_request: HttpRequest) -> str:
    """Return the address of our own rules over the theme's."""
    return static("css/console.css")


def environment(_request: HttpRequest) -> list[str]:
    """Return the environment's label and its colour."""
    word = settings.OMS_ENVIRONMENT
    return [word, _LABEL_COLOURS.get(word, "info")]


def keeps_history(request: HttpRequest) -> bool:
    """Whether Django's log of edits is shown: on the platform alone, firms would share it."""
    return firm_of(request) is None


def searched(_request: HttpRequest) -> dict[str, list[str]]:
    """Return the tables the palette looks into, by console."""
    return _SEARCHED


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the menu of the console."""
    menu = PLATFORM_MENU if firm_of(request) is None else FIRM_MENU
    home = {"title": "Dashboard", "icon": "dashboard", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"items": [home]}]
    for heading, entries in menu:
        items = [
            {"title": words, "icon": icon, "link": reverse(f"admin:{model}_changelist")}
            for model, words, icon in entries
        ]
        groups.append({"title": heading, "separator": True, "collapsible": False, "items": items})
    return groups
