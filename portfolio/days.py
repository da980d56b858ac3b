"""Profit by day and by instrument, and the course of equity, from postings and snapshots.

A day is a day of UTC. Its end stands as ``GET /pnl?as_of=`` has it: what was booked until then,
valued at the marks of the last snapshot until then. The day that is not over ends now, at the
latest marks, as ``GET /pnl`` has it; so the days add up to it. Four queries, however many days.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Trunc, TruncDate

from brokers.models import BrokerAccount
from portfolio import selectors
from portfolio.models import Balance, JournalLine, PnlSnapshot, Position
from trading import exact, pnl
from trading.exact import ZERO
from trading.gains import Gain, total
from trading.journal import Ledger, Reason

Key = tuple[int, str, str]
"""Account id, currency, symbol."""


@dataclass(frozen=True, slots=True)
class DayGain:
    """One day in one currency; ``trades`` counts its fills."""

    day: date
    gain: Gain
    trades: int


@dataclass(frozen=True, slots=True)
class Course:
    """How the running totals stood at the end of each day, oldest first; the last day is today."""

    ends: Mapping[date, Mapping[Key, Gain]]
    trades: Mapping[tuple[date, str], int]
    simulated: bool

    @property
    def currencies(self) -> list[str]:
        """The currencies anything was ever booked in."""
        return sorted({key[1] for end in self.ends.values() for key in end})

    def days(self, currency: str, since: date | None = None) -> list[DayGain]:
        """The days from ``since`` on, oldest first."""
        rows, before = [], Gain()
        for day, end in self.ends.items():
            now = total(gain for key, gain in end.items() if key[1] == currency)
            if since is None or day >= since:
                rows.append(DayGain(day, now.since(before), self.trades.get((day, currency), 0)))
            before = now
        return rows

    def whole(self, currency: str, since: date | None = None) -> Gain:
        """Everything from the beginning of the day ``since`` until now."""
        return total(self.symbols(currency, since).values())

    def symbols(self, currency: str, since: date | None = None) -> dict[str, Gain]:
        """The same by symbol."""
        last = self.ends[max(self.ends)]
        before = [day for day in self.ends if since is not None and day < since]
        first = self.ends[max(before)] if before else {}
        rows: dict[str, Gain] = {}
        for key, gain in last.items():
            if key[1] == currency:
                change = gain.since(first.get(key, Gain()))
                rows[key[2]] = rows.get(key[2], Gain()).plus(change)
        return dict(sorted(rows.items()))


@dataclass(slots=True)
class _Holding:
    """The running totals of one instrument on one account while the days go by."""

    multiplier: Decimal
    qty: Decimal = ZERO
    cost: Decimal = ZERO
    realized: Decimal = ZERO
    fees: Decimal = ZERO

    def add(self, line: Mapping[str, Any]) -> None:
        self.qty = exact.add(self.qty, line["qty"] or ZERO)
        self.cost = exact.add(self.cost, line["cost"] or ZERO)
        self.realized = exact.subtract(self.realized, line["gain"] or ZERO)
        self.fees = exact.add(self.fees, line["fees"] or ZERO)

    def gain(self, mark: Decimal | None) -> Gain:
        return Gain(
            self.realized, pnl.unrealized(self.qty, self.cost, mark, self.multiplier), self.fees
        )


@dataclass(slots=True)
class _Past:
    """What is read of the past: lines and marks by day."""

    lines: dict[date, list[Mapping[str, Any]]] = field(default_factory=dict)
    marks: dict[date, dict[tuple[int, str], dict[str, Any]]] = field(default_factory=dict)
    simulated: bool = False


def course(accounts: Collection[BrokerAccount], *, now: datetime) -> Course:
    """Return how the profit of these accounts came about until ``now``."""
    ids = [account.pk for account in accounts]
    today = now.astimezone(UTC).date()
    past = _read(ids, now)
    positions = {
        (row.account_id, row.symbol): row for row in Position.objects.filter(account_id__in=ids)
    }
    latest = selectors.marks(row.symbol for row in positions.values() if row.qty != 0)
    holdings: dict[Key, _Holding] = {}
    marks: dict[tuple[int, str], dict[str, Any]] = {}
    ends: dict[date, dict[Key, Gain]] = {}
    trades: dict[tuple[date, str], int] = {}
    for day in sorted({*past.lines, *past.marks, today}):
        for line in past.lines.get(day, ()):
            _take(holdings, positions, line)
            in_currency = (day, line["currency"])
            trades[in_currency] = trades.get(in_currency, 0) + line["trades"]
        marks.update(past.marks.get(day, {}))
        if day < today:
            ends[day] = {key: one.gain(_recorded(marks, key)) for key, one in holdings.items()}
    ends[today] = {
        key: one.gain(latest[key[2]].px if key[2] in latest else None)
        for key, one in holdings.items()
    }
    simulated = past.simulated or any(mark.simulated for mark in latest.values())
    return Course(dict(sorted(ends.items())), trades, simulated)


def _take(
    holdings: dict[Key, _Holding],
    positions: Mapping[tuple[int, str], Position],
    line: Mapping[str, Any],
) -> None:
    key = (line["account_id"], line["currency"], line["symbol"])
    if key not in holdings:
        position = positions.get((line["account_id"], line["symbol"]))
        holdings[key] = _Holding(position.multiplier if position else Decimal(1))
    holdings[key].add(line)


def _recorded(marks: Mapping[tuple[int, str], dict[str, Any]], key: Key) -> Decimal | None:
    mark = marks.get((key[0], key[1]), {}).get(key[2])
    return None if mark is None else Decimal(mark["px"])


def _read(ids: Collection[int], now: datetime) -> _Past:
    """Sums of the lines by day, and the marks of each day's last snapshot."""
    past = _Past()
    rows = (
        JournalLine.objects.filter(account_id__in=ids, symbol__isnull=False)
        .annotate(day=TruncDate("entry__at", tzinfo=UTC))
        .values("account_id", "currency", "symbol", "day")
        .annotate(
            qty=Sum("qty"),
            cost=Sum("amount", filter=Q(ledger=Ledger.POSITION_COST)),
            gain=Sum("amount", filter=Q(ledger=Ledger.REALIZED_PNL)),
            fees=Sum("amount", filter=Q(ledger=Ledger.FEES)),
            trades=Count(
                "entry_id",
                distinct=True,
                filter=Q(ledger=Ledger.POSITION_COST, entry__reason=Reason.FILL),
            ),
        )
    )
    for row in rows:
        past.lines.setdefault(row["day"], []).append(row)
    for end in _day_ends(ids, now):
        past.marks.setdefault(end.day, {})[end.account_id, end.currency] = end.marks
        past.simulated |= end.simulated
    return past


