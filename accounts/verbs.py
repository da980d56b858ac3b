"""What the platform's staff does to keys and logins from its console."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

from accounts.endings import end_key, end_login, end_logins_of
from accounts.models import ApiKey, LoginSession, User
from common.console.sites import platform_console
from common.console.verbs import OTHER, Verb, Words
from common.errors import Forbidden

Answers = Mapping[str, str]
ENDING: Words = (
    ("leaked", "It may be known to others"),
    ("left", "The person left"),
    ("unused", "Nobody uses it"),
    ("firm_request", "The firm asked for it"),
    OTHER,
)


def _staff(request: HttpRequest) -> User:
    if not isinstance(request.user, User) or not request.user.is_platform_staff:
        raise Forbidden("Only the platform's staff does this.")
    return request.user


def _keep(staff: User, row: Any, text: str) -> None:
    LogEntry.objects.create(
        user=staff,
        content_type=ContentType.objects.get_for_model(row),
        object_id=str(row.pk),
        object_repr=str(row)[:200],
        action_flag=CHANGE,
        change_message=text,
    )


def _revoke(request: HttpRequest, row: ApiKey, reason: str, _answers: Answers) -> str:
    staff = _staff(request)
    end_key(key=row, reason=reason, staff=staff, now=datetime.now(UTC))
    _keep(staff, row, f"Revoked. {reason}")
    return "revoked; its next request is refused."


def _end(request: HttpRequest, row: LoginSession, reason: str, _answers: Answers) -> str:
    staff = _staff(request)
    end_login(session=row, reason=reason, staff=staff, now=datetime.now(UTC))
    _keep(staff, row, f"Ended. {reason}")
    return "ended; its tokens are refused from now on."


def _end_all(request: HttpRequest, row: User, reason: str, _answers: Answers) -> str:
    staff = _staff(request)
    count = end_logins_of(person=row, reason=reason, staff=staff, now=datetime.now(UTC))
    _keep(staff, row, f"Ended {count} logins. {reason}")
    return f"{count} logins ended; keys stay."


platform_console.offer(
    ApiKey,
    Verb(
        "revoke", "Revoke key",
        "The key stops at once and for good; whoever uses it is refused at the next request. "
        "Orders it has working stay.",
        _revoke, icon="key_off", stops=True, reasons=ENDING,
        fits=lambda key: key.revoked_at is None,
    ),
)  # fmt: skip
platform_console.offer(
    LoginSession,
    Verb(
        "end", "End login", "The login stops at once; the person can log in anew.",
        _end, icon="logout", stops=True, reasons=ENDING,
        fits=lambda session: session.revoked_at is None,
    ),
)  # fmt: skip
platform_console.offer(
    User,
    Verb(
        "end_logins", "End all logins",
        "Every login of the person stops at once, in browsers and programs, at every firm. API "
        "keys stay; the person can log in anew unless made inactive.",
        _end_all, icon="logout", stops=True, reasons=ENDING,
    ),
)  # fmt: skip
