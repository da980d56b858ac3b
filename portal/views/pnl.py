"""Profit and loss: by period, by day, by instrument, and the course of equity."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from brokers.models import BrokerAccount
from brokers.selectors import access_account, visible_accounts
from portal.books.curve import Curve, drawn
from portal.views.pages import MemberRequest, member_page, member_render, now
from portfolio import days
from portfolio.days import Course, DayGain
from trading.gains import Gain, total

PERIODS = (("today", "Today"), ("wtd", "WTD"), ("mtd", "MTD"), ("ytd", "YTD"), ("max", "Max"))
LONG = {
    "today": "today",
    "wtd": "since Monday",
    "mtd": "since the first of the month",
    "ytd": "since the first of January",
    "max": "since the first booking",
}
SLOTS = {"today": "minute", "wtd": "hour", "mtd": "hour", "ytd": "day", "max": "hour"}
MOST_HOURS = 60
"""With more days than this a point a day is enough."""
LEVELS = 4
"""Shades of a gain or a loss, by its share of the largest of the period."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A square of the calendar: a day of the month, with what it brought if it brought anything."""

    day: date
    is_inside: bool
    one: DayGain | None
    level: str


@dataclass(frozen=True, slots=True)
class Month:
    """A page of the calendar: weeks from Monday to Sunday, and the sum of its days."""

    first: date
    weeks: Sequence[Sequence[Cell]]
    net: Decimal | None


@dataclass(frozen=True, slots=True)
class Money:
    """Everything the page says about one currency; currencies are never added up."""

    currency: str
    whole: Gain
    symbols: Sequence[tuple[str, Gain]]
    months: Sequence[Month]
    traded: Sequence[DayGain]
    equity: Decimal | None
    curve: Curve | None
    trades: int


@require_safe
@member_page("positions:read")
def pnl(request: MemberRequest) -> HttpResponse:
    """Show the profit of one account in reach, or of all of them."""
    return member_render(request, "portal/pnl/index.html", lambda _: _names(request), scope="pnl")


def _names(request: MemberRequest) -> dict[str, Any]:
    moment = now()
    period = request.GET.get("period", "max")
    if period not in LONG:
        period = "max"
    account = request.GET.get("account", "").strip()[:64]
    accounts = (
        [access_account(request.actor, account)]
        if account
        else list(visible_accounts(request.actor))
    )
    since = since_of(period, moment.astimezone(UTC).date())
    course = days.course(accounts, now=moment)
    kept = {"account": account} if account else {}
    return {
        "period": period,
        "period_says": LONG[period],
        "periods": [
            {"name": name, "label": label, "query": urlencode({**kept, "period": name})}
            for name, label in PERIODS
        ],
        "account": account,
        "since": since,
        "today": moment.astimezone(UTC).date(),
        "course": course,
        "curve_form": "H:i" if period == "today" else "M j",
        "moneys": [
            _money(course, accounts, currency, period, since, moment)
            for currency in course.currencies
        ],
    }


def since_of(period: str, today: date) -> date | None:
    """The first day of a period; None where it begins with the first booking."""
    return {
        "today": today,
        "wtd": today - timedelta(days=today.weekday()),
        "mtd": today.replace(day=1),
        "ytd": today.replace(month=1, day=1),
    }.get(period)


def _money(
    course: Course,
    accounts: Sequence[BrokerAccount],
    currency: str,
    period: str,
    since: date | None,
    moment: datetime,
) -> Money:
    rows = course.days(currency, since)
    whole = course.whole(currency, since)
    equity = days.equity_now(accounts, currency, course.whole(currency))
    slot = "day" if len(rows) > MOST_HOURS else SLOTS[period]
    points = days.equity_points(
        accounts,
        currency=currency,
        since=None if since is None else datetime.combine(since, time(), UTC),
        every=slot,
        now=moment,
    )
    line = [(point.at, point.equity) for point in points]
    if equity is not None:
        line.append((moment, equity))
    return Money(
        currency=currency,
        whole=whole,
        symbols=list(course.symbols(currency, since).items()),
        months=months_of(rows),
        traded=[row for row in reversed(rows) if row.trades or row.gain.net],
        equity=equity,
        curve=drawn(line),
        trades=sum(row.trades for row in rows),
    )


def months_of(rows: Sequence[DayGain]) -> list[Month]:
    """The calendar of these days, newest month first."""
    known = {row.day: row for row in rows}
    largest = max(
        (abs(row.gain.net) for row in rows if row.gain.net is not None), default=Decimal(0)
    )
    months = []
    for first in sorted({day.replace(day=1) for day in known}, reverse=True):
        start = first - timedelta(days=first.weekday())
        after = (first + timedelta(days=31)).replace(day=1)
        cells: list[Cell] = []
        while start + timedelta(days=len(cells)) < after or len(cells) % 7:
            day = start + timedelta(days=len(cells))
            inside = day.month == first.month
            one = known.get(day) if inside else None
            cells.append(Cell(day, inside, one, _level(one, largest)))
        inner = [cell.one.gain for cell in cells if cell.one is not None]
        months.append(
            Month(
                first,
                [cells[at : at + 7] for at in range(0, len(cells), 7)],
                total(inner).net,
            )
        )
    return months


def _level(one: DayGain | None, largest: Decimal) -> str:
    """``up-1`` to ``up-4``, ``down-1`` to ``down-4``, ``flat``, or ``unknown``."""
    if one is None:
        return "none"
    net = one.gain.net
    if net is None:
        return "unknown"
    if not net:
        return "flat"
    shade = min(int(abs(net) * LEVELS / largest) + 1, LEVELS)
    return f"{'up' if net > 0 else 'down'}-{shade}"
