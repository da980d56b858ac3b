"""Alarms that open and close themselves: one row of the break desk for each thing that is wrong."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import QuerySet

from brokers.models import BrokerAccount
from common.ids import new_ulid
from events.services import publish
from oms.models import Break
from oms.present import break_json


class AlarmKind(StrEnum):
    """What may be wrong with orders: kept here, dependent on each other, taken as others, not
    ended by a halt, half replaced, or numbered by a venue that has begun again.
    """

    TRIGGER_BLIND = "TRIGGER_BLIND"
    TRIGGER_MISSED = "TRIGGER_MISSED"
    STOP_LIMIT_SKIPPED = "STOP_LIMIT_SKIPPED"
    UNPROTECTED_POSITION = "UNPROTECTED_POSITION"
    OCO_BOTH_FILLED = "OCO_BOTH_FILLED"
    ECHO_MISMATCH = "ECHO_MISMATCH"
    KILL_INCOMPLETE = "KILL_INCOMPLETE"
    REPLACE_HALF_DONE = "REPLACE_HALF_DONE"
    ID_RESET = "ID_RESET"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong. ``ours`` is what we wait for, ``theirs`` what the market shows."""

    ours: str
    theirs: str
    detail: str


Subject = tuple[int, str]
"""The account's id and what the alarm is about: a symbol or an order's id."""


def raise_alarms(
    kind: AlarmKind, found: Mapping[Subject, Alarm], *, actor: str, now: datetime
) -> None:
    """Open an alarm for each subject of which none is open; the caller holds the transaction."""
    known = {(row.account_id, row.subject) for row in _open(kind)} if found else set()
    accounts = BrokerAccount.objects.in_bulk({account_id for account_id, _ in found})
    for account_id, subject in sorted(found.keys() - known):
        alarm = found[account_id, subject]
        row = Break.objects.create(
            id=new_ulid(now),
            account=accounts[account_id],
            kind=kind,
            subject=subject,
            ours=alarm.ours[:80],
            theirs=alarm.theirs[:80],
            detail=alarm.detail[:500],
            opened_at=now,
        )
        _tell("break.opened", row, actor, now)


def close_alarms(
    kind: AlarmKind,
    *,
    connection_id: int,
    but: Collection[Subject],
    resolution: str,
    actor: str,
    now: datetime,
) -> None:
    """Close the connection's open alarms that are not about one of the subjects ``but``."""
    for row in _open(kind).select_for_update(of=("self",)).select_related("account"):
        if row.account.connection_id != connection_id or (row.account_id, row.subject) in but:
            continue
        _close(row, resolution, actor, now)


def close_alarm(
    kind: AlarmKind, subject: Subject, *, resolution: str, actor: str, now: datetime
) -> None:
    """Close the alarm about one subject, if one is open."""
    account_id, name = subject
    rows = _open(kind).filter(account_id=account_id, subject=name)
    for row in rows.select_for_update(of=("self",)).select_related("account"):
        _close(row, resolution, actor, now)


def _close(row: Break, resolution: str, actor: str, now: datetime) -> None:
    row.closed_at = now
    row.resolution = resolution
    row.save(update_fields=["closed_at", "resolution"])
    _tell("break.closed", row, actor, now)


def _open(kind: AlarmKind) -> QuerySet[Break]:
    return Break.objects.filter(kind=kind, closed_at=None)


def _tell(event_type: str, row: Break, actor: str, now: datetime) -> None:
    publish(type=event_type, subject=row.id, data=break_json(row), actor=actor, now=now)