@dataclass(frozen=True, slots=True)
class _DayEnd:
    """The last snapshot a day has of one account in one currency."""

    account_id: int
    currency: str
    day: date
    at: datetime
    equity: Decimal | None
    marks: dict[str, Any]
    simulated: bool


# One step down the index per day and balance: a year of snapshots a minute is not read for it.
_DAY_ENDS = """
WITH kept AS (
    SELECT account_id, currency, (
        SELECT min(at) FROM portfolio_pnlsnapshot s
        WHERE s.account_id = b.account_id AND s.currency = b.currency
    ) AT TIME ZONE 'UTC' AS since
    FROM portfolio_balance b WHERE account_id = ANY(%(ids)s)
)
SELECT kept.account_id, kept.currency, day::date, last.at, last.equity, last.marks, last.simulated
FROM kept
CROSS JOIN LATERAL generate_series(
    date_trunc('day', since), %(now)s AT TIME ZONE 'UTC', interval '1 day'
) AS day
CROSS JOIN LATERAL (
    SELECT at, equity, marks, simulated FROM portfolio_pnlsnapshot s
    WHERE s.account_id = kept.account_id AND s.currency = kept.currency
        AND s.at >= day AT TIME ZONE 'UTC'
        AND s.at < (day + interval '1 day') AT TIME ZONE 'UTC'
    ORDER BY s.at DESC LIMIT 1
) AS last
ORDER BY last.at, kept.account_id
"""


def _day_ends(ids: Collection[int], now: datetime) -> list[_DayEnd]:
    with connection.cursor() as cursor:
        cursor.execute(_DAY_ENDS, {"ids": list(ids), "now": now})
        return [
            _DayEnd(account_id, currency, day, at, equity, json.loads(marks), simulated)
            for account_id, currency, day, at, equity, marks, simulated in cursor.fetchall()
        ]


@dataclass(frozen=True, slots=True)
class Point:
    """What the accounts were worth together at one instant."""

    at: datetime
    equity: Decimal


def equity_points(
    accounts: Collection[BrokerAccount],
    *,
    currency: str,
    since: datetime | None,
    every: str,
    now: datetime,
) -> list[Point]:
    """Return the recorded equity, the last of each ``every`` (minute, hour, day), oldest first.

    An account counts from its first snapshot on with the last one it has. Instants at which the
    worth of one was not known are left out.
    """
    ids = [account.pk for account in accounts]
    recorded: list[tuple[datetime, int, Decimal | None]]
    if every == "day":
        recorded = [
            (end.at, end.account_id, end.equity)
            for end in _day_ends(ids, now)
            if end.currency == currency and (since is None or end.at >= since)
        ]
    else:
        rows = PnlSnapshot.objects.filter(account_id__in=ids, currency=currency)
        if since is not None:
            rows = rows.filter(at__gte=since)
        last = (
            rows.annotate(slot=Trunc("at", every, tzinfo=UTC))
            .order_by("account_id", "slot", "-at")
            .distinct("account_id", "slot")
            .values_list("at", "account_id", "equity", "slot")
        )
        recorded = sorted((row[:3] for row in last), key=lambda row: row[:2])
    worth: dict[int, Decimal | None] = {}
    points: dict[datetime, Point] = {}
    for at, account_id, equity in recorded:
        worth[account_id] = equity
        known = [one for one in worth.values() if one is not None]
        points.pop(at, None)
        if len(known) == len(worth):
            points[at] = Point(at, exact.total(known))
    return list(points.values())


def equity_now(accounts: Collection[BrokerAccount], currency: str, gain: Gain) -> Decimal | None:
    """Return cash and what is held at the latest marks, given the profit until now."""
    if gain.net is None:
        return None
    paid_in = Balance.objects.filter(account__in=accounts, currency=currency).aggregate(
        amount=Sum(-F("capital"))
    )["amount"]
    return exact.add(paid_in or ZERO, gain.net)
