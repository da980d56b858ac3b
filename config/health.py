"""Health for supervisors and load balancers: live, ready (with reasons), started."""

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from tenants.schemas import pending
from tenants.selectors import all_schemas

# Once nothing is pending, nothing becomes pending under a running process.
_migrated: list[bool] = []
_REDIS_TIMEOUT_S = 1.0


@csrf_exempt
@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers at all."""
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """200 where orders can be taken, else 503 with what stands in the way."""
    return _answer({"postgres": _postgres, "redis": _redis, "migrations": _migrations})


@csrf_exempt
@require_safe
def startup(_request: HttpRequest) -> JsonResponse:
    """200 once the database is there and migrated."""
    return _answer({"postgres": _postgres, "migrations": _migrations})


def _answer(probes: dict[str, Callable[[], str]]) -> JsonResponse:
    """Run the probes; each returns "" or one line of reason."""
    reasons: dict[str, str] = {}
    for name, probe in probes.items():
        if name == "migrations" and "postgres" in reasons:
            continue
        reason = probe()
        if reason:
            reasons[name] = reason
    body = {"status": "not ready" if reasons else "ok", "reasons": reasons}
    return JsonResponse(body, status=503 if reasons else 200)


def _postgres() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        connection.close()
        return "Postgres does not answer."
    return ""


def _redis() -> str:
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=_REDIS_TIMEOUT_S,
            socket_connect_timeout=_REDIS_TIMEOUT_S,
        ) as client:
            client.ping()
    except redis.RedisError:
        return "Redis does not answer; quotes and streams stand still."
    return ""


def _migrations() -> str:
    if _migrated:
        return ""
    try:
        behind = pending(["public"]) or pending(all_schemas())
    except Error:
        return "The database is not migrated; run `manage.py migrate`."
    if behind:
        return f"{len(behind)} schema(s) wait for migrations; run `manage.py migrate`."
    _migrated.append(True)
    return ""
