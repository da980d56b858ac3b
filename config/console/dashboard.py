"""The home of each console: what needs a hand, then each figure with its list and its runbook."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse

from brokers.models import BrokerConnection
from common.console.cells import instant
from common.console.words import CONNECTION_STATE, ORDER_STATUS
from config.console.frame import firm_of
from config.console.hands import what_needs_a_hand
from config.figures.cards import Card, age, worst_first
from config.figures.firm import firm_cards
from config.figures.system import jobs, platform_cards, standings
from events.selectors import stream_status
from oms.models import Order
from trading.vocabulary import OrdStatus

COLOURS = ("success", "warning", "danger")


@dataclass(frozen=True, slots=True)
class Shown:
    """A card with its colour, its addresses and its age in words."""

    card: Card
    colour: str
    url: str
    runbook: str
    age: str


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures of the console asked for to its home page."""
    now = datetime.now(UTC)
    found = _platform(now) if firm_of(request) is None else _firm(now)
    cards = worst_first(found.pop("cards"))
    worst = cards[0]
    context.update(
        found,
        cards=[_shown(card, now) for card in cards],
        as_of=instant(now),
        worst=worst.title if worst.level else "",
        title=f"{worst.title} {worst.figure}" if worst.level else "All fine",
    )
    return context


def _shown(card: Card, now: datetime) -> Shown:
    return Shown(
        card,
        COLOURS[card.level],
        _list(card.model, **card.filters) if card.model else "",
        reverse("admin:runbook", args=[card.code]),
        "now" if card.at is None else f"{age(card.at, now)} old",
    )


def _list(model: str, **filters: Any) -> str:
    query = f"?{urlencode(filters)}" if filters else ""
    return reverse(f"admin:{model}_changelist") + query


def _firm(now: datetime) -> dict[str, Any]:
    connections = BrokerConnection.objects.select_related("lease").order_by("name")
    return {
        "cards": [*firm_cards(now), jobs(now)],
        "hands": what_needs_a_hand(now),
        "statuses": _open_orders_by_status(),
        "lights": [_light(row, now) for row in connections],
        "readers": stream_status().subscribers,
    }


def _platform(now: datetime) -> dict[str, Any]:
    firms = standings(now)
    for firm in firms:
        firm["colour"] = COLOURS[firm["level"]]
        firm["hurts"] = [figure for figure in firm["figures"] if figure["level"]]
    return {"cards": platform_cards(now), "firms": firms}


def _open_orders_by_status() -> list[dict[str, Any]]:
    rows = Order.objects.filter(is_closed=False).order_by().values("ord_status")
    counts = dict(rows.annotate(n=Count("pk")).values_list("ord_status", "n"))
    return [
        {
            "word": status.value.replace("_", " "),
            "count": counts[status.value],
            "colour": ORDER_STATUS.get(status.value, ""),
            "url": _list("oms_order", ord_status__exact=status.value, is_closed__exact=0),
        }
        for status in OrdStatus
        if status.value in counts
    ]


def _light(row: BrokerConnection, now: datetime) -> dict[str, Any]:
    lease = getattr(row, "lease", None)
    held = lease is not None and lease.lease_until > now
    return {
        "name": row.name,
        "broker": row.broker,
        "mode": row.mode,
        "state": row.state,
        "colour": CONNECTION_STATE.get(row.state, ""),
        "since": age(row.state_since, now),
        "seen": f"{age(row.last_seen_at, now)} ago" if row.last_seen_at else "never",
        "lease": f"epoch {lease.epoch}" if lease is not None and held else "nobody holds it",
        "reason": row.reason,
        "url": reverse("admin:brokers_brokerconnection_change", args=[row.pk]),
    }
