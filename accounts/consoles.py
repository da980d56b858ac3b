"""Who acts in a console: the person of the request, in the firm bound right now."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

from accounts.models import Membership
from accounts.services import actor_of
from common.actor import Actor
from common.errors import Forbidden
from tenants.binding import require_bound


def console_actor(request: HttpRequest) -> Actor:
    """Return the actor services are told.

    :raises Forbidden: if the person has no active place in the firm.
    """
    membership = (
        Membership.objects.select_related("user", "tenant")
        .filter(user_id=request.user.pk or 0, tenant__schema_name=require_bound(), is_active=True)
        .first()
    )
    if membership is None:
        raise Forbidden("You have no place in this firm.")
    return actor_of(membership)


def deed(request: HttpRequest, scope: str) -> dict[str, Any]:
    """Return what every service is told of a deed: ``actor``, ``now`` and ``correlation_id``.

    :raises Forbidden: if the person has no active place in the firm or does not hold ``scope``.
    """
    actor = console_actor(request)
    actor.require(scope)
    return {
        "actor": actor,
        "now": datetime.now(UTC),
        "correlation_id": getattr(request, "request_id", "")[:64],
    }
