"""The forms of credentials and the keyed hashes they are stored as. No database, no clock."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

import jwt
from django.conf import settings

from accounts.errors import BadAuthorization
from common.errors import Unauthenticated

ACCESS_LIFETIME = timedelta(minutes=15)
MAX_BEARER = 4096

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KEY_ID_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_KEY = re.compile(r"bk_([a-z][a-z0-9-]{1,30})_([a-z0-9]{12})_([0-9A-Za-z]{43})", re.ASCII)
_REFRESH = re.compile(r"rt_([0-9A-Z]{26})_([0-9A-Za-z]{43})", re.ASCII)
_AUDIENCE = "blotter-api"
_ALGORITHM = "HS256"


@dataclass(frozen=True, slots=True)
class KeyParts:
    """The parts of ``bk_<tenant>_<id>_<secret>``."""

    slug: str
    id: str
    secret: str

    @property
    def text(self) -> str:
        """The key as its owner gets it, once."""
        return f"bk_{self.slug}_{self.id}_{self.secret}"


def prefix(slug: str, key_id: str) -> str:
    """Return the part of a key that may be shown."""
    return f"bk_{slug}_{key_id}"


def new_key(slug: str) -> KeyParts:
    """Return a fresh key of a tenant: 256 random bits of secret."""
    key_id = "".join(secrets.choice(_KEY_ID_ALPHABET) for _ in range(12))
    return KeyParts(slug, key_id, new_secret())


def new_secret() -> str:
    """Return 43 random letters and digits, 256 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(43))


def parse_key(text: str) -> KeyParts | None:
    """Return the parts of an API key, None where it has not the form of one."""
    match = _KEY.fullmatch(text)
    return None if match is None else KeyParts(*match.groups())


def refresh_text(session_id: str, secret: str) -> str:
    """Return the refresh token of a session."""
    return f"rt_{session_id}_{secret}"


def parse_refresh(text: str) -> tuple[str, str] | None:
    """Return session id and secret of a refresh token, None where it has not the form of one."""
    match = _REFRESH.fullmatch(text)
    return None if match is None else (match.group(1), match.group(2))


def digest(purpose: str, *parts: str) -> str:
    """Return the keyed hash a secret is stored as, in hex.

    >>> len(digest("api-key", "id", "secret"))
    64
    """
    message = "\x00".join(parts).encode()
    return hmac.new(_derived(settings.SECRET_KEY, purpose), message, hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Compare two digests in constant time."""
    return hmac.compare_digest(one, other)


@lru_cache(maxsize=16)
def _derived(secret_key: str, purpose: str) -> bytes:
    """One key per purpose, so that a hash of one kind never passes as another."""
    return hmac.new(secret_key.encode(), f"blotter:{purpose}".encode(), hashlib.sha256).digest()


def new_access_token(*, user_id: int, schema: str, session_id: str, now: datetime) -> str:
    """Return a JWT that names its user, tenant and login session."""
    claims = {
        "sub": str(user_id),
        "ten": schema,
        "sid": session_id,
        "aud": _AUDIENCE,
        "iat": int(now.timestamp()),
        "exp": int((now + ACCESS_LIFETIME).timestamp()),
    }
    return jwt.encode(claims, _derived(settings.SECRET_KEY, "access"), algorithm=_ALGORITHM)


def read_access_token(text: str, *, now: datetime) -> dict[str, Any]:
    """Return the claims of an access token.

    :raises Unauthenticated: if it is forged, expired or no token at all.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            text,
            _derived(settings.SECRET_KEY, "access"),
            algorithms=[_ALGORITHM],
            audience=_AUDIENCE,
            options={
                "require": ["sub", "ten", "sid", "exp", "iat"],
                "verify_exp": False,  # by `now` below
                "verify_iat": False,
            },
        )
    except jwt.InvalidTokenError:
        raise invalid_credential() from None
    if now.timestamp() >= claims["exp"]:
        raise Unauthenticated("The access token has expired; refresh it.")
    return claims


def invalid_credential() -> Unauthenticated:
    """Return the one refusal of unknown, revoked, expired and foreign credentials."""
    return Unauthenticated("The credential is not valid here; log in again or use another key.")


def bearer_of(header: str | None) -> str | None:
    """Return the credential of an Authorization header, None where there is none.

    :raises Unauthenticated: if it is no Bearer credential or an empty one.
    :raises BadAuthorization: if it is longer than 4,096 characters or holds several.
    """
    if header is None or not header.strip():
        return None
    if len(header) > MAX_BEARER:
        raise BadAuthorization("The Authorization header is longer than 4096 characters.")
    if "," in header:
        raise BadAuthorization("Send one Authorization header with one credential.")
    scheme, _, credential = header.strip().partition(" ")
    credential = credential.strip()
    if scheme.lower() != "bearer" or not credential or " " in credential:
        raise Unauthenticated("Send an access token or an API key as Authorization: Bearer.")
    return credential


def address_allowed(address: str, networks: list[str]) -> bool:
    """Whether ``address`` lies in one of the networks; an empty list allows all."""
    if not networks:
        return True
    try:
        caller = ip_address(address)
    except ValueError:
        return False
    caller = getattr(caller, "ipv4_mapped", None) or caller
    return any(caller in ip_network(network) for network in networks)
