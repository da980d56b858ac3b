"""A person's login in a browser: proven by password, and worth nothing at another firm's host."""

from collections.abc import Mapping
from datetime import datetime
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest

from accounts import throttle
from accounts.hosts import check_active
from accounts.models import Membership, User
from accounts.services import MAX_PASSWORD, actor_of, checked_user
from common.actor import Actor
from common.errors import Unauthenticated
from tenants.models import Tenant

FIRM_KEY = "firm"
"""The key of a session's data that names the firm it was opened in; None at the bare host."""


def prove_password(
    *, email: str, password: str, tenant: Tenant | None, remote_addr: str, now: datetime
) -> User:
    """Return the person who may log in at the host of ``tenant`` (None: the platform's host).

    The counters are those of the API's login. Unknown people, wrong passwords and firms one is
    not in answer alike and take the same time.

    :raises Unauthenticated: see above. :raises TooManyAttempts: after six failures.
    """
    email = email[:254].replace("\x00", "")
    counters = throttle.subjects(email, remote_addr)
    throttle.check(counters, now=now)
    user = checked_user(email, password[: MAX_PASSWORD + 1])
    if user is None or len(password) > MAX_PASSWORD or not _belongs(user, tenant):
        throttle.record_failure(counters, now=now)
        raise Unauthenticated("The e-mail address or the password is not right.")
    throttle.forget(email, remote_addr)
    return user


def _belongs(user: User, tenant: Tenant | None) -> bool:
    if tenant is None:
        return user.is_platform_staff or active_memberships(user).exists()
    return membership_at(user, tenant) is not None


def active_memberships(user: User) -> Any:
    """Return the person's places in firms that are not suspended, by the firm's name."""
    rows = Membership.objects.select_related("tenant", "user")
    return rows.filter(user=user, is_active=True, tenant__is_active=True).order_by("tenant__name")


def membership_at(user: User, tenant: Tenant) -> Membership | None:
    """Return the person's active place in one firm."""
    rows = Membership.objects.select_related("tenant", "user")
    return rows.filter(user=user, tenant=tenant, is_active=True).first()


def firm_mark(tenant: Tenant | None) -> int | None:
    """Return what a session opened at the host of ``tenant`` keeps under ``FIRM_KEY``."""
    return None if tenant is None else tenant.pk


def opened_here(data: Mapping[str, Any], tenant: Tenant | None) -> bool:
    """Whether a session with this data was opened at the host of ``tenant``."""
    return FIRM_KEY in data and data[FIRM_KEY] == firm_mark(tenant)


def actor_of_session(session_key: str, *, tenant: Tenant) -> Actor:
    """Return who a session cookie stands for at a firm's host; for doors without middleware.

    :raises Unauthenticated: if it is unknown, expired, or was opened at another host.
    :raises TenantSuspended: if the firm is suspended.
    """
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = auth.get_user(request)
    if isinstance(user, User) and opened_here(request.session, tenant):
        membership = membership_at(user, tenant)
        if membership is not None:
            check_active(tenant)
            return actor_of(membership)
    raise Unauthenticated("Log in to follow this stream.")
