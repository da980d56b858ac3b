"""Slow down password guessing: by name and address together, by name, and by address."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection

from accounts.errors import TooManyAttempts
from accounts.models import LoginFailures, normal_email

WINDOW = timedelta(minutes=15)
# A pair locks out one guesser, a name alone a swarm of them; an address many names (an office
# behind one address mistypes often, hence the wide limit).
LIMITS = {"pair": 6, "name": 50, "address": 100}


def subjects(email: str, remote_addr: str) -> dict[str, int]:
    """Return the counters of one attempt with their limits; names are kept as hashes."""
    name = normal_email(email)
    texts = {"pair": f"{name}\n{remote_addr}", "name": name, "address": remote_addr}
    return {_hashed(kind, text): LIMITS[kind] for kind, text in texts.items()}


def _hashed(kind: str, text: str) -> str:
    return hashlib.sha256(f"{kind}\n{text}".encode()).hexdigest()


def check(counters: dict[str, int], *, now: datetime) -> None:
    """:raises TooManyAttempts: if one of the counters is at its limit; with Retry-After."""
    rows = LoginFailures.objects.filter(subject__in=counters, window_ends_at__gt=now)
    ends = [row.window_ends_at for row in rows if row.failures >= counters[row.subject]]
    if ends:
        seconds = max(1, int((max(ends) - now).total_seconds()))
        raise TooManyAttempts(
            "Too many failed logins; wait before the next attempt.",
            headers={"Retry-After": str(seconds)},
        )


def record_failure(counters: Iterable[str], *, now: datetime) -> None:
    """Count one failure in each counter; a counter whose window is over starts anew."""
    rows = [(subject, now + WINDOW, now) for subject in sorted(counters)]
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO accounts_loginfailures AS old (subject, failures, window_ends_at)
            VALUES (%s, 1, %s)
            ON CONFLICT (subject) DO UPDATE SET
                failures = CASE WHEN old.window_ends_at > %s THEN old.failures + 1 ELSE 1 END,
                window_ends_at = CASE WHEN old.window_ends_at > %s
                    THEN old.window_ends_at ELSE excluded.window_ends_at END
            """,
            [(subject, ends, at, at) for subject, ends, at in rows],
        )


def forget(email: str, remote_addr: str) -> None:
    """Clear the counter of the pair after a login that succeeded."""
    pair = _hashed("pair", f"{normal_email(email)}\n{remote_addr}")
    LoginFailures.objects.filter(subject=pair).delete()


def forget_old(*, now: datetime) -> int:
    """Delete counters whose window is over; return how many."""
    return LoginFailures.objects.filter(window_ends_at__lte=now).delete()[0]
