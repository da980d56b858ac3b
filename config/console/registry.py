"""Fills both consoles. Imported by the URLs alone: no other process pays for the tables."""

from importlib import import_module

from common.console.sites import firm_console, platform_console
from config.console.runbooks import offer_runbooks

__all__ = ["firm_console", "platform_console"]

_TABLES = (
    "events.admin",
    "tenants.admin",
    "accounts.admin",
    "accounts.verbs",
    "approvals.admin",
    "brokers.admin",
    "marketdata.admin",
    "portfolio.admin",
    "risk.admin",
    "risk.verbs",
    "oms.admin",
    "oms.verbs",
    "config.console.schedules",
)

for module in _TABLES:
    import_module(module)

for site in (firm_console, platform_console):
    offer_runbooks(site)
