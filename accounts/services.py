"""Writes of people and credentials, and the one place where a credential becomes an actor."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth import password_validation
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import credentials, throttle
from accounts.errors import AlreadyMember, IpNotAllowed, PasswordPolicy
from accounts.hosts import check_active
from accounts.models import ApiKey, LoginSession, Membership, User, normal_email
from accounts.roles import SCOPES_OF_ROLE, Role, widened
from common.actor import Actor, ActorKind
from common.errors import FieldError, Unauthenticated
from common.ids import new_ulid
from tenants.models import Tenant

REFRESH_LIFETIME = timedelta(days=14)
MAX_PASSWORD = 1024
# A column that changes with each request would be the hottest row of the system.
_LAST_USED_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Identity:
    """A credential that holds: who, where, and by which key or login session."""

    actor: Actor
    membership: Membership
    session: LoginSession | None = None
    api_key: ApiKey | None = None

    @property
    def tenant(self) -> Tenant:
        """The firm the credential names."""
        return self.membership.tenant


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login or a refresh hands out."""

    access: str
    refresh: str
    expires_in: int


def authenticate(
    bearer: str, *, host_tenant: Tenant | None, remote_addr: str, now: datetime
) -> Actor:
    """Return who stands behind an access token or an API key; see ``identify``."""
    return identify(bearer, host_tenant=host_tenant, remote_addr=remote_addr, now=now).actor


def identify(
    bearer: str, *, host_tenant: Tenant | None, remote_addr: str, now: datetime
) -> Identity:
    """Return the identity behind a credential, where it is shown at its own firm's host.

    ``host_tenant`` is None at the platform's host, where the credential itself names the firm.

    :raises Unauthenticated: unknown, revoked, expired, or another firm's host.
    :raises IpNotAllowed: if the key does not serve the address.
    :raises TenantSuspended: if the firm is suspended.
    """
    if bearer.startswith("bk_"):
        identity = _by_api_key(bearer, remote_addr=remote_addr, now=now)
    else:
        identity = _by_access_token(bearer, now=now)
    if host_tenant is not None and host_tenant.pk != identity.tenant.pk:
        raise credentials.invalid_credential()
    check_active(identity.tenant)
    return identity


def actor_of(membership: Membership) -> Actor:
    """Return the actor a person is in a firm."""
    return Actor(
        kind=ActorKind.USER,
        id=str(membership.user_id),
        name=membership.user.email,
        schema=membership.tenant.schema_name,
        scopes=SCOPES_OF_ROLE[Role(membership.role)],
        role=membership.role,
    )


def _by_api_key(text: str, *, remote_addr: str, now: datetime) -> Identity:
    parts = credentials.parse_key(text)
    if parts is None:
        raise credentials.invalid_credential()
    key = (
        ApiKey.objects.select_related("membership__tenant", "membership__user")
        .filter(pk=parts.id)
        .first()
    )
    shown = credentials.digest("api-key", parts.id, parts.secret)
    if (
        key is None
        or not credentials.same(key.digest, shown)
        or key.membership.tenant.slug != parts.slug
        or not key.is_live(now)
        or not _holds(key.membership)
    ):
        raise credentials.invalid_credential()
    if not credentials.address_allowed(remote_addr, key.ip_allowlist):
        raise IpNotAllowed("This key does not serve your address.")
    if key.last_used_at is None or now - key.last_used_at > _LAST_USED_STEP:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return Identity(_key_actor(key), key.membership, api_key=key)


def _key_actor(key: ApiKey) -> Actor:
    """A key reaches as far as it says and as its maker does, whichever is less."""
    membership = key.membership
    of_role = widened(SCOPES_OF_ROLE[Role(membership.role)])
    return Actor(
        kind=ActorKind.API_KEY,
        id=key.pk,
        name=f"{key.name}:{key.pk}",
        schema=membership.tenant.schema_name,
        scopes=widened(frozenset(key.scopes)) & of_role,
        role=None,
        accounts=None if key.accounts is None else frozenset(key.accounts),
    )


