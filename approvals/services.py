"""Asking for a deed and answering. The deed happens in the transaction of the answer."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.module_loading import import_string

from approvals.models import Approval
from approvals.selectors import second_person_exists
from approvals.shapes import approval_json
from common.actor import Actor, ActorKind
from common.errors import Forbidden, NotFound, StateConflict
from common.ids import new_ulid
from events.services import publish

VALID_FOR = timedelta(hours=24)
REASON_SHORTEST = 10

# Takes the approval, who approved it and when; returns one line of what happened.
# :raises Refused: if it cannot be done any more; then nothing is decided.
Deed = Callable[..., str]


class NoSecondPerson(Forbidden):
    """The firm has nobody else who could answer."""

    title = "This takes a second person"


class NotAPerson(Forbidden):
    """Programs neither ask nor answer."""


class OwnRequest(Forbidden):
    """Whoever asks does not approve."""

    title = "Somebody else has to answer"


class AlreadyAsked(StateConflict):
    """The same deed waits already; ``approval`` in the answer shows it."""


class AlreadyDecided(StateConflict):
    """The request is over; ``approval`` in the answer shows how it ended."""


def ask(
    *,
    kind: str,
    subject: str,
    scope: str,
    effect: str,
    reason: str,
    data: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    correlation_id: str = "",
) -> Approval:
    """Ask for a deed that takes two people; nothing happens until somebody else approves.

    ``effect`` says to the second person what approving does.

    :raises Forbidden: if the actor does not hold ``scope``.
    :raises NotAPerson: if a program asks. :raises NoSecondPerson: if nobody else could answer.
    :raises AlreadyAsked: if the same deed waits.
    """
    deed_of(kind)
    actor.require(scope)
    _require_person(actor)
    if not second_person_exists(scope):
        raise NoSecondPerson(
            "Nobody else in the firm could approve this; give a second person the role first."
        )
    with transaction.atomic():
        present = (
            Approval.objects.select_for_update()
            .filter(kind=kind, subject=subject, state=Approval.State.WAITING)
            .first()
        )
        if present is not None and present.expires_at > now:
            raise AlreadyAsked(
                f"{present.maker} asked for this at {present.made_at.isoformat()}; it waits.",
                extra={"approval": approval_json(present)},
            )
        if present is not None:
            _end(present, Approval.State.LAPSED, None, "", "nobody answered in time", now, "")
        approval = Approval(
            id=new_ulid(now),
            kind=kind,
            subject=subject,
            scope=scope,
            effect=effect[:500],
            reason=reason,
            data=dict(data),
            maker=actor.label,
            made_at=now,
            expires_at=now + VALID_FOR,
        )
        try:
            with transaction.atomic():
                approval.save(force_insert=True)
        except IntegrityError as error:
            raise AlreadyAsked("Somebody asked for this at the same moment; it waits.") from error
        _tell("approval.asked", approval, actor.label, now, correlation_id)
    return approval


def decide(
    *,
    approval_id: str,
    approve: bool,
    reason: str,
    actor: Actor,
    now: datetime,
    correlation_id: str = "",
) -> Approval:
    """Answer a request of somebody else; approving carries the deed out in this transaction.

    :raises NotFound: if there is none. :raises AlreadyDecided: if it is over or has lapsed.
    :raises OwnRequest: if the actor asked for it. :raises NotAPerson: if a program answers.
    :raises Refused: what the deed itself refuses; then the request still waits.
    """
    with transaction.atomic():
        approval = _waiting(approval_id, now)
        actor.require(approval.scope)
        _require_person(actor)
        if approval.maker == actor.label:
            raise OwnRequest("You asked for this; somebody else has to answer.")
        outcome = ""
        if approve:
            outcome = deed_of(approval.kind)(approval=approval, actor=actor, now=now)
        state = Approval.State.APPROVED if approve else Approval.State.REFUSED
        _end(approval, state, actor, reason, outcome, now, correlation_id)
    return approval


def withdraw(
    *, approval_id: str, reason: str, actor: Actor, now: datetime, correlation_id: str = ""
) -> Approval:
    """Take back one's own request.

    :raises NotFound: if there is none. :raises AlreadyDecided: if it is over.
    :raises Forbidden: if somebody else asked; they answer it instead.
    """
    with transaction.atomic():
        approval = _waiting(approval_id, now)
        if approval.maker != actor.label:
            raise Forbidden("Only who asked can withdraw; approve or refuse it instead.")
        _end(approval, Approval.State.WITHDRAWN, actor, reason, "", now, correlation_id)
    return approval


def deed_of(kind: str) -> Deed:
    """Return what carries out a kind. :raises KeyError: for one the settings do not name."""
    return cast(Deed, import_string(settings.OMS_APPROVED_DEEDS[kind]))


def _waiting(approval_id: str, now: datetime) -> Approval:
    approval = Approval.objects.select_for_update().filter(pk=approval_id).first()
    if approval is None:
        raise NotFound
    if approval.state != Approval.State.WAITING or approval.expires_at <= now:
        how = (
            f"{approval.state.lower()} at {approval.decided_at.isoformat()}"
            if approval.decided_at is not None
            else f"lapsed at {approval.expires_at.isoformat()}; ask anew"
        )
        raise AlreadyDecided(f"This request {how}.", extra={"approval": approval_json(approval)})
    return approval


def _require_person(actor: Actor) -> None:
    if actor.kind is not ActorKind.USER:
        raise NotAPerson("This takes two people; a key is not one of them.")


def _end(
    approval: Approval,
    state: Approval.State,
    actor: Actor | None,
    reason: str,
    outcome: str,
    now: datetime,
    correlation_id: str,
) -> None:
    approval.state = state
    approval.checker = "" if actor is None else actor.label
    approval.decided_at = now
    approval.decision_reason = reason
    approval.outcome = outcome[:500]
    approval.save(update_fields=["state", "checker", "decided_at", "decision_reason", "outcome"])
    teller = approval.checker or "system:approvals"
    _tell(f"approval.{state.value.lower()}", approval, teller, now, correlation_id)


def _tell(kind: str, approval: Approval, actor: str, now: datetime, correlation_id: str) -> None:
    publish(
        type=kind,
        subject=approval.id,
        data=approval_json(approval),
        actor=actor,
        correlation_id=correlation_id,
        now=now,
    )
