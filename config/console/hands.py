"""What needs a hand in a firm: row by row, each with the verb that helps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from approvals.selectors import waiting
from brokers.models import BrokerConnection
from config.figures.cards import age
from oms.models import Break, Command, ParkedReport
from risk.selectors import halts_in_force
from trading.vocabulary import CommandState

MOST = 5


@dataclass(frozen=True, slots=True)
class Hand:
    """One row: what it is, for how long, where it is seen and what can be done about it."""

    kind: str
    text: str
    age: str
    url: str
    verbs: tuple[tuple[str, str], ...]


def what_needs_a_hand(now: datetime) -> list[Hand]:
    """Return the oldest few of each kind, the worst kind first."""
    return [*_unknown(now), *_down(now), *_breaks(now), *_parked(now), *_halts(now), *_waits(now)]


def _row(model: str, pk: object) -> str:
    return reverse(f"admin:{model}_change", args=[pk])


def _do(model: str, pk: object, verb: str) -> str:
    return reverse(f"admin:{model}_row_do", args=[pk, verb])


def _unknown(now: datetime) -> Iterator[Hand]:
    rows = Command.objects.filter(state=CommandState.UNKNOWN).select_related("order")
    for row in rows.order_by("unknown_since")[:MOST]:
        yield Hand(
            "Unknown outcome",
            f"{row.kind} of {row.order}",
            age(row.unknown_since, now),
            _row("oms_order", row.order_id),
            (
                ("Ask the venue", _do("oms_order", row.order_id, "ask_venue")),
                ("Decide", _do("oms_command", row.pk, "resolve")),
            ),
        )


def _down(now: datetime) -> Iterator[Hand]:
    rows = BrokerConnection.objects.filter(state=BrokerConnection.State.DOWN)
    for row in rows.order_by("state_since")[:MOST]:
        yield Hand(
            "Connection down",
            f"{row} {row.reason}".strip(),
            age(row.state_since, now),
            _row("brokers_brokerconnection", row.pk),
            (
                ("Halt venue", _do("brokers_brokerconnection", row.pk, "halt")),
                ("Compare", _do("brokers_brokerconnection", row.pk, "compare")),
            ),
        )


def _breaks(now: datetime) -> Iterator[Hand]:
    rows = Break.objects.filter(closed_at=None).select_related("account").order_by("opened_at")
    for row in rows[:MOST]:
        owner = row.owner.partition(":")[2]
        yield Hand(
            "Break",
            f"{row.account.code} {row}: ours {row.ours}, theirs {row.theirs}"
            + (f" ({owner})" if owner else ""),
            age(row.opened_at, now),
            _row("oms_break", row.pk),
            (
                ("Assign", _do("oms_break", row.pk, "assign")),
                ("Close", _do("oms_break", row.pk, "close")),
            ),
        )


def _parked(now: datetime) -> Iterator[Hand]:
    rows = ParkedReport.objects.filter(resolved_at=None).select_related("account").order_by("at")
    for row in rows[:MOST]:
        yield Hand(
            "Parked report",
            f"{row.account.code} {row.reason}",
            age(row.at, now),
            _row("oms_parkedreport", row.pk),
            (
                ("Apply again", _do("oms_parkedreport", row.pk, "apply")),
                ("Put aside", _do("oms_parkedreport", row.pk, "settle")),
            ),
        )


def _halts(now: datetime) -> Iterator[Hand]:
    for row in halts_in_force()[:MOST]:
        yield Hand(
            "Halt",
            f"{row} by {row.set_by.partition(':')[2] or row.set_by}: {row.reason}",
            age(row.since, now),
            _row("risk_halt", row.pk),
            (("Lift", _do("risk_halt", row.pk, "lift")),),
        )


def _waits(now: datetime) -> Iterator[Hand]:
    for row in waiting(now)[:MOST]:
        yield Hand(
            "Approval",
            f"{row.effect} Asked by {row.maker.partition(':')[2]}.",
            age(row.made_at, now),
            _row("approvals_approval", row.pk),
            (
                ("Approve", _do("approvals_approval", row.pk, "approve")),
                ("Refuse", _do("approvals_approval", row.pk, "refuse")),
            ),
        )
