"""Ends of keys and logins by the platform's staff: at once, with a reason the firm can read."""

from datetime import datetime

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session

from accounts.models import ApiKey, LoginSession, Membership, User
from accounts.services import log_out, revoke_api_key
from common.errors import StateConflict
from events.services import publish
from tenants.binding import tenant_bound


def end_key(*, key: ApiKey, reason: str, staff: User, now: datetime) -> None:
    """End a key and tell its firm. :raises StateConflict: if it is over already."""
    if key.revoked_at is not None:
        raise StateConflict(f"It was revoked at {key.revoked_at:%Y-%m-%d %H:%M:%S} UTC.")
    revoke_api_key(key=key, now=now)
    _tell("api_key.revoked", key.pk, key.membership, reason, staff, now)


def end_login(*, session: LoginSession, reason: str, staff: User, now: datetime) -> None:
    """End one login with a password and tell its firm.

    :raises StateConflict: if it is over already.
    """
    if session.revoked_at is not None:
        raise StateConflict(f"It ended at {session.revoked_at:%Y-%m-%d %H:%M:%S} UTC.")
    log_out(session=session, now=now)
    _tell("login.ended", session.pk, session.membership, reason, staff, now)


def end_logins_of(*, person: User, reason: str, staff: User, now: datetime) -> int:
    """End every login of a person, of browsers and of programs; return how many there were.

    Browser sessions keep their person inside, so all that have not expired are looked at.
    """
    ended = 0
    for session in LoginSession.objects.filter(membership__user=person, revoked_at=None):
        end_login(session=session, reason=reason, staff=staff, now=now)
        ended += 1
    for browser in Session.objects.filter(expire_date__gt=now).iterator():
        if browser.get_decoded().get(SESSION_KEY) == str(person.pk):
            browser.delete()
            ended += 1
    return ended


def _tell(
    kind: str, subject: str, place: Membership, reason: str, staff: User, now: datetime
) -> None:
    with tenant_bound(place.tenant.schema_name):
        publish(
            type=kind,
            subject=subject,
            data={"person": place.user.email, "reason": reason},
            actor=f"staff:{staff.email}",
            now=now,
        )
