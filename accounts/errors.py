"""Refusals of people and programs at the door."""

from common.errors import Forbidden, Invalid, Refused, StateConflict


class BadAuthorization(Refused):
    """The Authorization header is not one credential of ours."""

    code = "invalid_authorization"
    http_status = 400
    title = "The Authorization header cannot be read"


class IpNotAllowed(Forbidden):
    """The key does not serve the caller's address."""

    code = "ip_not_allowed"


class TenantSuspended(Forbidden):
    """The firm is suspended: its running orders are still looked after, its doors are shut."""

    code = "tenant_suspended"
    title = "The firm is suspended"


class TooManyAttempts(Refused):
    """Too many wrong passwords for the name or from the address."""

    code = "rate_limited"
    http_status = 429
    title = "Too many requests"


class PasswordPolicy(Invalid):
    """The password is too weak or too long."""

    code = "password_policy"


class AlreadyMember(StateConflict):
    """The person has a place in the firm already."""

    code = "already_member"
