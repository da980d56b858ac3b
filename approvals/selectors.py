"""Reads of the bound firm's approvals."""

from datetime import datetime

from django.db.models import QuerySet

from accounts.selectors import people_with
from approvals.models import Approval
from tenants.binding import require_bound


def waiting(now: datetime) -> QuerySet[Approval]:
    """Return what a second person can still answer, oldest first."""
    return Approval.objects.filter(state=Approval.State.WAITING, expires_at__gt=now).order_by("id")


def second_person_exists(scope: str) -> bool:
    """Whether the bound firm has two people who hold the scope."""
    return len(people_with(scope, schema=require_bound())) > 1
