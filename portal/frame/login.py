"""The steps of a login, and the hand-over of a person from the bare host to their firm's host."""

from datetime import datetime, timedelta
from enum import StrEnum
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.models import Session
from django.core import signing
from django.http import HttpRequest

from accounts.models import User
from accounts.sessions import FIRM_KEY, firm_mark, membership_at
from common.errors import Unauthenticated
from tenants.models import Tenant

BACKEND = "accounts.backends.MembershipBackend"
TICKET_LIFETIME = timedelta(seconds=60)
_SALT = "portal.handover"


class Proof(StrEnum):
    """What a person has shown so far."""

    PASSWORD = "password"  # noqa: S105 - a word, not a secret
    SECOND_FACTOR = "second_factor"


class Step(StrEnum):
    """What a login asks for next."""

    SECOND_FACTOR = "second_factor"
    DONE = "done"


def second_factor_of(user: User) -> str | None:
    """Return the kind of second factor the person has enrolled; none can be enrolled yet."""
    del user
    return None


def next_step(user: User, proofs: frozenset[Proof]) -> Step:
    """Return what is still asked of ``user``. Every login passes here before it is opened."""
    if second_factor_of(user) is not None and Proof.SECOND_FACTOR not in proofs:
        return Step.SECOND_FACTOR
    return Step.DONE


def open_login(
    request: HttpRequest, user: User, tenant: Tenant | None, *, proofs: frozenset[Proof]
) -> None:
    """Log ``user`` in at the host of ``tenant``; the session is a new one, marked with the firm.

    :raises Unauthenticated: if a step is missing.
    """
    if next_step(user, proofs) is not Step.DONE:
        raise Unauthenticated("A second factor is missing.")
    request.session.flush()
    auth.login(request, user, backend=BACKEND)
    request.session[FIRM_KEY] = firm_mark(tenant)


def make_ticket(user: User, tenant: Tenant) -> str:
    """Return a signed ticket that logs ``user`` in at the firm's host, once, within a minute.

    The ticket names a row of the session table that holds no login of its own: as a cookie it is
    worth nothing, and redeeming deletes it.

    :raises Unauthenticated: if the person has no place in the firm.
    """
    if membership_at(user, tenant) is None:
        raise Unauthenticated("You have no place in this firm.")
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store["handover"] = {"user": user.pk, "firm": tenant.pk}
    store.set_expiry(int(TICKET_LIFETIME.total_seconds()))
    store.create()
    return signing.dumps(store.session_key, salt=_SALT)


def redeem_ticket(ticket: str, *, tenant: Tenant, now: datetime) -> User:
    """Return the person a ticket stands for and use it up.

    :raises Unauthenticated: forged, too old, used before, or made for another firm.
    """
    refused = Unauthenticated("This link has been used or is too old; choose your firm again.")
    try:
        key = signing.loads(ticket, salt=_SALT, max_age=TICKET_LIFETIME)
    except signing.BadSignature:
        raise refused from None
    row = Session.objects.filter(session_key=key, expire_date__gt=now).first()
    told: dict[str, Any] = {} if row is None else row.get_decoded().get("handover", {})
    if told.get("firm") != tenant.pk:
        raise refused
    used, _ = Session.objects.filter(session_key=key).delete()  # of two at once, one deletes it
    user = User.objects.filter(pk=told["user"], is_active=True).first()
    if used != 1 or user is None or membership_at(user, tenant) is None:
        raise refused
    return user
