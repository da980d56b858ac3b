"""Figures that belong to no firm: feeds, the database, versions, logins, and how the firms are."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Min, Q

from accounts.models import ApiKey, LoginFailures, LoginSession
from config import VERSION
from config.figures.cards import ACT, FINE, WATCH, WORDS, Card, age, plural
from marketdata import quotes
from marketdata.models import Instrument
from tenants.models import FirmStanding, Tenant
from tenants.schemas import pending

STANDING_WITHIN = timedelta(seconds=60)
LOCKED_AFTER = 5
CONNECTIONS_SHARE = 0.8
SLOW_QUERY_S = 30


def platform_cards(now: datetime) -> list[Card]:
    """Return the cards of the platform. No firm's schema is read."""
    return [_firms(), jobs(now), feeds(now), _database(), _logins(now), _keys(now), _version()]


def feeds(now: datetime) -> Card:
    """Return whether every tradable instrument with a feed has a fresh price."""
    symbols = list(
        Instrument.objects.filter(tradable=True).exclude(feed="").values_list("symbol", flat=True)
    )
    known = quotes.latest(symbols)
    stale = sorted(
        symbol
        for symbol in symbols
        if symbol not in known or not quotes.is_fresh(known[symbol], now)
    )
    oldest = min((quote.at for quote in known.values()), default=None)
    note = f"stale: {', '.join(stale)[:60]}" if stale else f"oldest price {age(oldest, now)}"
    return Card(
        "feeds", "Stale feeds", f"{len(stale)}/{len(symbols)}", WATCH if stale else FINE, note,
        f"no price for {settings.OMS_QUOTE_MAX_AGE_S} s", "",
    )  # fmt: skip


def jobs(now: datetime) -> Card:
    """Return when worker and beat last did the round that no firm waits for longer than it should.

    A firm in which nothing happens is looked at less often; its next round says when.
    """
    rows = FirmStanding.objects.filter(tenant__is_active=True)
    found = rows.aggregate(last=Max("at"), due=Min("next_at"))
    late = found["due"] is None or now - found["due"] > STANDING_WITHIN
    oldest = rows.order_by("next_at").first() if late else None
    last = oldest.at if oldest else found["last"]
    return Card(
        "jobs", "Background jobs", age(last, now), ACT if late else FINE,
        "since worker and beat last did their round" if last else "no round was done yet",
        f"a round {STANDING_WITHIN.seconds} s late", "",
    )  # fmt: skip


def _firms() -> Card:
    rows = list(FirmStanding.objects.select_related("tenant").filter(tenant__is_active=True))
    firms = Tenant.objects.aggregate(n=Count("pk"), off=Count("pk", filter=Q(is_active=False)))
    worst = max(rows, key=lambda row: row.level, default=None)
    level = FINE if worst is None else worst.level
    note = f"{firms['off']} suspended"
    if worst is not None and level:
        note = f"{worst.tenant.name}: {worst.worst}"
    return Card(
        "firms", "Firms", str(firms["n"]), level, note, "any firm that needs a hand",
        "tenants_tenant",
    )  # fmt: skip


def standings(now: datetime) -> list[dict[str, Any]]:
    """Return how each active firm was at its last round, the worst first."""
    rows = FirmStanding.objects.select_related("tenant").filter(tenant__is_active=True)
    return [
        {
            "name": row.tenant.name,
            "slug": row.tenant.slug,
            "level": row.level,
            "word": WORDS[row.level],
            "worst": row.worst,
            "figures": row.figures,
            "age": age(row.at, now),
            "late": now - row.next_at > STANDING_WITHIN,
        }
        for row in rows.order_by("-level", "tenant__name")
    ]


def _database() -> Card:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), current_setting('max_connections')::int,"
            " pg_size_pretty(pg_database_size(current_database())),"
            " coalesce(extract(epoch FROM max(now() - query_start)"
            " FILTER (WHERE state = 'active' AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend')), 0)::float,"
            " count(*) FILTER (WHERE state LIKE 'idle in transaction%'"
            " AND now() - state_change > interval '30 seconds')"
            " FROM pg_stat_activity WHERE datname = current_database()"
        )
        used, most, size, longest, idle = cursor.fetchone()
    level = ACT if used > most * CONNECTIONS_SHARE else WATCH if longest > SLOW_QUERY_S else FINE
    note = f"{used} of {most} connections, longest query {longest:.0f} s, {idle} idle in work"
    return Card(
        "database", "Database", size, level, note,
        f"{CONNECTIONS_SHARE:.0%} of connections, a query over {SLOW_QUERY_S} s", "",
    )  # fmt: skip


def _logins(now: datetime) -> Card:
    locked = LoginFailures.objects.filter(
        window_ends_at__gt=now, failures__gte=LOCKED_AFTER
    ).count()
    return Card(
        "failed_logins", "Failed logins", str(locked), WATCH if locked else FINE,
        f"names or addresses with {LOCKED_AFTER} failures or more", "any",
        "accounts_loginfailures",
    )  # fmt: skip


def _keys(now: datetime) -> Card:
    keys = ApiKey.objects.filter(revoked_at=None).aggregate(
        n=Count("pk"),
        unused=Count("pk", filter=Q(last_used_at=None)),
        soon=Count("pk", filter=Q(expires_at__gt=now, expires_at__lt=now + timedelta(days=14))),
    )
    sessions = LoginSession.objects.filter(revoked_at=None, expires_at__gt=now).count()
    return Card(
        "credentials", "API keys", str(keys["n"]), WATCH if keys["soon"] else FINE,
        f"{keys['unused']} never used, {keys['soon']} expire within 14 d, "
        f"{plural(sessions, 'login session', 'login sessions')}",
        "a key that expires within 14 d", "accounts_apikey", {"revoked_at__isempty": 1},
    )  # fmt: skip


def _version() -> Card:
    behind = pending(["public"])
    return Card(
        "version", "Version", VERSION, ACT if behind else FINE,
        "the shared tables wait for migrations" if behind else "the shared tables are migrated",
        "migrations that wait", "",
    )  # fmt: skip
