"""The demo firms of one machine: two tenants, their people, keys, paper accounts and past days.

Passwords and keys are made at random for each state directory and kept in ``demo.json`` there,
because the database holds only their hashes.
"""

import contextlib
import json
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from accounts.models import ApiKey, Membership, User
from accounts.roles import SCOPES_OF_ROLE, Role
from accounts.services import add_member, create_api_key, create_user
from brokers.models import BrokerAccount, BrokerConnection
from brokers.services import PAPER_CONNECTION, open_connection, open_paper_account
from config.demo_history.market import past_days
from config.demo_history.play import DAYS, play
from marketdata.services import load_reference_data
from portfolio.services import deposit
from risk.services import default_limits
from tenants.binding import tenant_bound
from tenants.models import Tenant
from tenants.selectors import tenant_by_slug
from tenants.services import create_tenant
from trading.vocabulary import Mode

OPENING_CASH = Decimal(10_000_000)
CURRENCY = "USD"
ADMIN_EMAIL = "admin@blotter.test"
KEY_NAME = "demo"
ACTOR = "system:setup"
PLAIN = "paper-plain"
"""The simulated venue that takes MARKET and LIMIT orders only: the rest is held by this system."""
BEFORE_THE_OPEN = timedelta(hours=1)
"""How long before the first of its past days a firm's accounts are opened."""


@dataclass(frozen=True, slots=True)
class Account:
    """A paper account and the connection that carries it."""

    code: str
    name: str
    connection: str = PAPER_CONNECTION
    broker: str = "paper"


@dataclass(frozen=True, slots=True)
class Firm:
    """One demo firm and its cast."""

    slug: str
    name: str
    people: tuple[tuple[str, str, Role], ...]
    accounts: tuple[Account, ...]


FIRMS: Sequence[Firm] = (
    Firm(
        "acme",
        "Acme Capital",
        (
            ("alice@acme.test", "Alice", Role.TRADER),
            ("bob@acme.test", "Bob", Role.VIEWER),
            ("olivia@acme.test", "Olivia", Role.OWNER),
        ),
        (
            Account("PAPER-1", "Index trend"),
            Account("PAPER-2", "Index fade"),
            Account("PAPER-3", "Venue with a bad line", connection="flaky"),
            Account("PAPER-4", "Venue without stops", connection="plain", broker=PLAIN),
        ),
    ),
    Firm(
        "globex",
        "Globex Trading",
        (
            ("charlie@globex.test", "Charlie", Role.TRADER),
            ("gina@globex.test", "Gina", Role.OWNER),
        ),
        (Account("PAPER-1", "Index desk"),),
    ),
)


def ensure_demo_firms(state_dir: Path, base_url: str, now: datetime) -> dict[str, Any]:
    """Make what is missing of the demo; return everything run.json says but ``ready``."""
    load_reference_data(now=now)
    kept = _Kept(state_dir / "demo.json")
    tenants = [_ensure_firm(firm, kept, base_url, now) for firm in FIRMS]
    admin_password = _ensure_admin(kept)
    kept.save()
    return {
        "base_url": base_url,
        "tenants": tenants,
        "admin": {
            "url": f"{base_url}/admin/",
            "email": ADMIN_EMAIL,
            "password": admin_password,
            "totp_secret": None,
        },
    }


