"""The figures of the bound firm, in the order of pain."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q

from approvals.selectors import waiting
from brokers.models import BrokerAccount, BrokerConnection
from config.figures.cards import ACT, FINE, WATCH, Card, age, plural
from config.figures.system import feeds
from events.models import Proof
from events.selectors import StreamStatus, head, stream_status
from oms.models import Break, Command, ParkedReport, ReconciliationRun
from oms.selectors import Flow, flow_since
from risk.models import Breach
from risk.selectors import halts_in_force, limit_usage
from trading.vocabulary import CommandState

RECONCILED_WITHIN = timedelta(minutes=15)
UNSENT_FOR = timedelta(seconds=10)
PROVED_WITHIN = timedelta(minutes=20)
QUIET_PROVED_WITHIN = timedelta(minutes=80)
BREAK_SLA = timedelta(hours=4)
LAG = 100
ACK_MS = 1000
REJECTED_SHARE = 0.2
USED = 0.8
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def firm_cards(now: datetime) -> list[Card]:
    """Return all cards of the bound firm."""
    connections = list(BrokerConnection.objects.order_by("name"))
    return [
        _halts(now),
        *_commands(now),
        _connections(connections, now),
        _breaks(now),
        _parked(now),
        _reconciled(now),
        _acknowledgements(flow_since(now - HOUR)),
        _stream(stream_status()),
        feeds(now),
        _limits(),
        _breaches(now),
        *_proofs(now),
        _approvals(now),
    ]


def _halts(now: datetime) -> Card:
    halts = list(halts_in_force())
    note = "none in force"
    if halts:
        last = halts[-1]
        where = f"{last.scope} {last.target}".strip()
        who = last.set_by.partition(":")[2] or last.set_by
        note = f"{where} by {who}, {age(last.since, now)}"
    return Card(
        "halts", "Halts", str(len(halts)), ACT if halts else FINE, note, "any in force",
        "risk_halt", {"in_force": "yes"},
    )  # fmt: skip


def _commands(now: datetime) -> Iterator[Card]:
    rows = Command.objects.filter(state__in=[CommandState.UNKNOWN, CommandState.QUEUED])
    found = rows.aggregate(
        unknown=Count("pk", filter=Q(state=CommandState.UNKNOWN)),
        oldest=Min("unknown_since", filter=Q(state=CommandState.UNKNOWN)),
        queued=Count("pk", filter=Q(state=CommandState.QUEUED)),
        first=Min("not_before", filter=Q(state=CommandState.QUEUED)),
    )
    yield Card(
        "unknown_outcomes", "Unknown outcomes", str(found["unknown"]),
        ACT if found["unknown"] else FINE,
        f"oldest {age(found['oldest'], now)}" if found["oldest"] else "every outcome is known",
        "any", "oms_order", {"outcome": "unknown"},
    )  # fmt: skip
    late = found["first"] is not None and now - found["first"] > UNSENT_FOR
    yield Card(
        "unsent_requests", "Unsent requests", str(found["queued"]), ACT if late else FINE,
        f"oldest {age(found['first'], now)}" if found["queued"] else "nothing waits",
        f"oldest over {UNSENT_FOR.seconds} s", "oms_command", {"state__exact": "QUEUED"},
    )  # fmt: skip


def _connections(rows: list[BrokerConnection], now: datetime) -> Card:
    live = [row for row in rows if row.state != BrokerConnection.State.DISABLED]
    off = [row for row in live if row.state != BrokerConnection.State.UP]
    down = any(row.state == BrokerConnection.State.DOWN for row in off)
    note = ", ".join(f"{row.name} {row.state} {age(row.state_since, now)}" for row in off)
    return Card(
        "connections", "Broker connections", f"{len(live) - len(off)}/{len(live)}",
        ACT if down else WATCH if off else FINE, note or "all up", "any that is not up",
        "brokers_brokerconnection",
    )  # fmt: skip


def _breaks(now: datetime) -> Card:
    found = Break.objects.filter(closed_at=None).aggregate(
        n=Count("pk"),
        oldest=Min("opened_at"),
        late=Count("pk", filter=Q(opened_at__lt=now - BREAK_SLA)),
        owned=Count("pk", filter=~Q(owner="")),
    )
    note = f"oldest {age(found['oldest'], now)}, {found['late']} late, {found['owned']} owned"
    return Card(
        "breaks", "Open breaks", str(found["n"]), ACT if found["n"] else FINE,
        note if found["n"] else "books agree with venues",
        f"any; late after {age(now - BREAK_SLA, now)}", "oms_break", {"closed_at__isempty": 1},
    )  # fmt: skip


def _parked(now: datetime) -> Card:
    found = ParkedReport.objects.filter(resolved_at=None).aggregate(n=Count("pk"), oldest=Min("at"))
    return Card(
        "parked_reports", "Parked reports", str(found["n"]), ACT if found["n"] else FINE,
        f"oldest {age(found['oldest'], now)}" if found["n"] else "every report was applied",
        "any", "oms_parkedreport", {"resolved_at__isempty": 1},
    )  # fmt: skip


def _reconciled(now: datetime) -> Card:
    active = dict(
        BrokerAccount.objects.filter(state=BrokerAccount.State.ACTIVE).values_list("pk", "code")
    )
    latest = dict(
        ReconciliationRun.objects.filter(complete=True, account__in=list(active))
        .order_by()
        .values("account_id")
        .annotate(last=Max("at"))
        .values_list("account_id", "last")
    )
    never = [active[pk] for pk in active if pk not in latest]
    account = min(latest, key=lambda pk: latest[pk], default=None)
    oldest = None if account is None else latest[account]
    late = oldest is not None and now - oldest > RECONCILED_WITHIN
    if never:
        note = f"never compared: {', '.join(never)[:60]}"
    else:
        where = active[account] if account is not None else "-"
        note = f"oldest of {plural(len(active), 'account', 'accounts')}: {where}"
    return Card(
        "reconciliation", "Reconciliation", age(oldest, now),
        ACT if late else WATCH if never else FINE, note,
        f"older than {age(now - RECONCILED_WITHIN, now)}", "oms_reconciliationrun",
    )  # fmt: skip


def _acknowledgements(flow: Flow) -> Card:
    slow = flow.p99_ms is not None and flow.p99_ms > ACK_MS
    share = flow.rejected / flow.orders if flow.orders else 0.0
    why = ", ".join(f"{code} {count}" for code, count in flow.reasons)
    note = f"{flow.rejected} of {plural(flow.orders, 'order', 'orders')} rejected"
    p50, p99 = (
        ("-", "-") if flow.p99_ms is None else (f"{flow.p50_ms:.0f} ms", f"{flow.p99_ms:.0f} ms")
    )
    return Card(
        "acknowledgements", "Acknowledgements, 1 h", p99,
        WATCH if slow or share > REJECTED_SHARE else FINE,
        f"p50 {p50}; {note}{': ' + why if why else ''}"[:120],
        f"p99 over {ACK_MS} ms, {REJECTED_SHARE:.0%} rejected",
        "oms_order", {"ord_status__exact": "REJECTED", "period": "day"},
    )  # fmt: skip


def _stream(status: StreamStatus) -> Card:
    lag = max((row.lag for row in status.subscribers), default=0)
    failing = [row.name for row in status.subscribers if row.failures]
    level = ACT if failing else WATCH if max(lag, status.waiting) > LAG else FINE
    note = f"{status.waiting} without a position, readers {lag} behind"
    return Card(
        "event_stream", "Event stream", str(max(lag, status.waiting)), level,
        f"failing: {', '.join(failing)}" if failing else note,
        f"over {LAG}, or a reader failing",
        "events_subscribercursor" if failing else "events_event",
    )  # fmt: skip


def _limits() -> Card:
    usage = sorted(limit_usage(), key=lambda row: -row.share)
    high = [row for row in usage if row.share > USED]
    top = usage[0] if usage else None
    note = "none is set on what is open"
    if top is not None:
        note = f"highest: {top.rule} of {top.account} {top.share:.0%}"
    return Card(
        "limits", "Limits over 80 %", str(len(high)), WATCH if high else FINE, note,
        f"used over {USED:.0%}", "risk_risklimit",
    )  # fmt: skip


def _breaches(now: datetime) -> Card:
    count = Breach.objects.filter(at__gte=now - DAY).count()
    return Card(
        "breaches", "Breaches, 24 h", str(count), FINE, "rules that refused orders broke",
        "none: refusals are the rules at work", "risk_breach", {"period": "day"},
    )  # fmt: skip


def _proofs(now: datetime) -> Iterator[Card]:
    proofs = {row.name: row for row in Proof.objects.all()}
    chain = proofs.get("chain")
    # A firm in which nothing happened since the last proof is proved anew once an hour only.
    is_quiet = chain is not None and chain.position == head()[0]
    within = QUIET_PROVED_WITHIN if is_quiet else PROVED_WITHIN
    for code, title, model in (
        ("ledger", "Trial balance", "portfolio_journalline"),
        ("chain", "Event chain", "events_event"),
    ):
        proof = proofs.get(code)
        if proof is None:
            yield Card(code, title, "-", WATCH, "not proved yet", "not proved", model)
            continue
        late = now - proof.at > within
        yield Card(
            code, title, proof.figure, ACT if proof.problem else WATCH if late else FINE,
            proof.problem or proof.detail,
            f"any difference; older than {age(now - within, now)}", model, at=proof.at,
        )  # fmt: skip


def _approvals(now: datetime) -> Card:
    found = waiting(now).aggregate(n=Count("pk"), oldest=Min("made_at"))
    return Card(
        "approvals", "Approvals waiting", str(found["n"]), WATCH if found["n"] else FINE,
        f"oldest {age(found['oldest'], now)}" if found["n"] else "nobody waits for a second person",
        "any", "approvals_approval", {"standing": "waiting"},
    )  # fmt: skip
