"""What one person asked for and a second one has to answer."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q


class Approval(models.Model):
    """One deed that waits for a second person, or how that ended.

    ``kind`` names the deed, ``subject`` the id of the row it is about, ``data`` what the deed needs
    to know besides. ``scope`` is what both people must hold. A row changes once.
    """

    class State(models.TextChoices):
        """How it stands. LAPSED was answered by nobody in time."""

        WAITING = "WAITING"
        APPROVED = "APPROVED"
        REFUSED = "REFUSED"
        WITHDRAWN = "WITHDRAWN"
        LAPSED = "LAPSED"

    id = models.CharField(primary_key=True, max_length=26)
    kind = models.CharField(max_length=32)
    subject = models.CharField(max_length=64)
    scope = models.CharField(max_length=32)
    effect = models.CharField(max_length=500)
    reason = models.CharField(max_length=500)
    data = models.JSONField(default=dict)
    maker = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.WAITING)
    checker = models.CharField(max_length=200, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=500, blank=True, default="")
    outcome = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=Q(state="WAITING"),
                name="approval_waits_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["WAITING", "APPROVED", "REFUSED", "WITHDRAWN", "LAPSED"]),
                name="approval_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["APPROVED", "REFUSED"])
                | (~Q(checker="") & ~Q(checker=F("maker"))),
                name="approval_checker_is_not_maker",
            ),
            models.CheckConstraint(
                condition=Q(state="WAITING", decided_at=None, checker="", decision_reason="")
                | (~Q(state="WAITING") & Q(decided_at__isnull=False)),
                name="approval_decided_whole",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["made_at"], condition=Q(state="WAITING"), name="approval_waiting")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"