class _Kept:
    """The credentials of this state directory, read once and written back if any were made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.passwords: dict[str, str] = {}
        self.keys: dict[str, str] = {}
        with contextlib.suppress(FileNotFoundError, ValueError):
            found = json.loads(path.read_text())
            self.passwords, self.keys = found["passwords"], found["keys"]
        self._before = (dict(self.passwords), dict(self.keys))

    def save(self) -> None:
        """Write whole or not at all, readable by the owner only."""
        if (self.passwords, self.keys) == self._before:
            return
        draft = self._path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump({"passwords": self.passwords, "keys": self.keys}, file, indent=2)
        draft.replace(self._path)


def _ensure_firm(firm: Firm, kept: _Kept, base_url: str, now: datetime) -> dict[str, Any]:
    tenant = tenant_by_slug(firm.slug) or create_tenant(slug=firm.slug, name=firm.name, now=now)
    users = [_ensure_person(tenant, email, name, role, kept) for email, name, role in firm.people]
    owner = Membership.objects.get(tenant=tenant, role=Role.OWNER)
    ensure_books(tenant, firm, now)
    return {
        "slug": firm.slug,
        "name": firm.name,
        "base_url": _host_url(base_url, firm.slug),
        "connect_url": base_url.replace("localhost", "127.0.0.1"),
        "users": users,
        "api_key": _ensure_key(owner, kept, now),
        "accounts": [account.code for account in firm.accounts],
    }


def _host_url(base_url: str, slug: str) -> str:
    port = urlsplit(base_url).port
    return f"http://{slug}.{settings.OMS_DOMAIN}:{port}"


def _ensure_person(
    tenant: Tenant, email: str, name: str, role: Role, kept: _Kept
) -> dict[str, Any]:
    user = User.objects.filter(email=email).first()
    if user is None:
        user = create_user(email=email, password=_password(email, kept), name=name)
    elif email not in kept.passwords:
        user.set_password(_password(email, kept))  # this state directory never knew the old one
        user.save(update_fields=["password"])
    if not Membership.objects.filter(user=user, tenant=tenant).exists():
        add_member(user=user, tenant=tenant, role=role)
    return {
        "email": email,
        "password": kept.passwords[email],
        "role": role.value,
        "totp_secret": None,
    }


def _password(email: str, kept: _Kept) -> str:
    kept.passwords[email] = secrets.token_urlsafe(12)
    return kept.passwords[email]


def _ensure_key(owner: Membership, kept: _Kept, now: datetime) -> str:
    slug = owner.tenant.slug
    known = ApiKey.objects.filter(membership=owner, name=KEY_NAME, revoked_at=None)
    if slug not in kept.keys or not known.exists():
        _, kept.keys[slug] = create_api_key(
            membership=owner,
            name=KEY_NAME,
            scopes=sorted(SCOPES_OF_ROLE[Role.OWNER]),
            accounts=None,
            expires_at=None,
            ip_allowlist=[],
            now=now,
        )
    return kept.keys[slug]


def ensure_books(tenant: Tenant, firm: Firm, now: datetime) -> None:
    """Accounts, money and past days are one transaction: a firm that has accounts has them all."""
    with tenant_bound(tenant.schema_name):
        default_limits(now=now)
        if BrokerAccount.objects.exists():
            return
        days = past_days(DAYS, now) if settings.OMS_DEMO_HISTORY else []
        since = days[0].opens_at - BEFORE_THE_OPEN if days else now
        for account in firm.accounts:
            _open_account(account, since)
        if days:
            play(firm.slug, days, now=now)


def _open_account(wanted: Account, now: datetime) -> None:
    connection = BrokerConnection.objects.filter(name=wanted.connection).first()
    if connection is None:
        connection = open_connection(
            name=wanted.connection, broker=wanted.broker, mode=Mode.PAPER, now=now
        )
    account = open_paper_account(
        code=wanted.code,
        name=wanted.name,
        currency=CURRENCY,
        opening_cash=OPENING_CASH,
        connection=connection,
        now=now,
    )
    deposit(
        account=account,
        currency=CURRENCY,
        amount=OPENING_CASH,
        ref=f"opening:{wanted.code}",
        actor_label=ACTOR,
        now=now,
    )


@transaction.atomic
def _ensure_admin(kept: _Kept) -> str:
    user = User.objects.filter(email=ADMIN_EMAIL).first()
    if user is None:
        User.objects.create_superuser(ADMIN_EMAIL, _password(ADMIN_EMAIL, kept))
    elif ADMIN_EMAIL not in kept.passwords:
        user.set_password(_password(ADMIN_EMAIL, kept))
        user.save(update_fields=["password"])
    return kept.passwords[ADMIN_EMAIL]
