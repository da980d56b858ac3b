"""Roles of a person in a firm, and the scopes each carries."""

from enum import StrEnum


class Role(StrEnum):
    """What a membership lets a person do; each role includes the ones below it."""

    OWNER = "owner"
    ADMIN = "admin"
    MANAGER = "manager"
    TRADER = "trader"
    VIEWER = "viewer"


SCOPES = (
    "orders:read",
    "orders:write",
    "orders:live",
    "positions:read",
    "marketdata:read",
    "strategies:write",
    "risk:read",
    "risk:write",
    "webhooks:write",
    "admin",
)

_VIEWER = frozenset({"orders:read", "positions:read", "marketdata:read", "risk:read"})
_TRADER = _VIEWER | {"orders:write", "orders:live", "strategies:write"}
_MANAGER = _TRADER | {"risk:write"}
_ADMIN = _MANAGER | {"webhooks:write", "admin"}

SCOPES_OF_ROLE: dict[Role, frozenset[str]] = {
    Role.OWNER: _ADMIN,
    Role.ADMIN: _ADMIN,
    Role.MANAGER: _MANAGER,
    Role.TRADER: _TRADER,
    Role.VIEWER: _VIEWER,
}


def widened(scopes: frozenset[str]) -> frozenset[str]:
    """Add what a scope includes: ``x:write`` reads, and any access at all may read risk.

    >>> sorted(widened(frozenset({"orders:write"})))
    ['orders:read', 'orders:write', 'risk:read']
    """
    reads = {f"{scope.partition(':')[0]}:read" for scope in scopes if scope.endswith(":write")}
    extra = {"risk:read"} if scopes else set()
    return scopes | (reads & set(SCOPES)) | extra
