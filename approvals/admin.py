"""What waits for a second person, in the firm's console."""

from collections.abc import Callable, Mapping, Sequence

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.consoles import deed
from approvals.models import Approval
from approvals.services import decide, withdraw
from common.console.sites import firm_console
from common.console.tables import FirmTable
from common.console.verbs import OTHER, Verb, Words
from common.console.words import APPROVAL_STATE

ANSWERING: Words = (
    ("checked", "I checked it myself"),
    ("not_proven", "The evidence does not prove it"),
    ("overtaken", "It is not needed any more"),
    OTHER,
)


class StandingFilter(admin.SimpleListFilter):
    """What waits, or what is over."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        """Return the choices."""
        return [("waiting", "Waiting"), ("over", "Over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Approval]) -> QuerySet[Approval]:
        """Narrow the list."""
        if self.value() not in {"waiting", "over"}:
            return queryset
        waits = {"state": Approval.State.WAITING}
        return queryset.filter(**waits) if self.value() == "waiting" else queryset.exclude(**waits)


@admin.register(Approval, site=firm_console)
class ApprovalAdmin(FirmTable):
    """Deeds that take two people: who asked, who answered, what came of it."""

    badges = {"state": APPROVAL_STATE}
    list_display = ("state", "effect", "maker", "made_at", "expires_at", "checker", "decided_at")
    list_filter = (StandingFilter, "kind", "state")
    search_fields = ("=id", "subject", "maker", "checker")
    ordering = ("-id",)
    shows_events = True


def _answer(approve: bool) -> Callable[[HttpRequest, Approval, str, Mapping[str, str]], str]:
    def run(request: HttpRequest, row: Approval, reason: str, _answers: Mapping[str, str]) -> str:
        done = decide(
            approval_id=row.pk, approve=approve, reason=reason, **deed(request, row.scope)
        )
        return done.outcome or "refused; nothing happens."

    return run


def _withdraw(request: HttpRequest, row: Approval, reason: str, _answers: Mapping[str, str]) -> str:
    withdraw(approval_id=row.pk, reason=reason, **deed(request, row.scope))
    return "withdrawn; nothing happens."


def _effects(rows: Sequence[Approval]) -> str:
    return " ".join(f"{row.effect} Asked by {row.maker}: {row.reason}" for row in rows)


def _waits(row: Approval) -> bool:
    return row.state == Approval.State.WAITING


firm_console.offer(
    Approval,
    Verb(
        "approve", "Approve", _effects, _answer(approve=True),
        icon="how_to_reg", fits=_waits, reasons=ANSWERING,
    ),
    Verb(
        "refuse", "Refuse", "Nothing happens; who asked can ask anew.", _answer(approve=False),
        icon="block", stops=True, fits=_waits, reasons=ANSWERING,
    ),
    Verb(
        "withdraw", "Withdraw", "Your own request is taken back; nothing happens.", _withdraw,
        icon="undo", fits=_waits, reasons=ANSWERING,
    ),
)  # fmt: skip