def _by_access_token(text: str, *, now: datetime) -> Identity:
    claims = credentials.read_access_token(text, now=now)
    session = (
        LoginSession.objects.select_related("membership__tenant", "membership__user")
        .filter(pk=str(claims["sid"]))
        .first()
    )
    if (
        session is None
        or session.revoked_at is not None
        or not _holds(session.membership)
        or str(session.membership.user_id) != claims["sub"]
        or session.membership.tenant.schema_name != claims["ten"]
    ):
        raise credentials.invalid_credential()
    return Identity(actor_of(session.membership), session.membership, session=session)


def _holds(membership: Membership) -> bool:
    return membership.is_active and membership.user.is_active


def log_in(
    *, email: str, password: str, tenant: Tenant | None, slug: str | None, remote_addr: str,
    now: datetime,
) -> Tokens:  # fmt: skip
    """Check a password and open a login session in one firm.

    ``tenant`` is the firm of the host; at the platform's host ``slug`` names it, or is left out by
    a person with one firm. Unknown people, wrong passwords and firms one is not in answer alike
    and take the same time.

    :raises Unauthenticated: see above. :raises TooManyAttempts: after six failures.
    """
    counters = throttle.subjects(email, remote_addr)
    throttle.check(counters, now=now)
    membership = _membership_for(checked_user(email, password), tenant, slug)
    if membership is None:
        throttle.record_failure(counters, now=now)
        raise Unauthenticated("The e-mail address, the password or the firm is not right.")
    throttle.forget(email, remote_addr)
    check_active(membership.tenant)
    return open_session(membership=membership, remote_addr=remote_addr, now=now)


def checked_user(email: str, password: str) -> User | None:
    """Return the active person of address and password; an unknown one costs the same time."""
    user = User.objects.filter(email=normal_email(email)).first()
    if user is None:
        make_password(password)  # as long as a real check
        return None
    return user if user.check_password(password) and user.is_active else None


def _membership_for(
    user: User | None, tenant: Tenant | None, slug: str | None
) -> Membership | None:
    if user is None:
        return None
    found = Membership.objects.select_related("tenant", "user").filter(user=user, is_active=True)
    if tenant is not None:
        if slug is not None and slug != tenant.slug:
            return None
        return found.filter(tenant=tenant).first()
    if slug is not None:
        return found.filter(tenant__slug=slug).first()
    only = list(found[:2])
    return only[0] if len(only) == 1 else None


def open_session(*, membership: Membership, remote_addr: str, now: datetime) -> Tokens:
    """Open a login session for a person whose identity is already proven."""
    session_id, secret = new_ulid(now), credentials.new_secret()
    LoginSession.objects.create(
        id=session_id,
        membership=membership,
        refresh_digest=credentials.digest("refresh", session_id, secret),
        created_at=now,
        refreshed_at=now,
        expires_at=now + REFRESH_LIFETIME,
        remote_addr=remote_addr[:45],
    )
    return _tokens(membership, session_id, secret, now=now)


def _tokens(membership: Membership, session_id: str, secret: str, *, now: datetime) -> Tokens:
    access = credentials.new_access_token(
        user_id=membership.user_id,
        schema=membership.tenant.schema_name,
        session_id=session_id,
        now=now,
    )
    lifetime = int(credentials.ACCESS_LIFETIME.total_seconds())
    return Tokens(access, credentials.refresh_text(session_id, secret), lifetime)


