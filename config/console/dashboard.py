"""The home of each console: what hurts first, each figure with the list behind it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.sessions.models import Session
from django.db.models import Count, Max, Min, Q
from django.http import HttpRequest
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from accounts.models import ApiKey, LoginFailures, LoginSession, User
from brokers.models import BrokerAccount, BrokerConnection
from common.console.cells import instant
from common.console.words import CONNECTION_STATE, ORDER_STATUS
from config.console.frame import firm_of
from events.selectors import StreamStatus, stream_status
from marketdata.models import Instrument, ReplayClock
from oms.models import Break, Command, Order, ParkedReport, ReconciliationRun
from risk.models import Breach
from risk.selectors import halts_in_force
from tenants.models import Tenant
from trading.vocabulary import CommandState, OrdStatus

FINE, WATCH, PAIN = 0, 1, 2
_COLOURS = ("success", "warning", "danger")
_WORDS = ("fine", "watch", "act")
RECONCILED_WITHIN = timedelta(minutes=15)
UNSENT_FOR = timedelta(seconds=10)
LAG = 100
SEEN_WITHIN = timedelta(minutes=2)
FAILURES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Card:
    """One figure: how bad it is, what it says, and where the rows are."""

    title: str
    figure: str
    level: int
    note: str
    url: str

    @property
    def colour(self) -> str:
        """The badge's colour."""
        return _COLOURS[self.level]

    @property
    def word(self) -> str:
        """The badge's word, for those who do not see its colour."""
        return _WORDS[self.level]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures of the console asked for to its home page."""
    now = datetime.now(UTC)
    found = _platform(now) if firm_of(request) is None else _firm(now)
    cards = sorted(found.pop("cards"), key=lambda card: -card.level)
    worst = cards[0]
    context.update(
        found,
        cards=cards,
        as_of=instant(now),
        worst=worst.title if worst.level else "",
        title=f"Worst: {worst.title}" if worst.level else "All fine",
    )
    return context


# --- a firm ---------------------------------------------------------------------------------------


def _firm(now: datetime) -> dict[str, Any]:
    connections = list(BrokerConnection.objects.select_related("lease").order_by("name"))
    stream = stream_status()
    return {
        "cards": [
            _halts(),
            *_commands(now),
            _breaks(now),
            _parked(now),
            _connections(connections),
            _reconciled(now),
            _stream(stream),
            _breaches(now),
        ],
        "statuses": _orders_by_status(),
        "lights": [_light(row, now) for row in connections],
        "readers": stream.subscribers,
    }


def _list(model: str, **filters: Any) -> str:
    query = f"?{urlencode(filters)}" if filters else ""
    return reverse(f"admin:{model}_changelist") + query


def _halts() -> Card:
    halts = list(halts_in_force())
    note = "none in force"
    if halts:
        last = halts[-1]
        where = f"{last.scope} {last.target}".strip()
        note = f"last: {where} by {last.set_by.partition(':')[2] or last.set_by}"
    return Card(
        "Halts", str(len(halts)), PAIN if halts else FINE, note, _list("risk_halt", in_force="yes")
    )


def _commands(now: datetime) -> tuple[Card, Card]:
    rows = Command.objects.filter(state__in=[CommandState.UNKNOWN, CommandState.QUEUED])
    found = rows.aggregate(
        unknown=Count("pk", filter=Q(state=CommandState.UNKNOWN)),
        oldest=Min("unknown_since", filter=Q(state=CommandState.UNKNOWN)),
        queued=Count("pk", filter=Q(state=CommandState.QUEUED)),
        first=Min("not_before", filter=Q(state=CommandState.QUEUED)),
    )
    unknown = Card(
        "Unknown outcomes",
        str(found["unknown"]),
        PAIN if found["unknown"] else FINE,
        f"oldest {_age(found['oldest'], now)}" if found["oldest"] else "every outcome is known",
        _list("oms_order", outcome="unknown"),
    )
    late = found["first"] is not None and now - found["first"] > UNSENT_FOR
    unsent = Card(
        "Unsent requests",
        str(found["queued"]),
        PAIN if late else FINE,
        f"oldest {_age(found['first'], now)}" if found["queued"] else "nothing waits",
        _list("oms_command", state__exact="QUEUED"),
    )
    return unknown, unsent


def _breaks(now: datetime) -> Card:
    found = Break.objects.filter(closed_at=None).aggregate(n=Count("pk"), oldest=Min("opened_at"))
    return Card(
        "Open breaks",
        str(found["n"]),
        PAIN if found["n"] else FINE,
        f"oldest {_age(found['oldest'], now)}" if found["n"] else "books agree with venues",
        _list("oms_break", closed_at__isempty=1),
    )


def _parked(now: datetime) -> Card:
    found = ParkedReport.objects.filter(resolved_at=None).aggregate(n=Count("pk"), oldest=Min("at"))
    return Card(
        "Parked reports",
        str(found["n"]),
        PAIN if found["n"] else FINE,
        f"oldest {_age(found['oldest'], now)}" if found["n"] else "every report was applied",
        _list("oms_parkedreport", resolved_at__isempty=1),
    )


def _connections(rows: list[BrokerConnection]) -> Card:
    live = [row for row in rows if row.state != BrokerConnection.State.DISABLED]
    up = sum(row.state == BrokerConnection.State.UP for row in live)
    level = FINE
    if up < len(live):
        down = any(row.state == BrokerConnection.State.DOWN for row in live)
        level = PAIN if down else WATCH
    return Card(
        "Broker connections",
        f"{up}/{len(live)}",
        level,
        "all up" if level == FINE else ", ".join(r.name for r in live if r.state != "UP")[:60],
        _list("brokers_brokerconnection"),
    )


def _reconciled(now: datetime) -> Card:
    active = BrokerAccount.objects.filter(state=BrokerAccount.State.ACTIVE).count()
    latest = list(
        ReconciliationRun.objects.filter(complete=True, account__state=BrokerAccount.State.ACTIVE)
        .values("account_id")
        .annotate(last=Max("at"))
        .values_list("last", flat=True)
    )
    oldest = min(latest) if latest else None
    never = active - len(latest)
    late = oldest is not None and now - oldest > RECONCILED_WITHIN
    return Card(
        "Reconciliation",
        _age(oldest, now) if oldest else "-",
        WATCH if never or late else FINE,
        f"{never} of {active} accounts never compared" if never else "age of the oldest comparison",
        _list("oms_reconciliationrun"),
    )


def _stream(status: StreamStatus) -> Card:
    lag = max((row.lag for row in status.subscribers), default=0)
    failing = [row.name for row in status.subscribers if row.failures]
    level = PAIN if failing else WATCH if max(lag, status.waiting) > LAG else FINE
    note = f"{status.waiting} without a position, readers {lag} behind"
    return Card(
        "Event stream",
        str(max(lag, status.waiting)),
        level,
        f"failing: {', '.join(failing)}" if failing else note,
        _list("events_subscribercursor") if failing else _list("events_event"),
    )


def _breaches(now: datetime) -> Card:
    day = now - timedelta(days=1)
    count = Breach.objects.filter(at__gte=day).count()
    return Card(
        "Breaches, 24 h", str(count), FINE, "rules that refused orders broke", _list("risk_breach")
    )


def _orders_by_status() -> list[dict[str, Any]]:
    counts = dict(
        Order.objects.order_by()
        .values("ord_status")
        .annotate(n=Count("pk"))
        .values_list("ord_status", "n")
    )
    return [
        {
            "word": status.value.replace("_", " "),
            "count": counts.get(status.value, 0),
            "colour": ORDER_STATUS.get(status.value, ""),
            "url": _list("oms_order", ord_status__exact=status.value),
        }
        for status in OrdStatus
        if counts.get(status.value)
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
        "since": _age(row.state_since, now),
        "seen": _age(row.last_seen_at, now) if row.last_seen_at else "never",
        "lease": f"epoch {lease.epoch}" if lease is not None and held else "nobody holds it",
        "reason": row.reason,
        "url": reverse("admin:brokers_brokerconnection_change", args=[row.pk]),
    }


# --- the platform ---------------------------------------------------------------------------------


def _platform(now: datetime) -> dict[str, Any]:
    firms = Tenant.objects.aggregate(n=Count("pk"), off=Count("pk", filter=Q(is_active=False)))
    people = User.objects.filter(is_active=True).aggregate(
        n=Count("pk"), staff=Count("pk", filter=Q(is_platform_staff=True))
    )
    locked = LoginFailures.objects.filter(
        window_ends_at__gt=now, failures__gte=FAILURES_SHOWN
    ).count()
    keys = ApiKey.objects.filter(revoked_at=None).aggregate(
        n=Count("pk"), unused=Count("pk", filter=Q(last_used_at=None))
    )
    return {
        "cards": [
            Card(
                "Firms",
                str(firms["n"]),
                WATCH if firms["off"] else FINE,
                f"{firms['off']} suspended",
                _list("tenants_tenant"),
            ),
            Card(
                "Failed logins",
                str(locked),
                WATCH if locked else FINE,
                f"names or addresses with {FAILURES_SHOWN} failures or more",
                _list("accounts_loginfailures"),
            ),
            _beat(now),
            Card(
                "People",
                str(people["n"]),
                FINE,
                f"{people['staff']} of the platform's staff",
                _list("accounts_user", is_active__exact=1),
            ),
            Card(
                "API keys",
                str(keys["n"]),
                FINE,
                f"{keys['unused']} never used",
                _list("accounts_apikey", revoked_at__isempty=1),
            ),
            Card(
                "Logins",
                str(_logins(now)),
                FINE,
                "sessions of browsers and programs",
                _list("accounts_loginsession", revoked_at__isempty=1),
            ),
            Card(
                "Instruments",
                str(Instrument.objects.filter(tradable=True).count()),
                FINE,
                "tradable",
                _list("marketdata_instrument", tradable__exact=1),
            ),
            Card(
                "Replayed feeds",
                str(ReplayClock.objects.count()),
                FINE,
                "history as a market",
                _list("marketdata_replayclock"),
            ),
        ]
    }


def _logins(now: datetime) -> int:
    programs = LoginSession.objects.filter(revoked_at=None, expires_at__gt=now).count()
    return programs + Session.objects.filter(expire_date__gt=now).count()


def _beat(now: datetime) -> Card:
    last = PeriodicTask.objects.filter(enabled=True).aggregate(last=Max("last_run_at"))["last"]
    late = last is None or now - last > SEEN_WITHIN
    return Card(
        "Schedules",
        _age(last, now) if last else "-",
        WATCH if late else FINE,
        "since beat last sent a task" if last else "beat has sent nothing yet",
        _list("django_celery_beat_periodictask"),
    )


# --- words ----------------------------------------------------------------------------------------

_UNITS: Iterable[tuple[int, str]] = ((86400, "d"), (3600, "h"), (60, "min"))


def _age(moment: datetime | None, now: datetime) -> str:
    """Return how long ago in its largest unit."""
    if moment is None:
        return "-"
    seconds = max(int((now - moment).total_seconds()), 0)
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