def refresh(*, token: str, tenant: Tenant | None, now: datetime) -> Tokens:
    """Trade a refresh token for new tokens; it serves once.

    A token that was traded before ends the whole session: somebody holds a copy.

    :raises Unauthenticated: if the token does not hold at this host.
    """
    parts = credentials.parse_refresh(token)
    if parts is None:
        raise credentials.invalid_credential()
    session_id, secret = parts
    with transaction.atomic():
        session = (
            LoginSession.objects.select_for_update(of=("self",))
            .select_related("membership__tenant", "membership__user")
            .filter(pk=session_id, revoked_at=None, expires_at__gt=now)
            .first()
        )
        if session is None or not _holds(session.membership):
            raise credentials.invalid_credential()
        if tenant is not None and session.membership.tenant_id != tenant.pk:
            raise credentials.invalid_credential()
        check_active(session.membership.tenant)
        shown = credentials.digest("refresh", session_id, secret)
        reused = not credentials.same(session.refresh_digest, shown)
        if reused:
            session.revoked_at = now
        else:
            secret = credentials.new_secret()
            session.refresh_digest = credentials.digest("refresh", session_id, secret)
            session.refreshed_at = now
            session.expires_at = now + REFRESH_LIFETIME
        session.save()
    if reused:  # after the commit: the end of the session must stay
        raise credentials.invalid_credential()
    return _tokens(session.membership, session_id, secret, now=now)


def log_out(*, session: LoginSession, now: datetime) -> None:
    """End a login session: its access token and its refresh token stop at once."""
    LoginSession.objects.filter(pk=session.pk, revoked_at=None).update(revoked_at=now)


def create_api_key(
    *, membership: Membership, name: str, scopes: list[str], accounts: list[str] | None,
    expires_at: datetime | None, ip_allowlist: list[str], now: datetime,
) -> tuple[ApiKey, str]:  # fmt: skip
    """Make a key under a membership; return its row and its text, which nothing can show again."""
    parts = credentials.new_key(membership.tenant.slug)
    key = ApiKey.objects.create(
        id=parts.id,
        membership=membership,
        name=name,
        digest=credentials.digest("api-key", parts.id, parts.secret),
        scopes=sorted(set(scopes)),
        accounts=accounts,
        ip_allowlist=ip_allowlist,
        expires_at=expires_at,
        created_at=now,
    )
    return key, parts.text


def revoke_api_key(*, key: ApiKey, now: datetime) -> None:
    """End a key; a second time changes nothing."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)


def create_user(*, email: str, password: str | None, name: str = "") -> User:
    """Make a person.

    :raises PasswordPolicy: if the password is too weak. :raises AlreadyMember: if the address is
        in use.
    """
    if password is not None:
        check_password_policy(password, email=email, name=name)
    try:
        with transaction.atomic():
            return User.objects.create_user(email, password, name=name)
    except IntegrityError:
        raise AlreadyMember("Somebody uses this e-mail address already.") from None


def add_member(*, user: User, tenant: Tenant, role: Role) -> Membership:
    """Give a person a place in a firm.

    :raises AlreadyMember: if they have one.
    """
    try:
        with transaction.atomic():
            return Membership.objects.create(user=user, tenant=tenant, role=role)
    except IntegrityError:
        raise AlreadyMember(f"{user.email} is a member of {tenant.slug} already.") from None


def check_password_policy(password: str, *, email: str, name: str = "") -> None:
    """:raises PasswordPolicy: with one row per broken rule."""
    field = "password"
    if len(password) > MAX_PASSWORD:
        row = FieldError(field, "too_long", f"Longer than {MAX_PASSWORD} characters.")
        raise PasswordPolicy("The password is too long.", errors=[row])
    if normal_email(password) == normal_email(email):
        row = FieldError(field, "equals_email", "Must not be the e-mail address.")
        raise PasswordPolicy("The password cannot be used.", errors=[row])
    try:
        password_validation.validate_password(password, User(email=email, name=name))
    except ValidationError as failure:
        rows = [
            FieldError(field, error.code or "too_weak", " ".join(error.messages))
            for error in failure.error_list
        ]
        raise PasswordPolicy("The password cannot be used.", errors=rows) from None
