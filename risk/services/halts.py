"""Writes of halts: set, lifted, and told to the stream in the same transaction.

Whoever holds ``risk:write`` halts anything in reach and lifts. A person who may trade halts the
accounts they trade and lifts nothing. Lifting takes another person than the one who set it.
"""

from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.selectors import person_behind, somebody_else_may
from brokers.models import BrokerAccount, BrokerConnection
from common.actor import Actor, ActorKind
from common.errors import Forbidden, NotFound, Refused, StateConflict
from common.ids import new_ulid
from events.services import publish
from marketdata.models import Instrument
from risk.models import Halt
from risk.services.exposure import lock_rows
from risk.services.targets import UnknownTarget
from risk.shapes import halt_json
from tenants.binding import require_bound
from tenants.models import schema_of
from trading.risk import HaltScope, HaltState

STRATEGY_NAME_LENGTH = 64
WRITE, TRADE = "risk:write", "orders:write"


class AlreadyHalted(StateConflict):
    """The same halt is in force; ``halt`` in the answer shows it."""


class AlreadyLifted(StateConflict):
    """The halt was lifted before; ``halt`` in the answer shows by whom."""


class SecondPersonNeeded(Refused):
    """The one who stopped trading cannot let it resume; somebody else has to look."""

    code = "four_eyes"
    http_status = 403
    title = "This needs a second person"


def may_halt(actor: Actor, scope: HaltScope, target: str | None) -> bool:
    """Whether the actor may stop trading there."""
    if actor.may(WRITE):
        return actor.accounts is None or (
            scope is HaltScope.ACCOUNT and actor.reaches(target or "")
        )
    trades = actor.kind is ActorKind.USER and actor.may(TRADE)
    return trades and scope is HaltScope.ACCOUNT and actor.reaches(target or "")


def must_not_lift_alone(halt: Halt, actor: Actor) -> bool:
    """Whether the halt was set by the same person, and another could lift it."""
    person = person_behind(actor)
    if person is None or halt.set_by_person != person:
        return False
    return not settings.OMS_LIFT_ALONE or somebody_else_may(actor.schema, WRITE, than=person)


def set_halt(
    *,
    scope: HaltScope,
    target: str | None,
    state: HaltState,
    reason: str,
    actor: Actor,
    now: datetime,
    correlation_id: str = "",
) -> Halt:
    """Stop trading somewhere; cancels and decreases still pass.

    Every account's exposure row is locked for a moment, so that an order judged before the halt
    is committed before it, and whoever reacts to the event finds that order.

    :raises UnknownTarget: if the firm has no such account, instrument or connection.
    :raises AlreadyHalted: if the same scope, target and state is in force.
    :raises Forbidden: if the actor's scopes or accounts do not reach that far.
    """
    schema = require_bound()
    _require_halting(scope, actor)
    wanted = _checked_target(scope, target, actor, schema)
    with transaction.atomic():
        lock_rows(sorted(BrokerAccount.objects.values_list("pk", flat=True)))
        try:
            with transaction.atomic():
                halt = Halt.objects.create(
                    id=new_ulid(now),
                    scope=scope.value,
                    target=wanted,
                    state=state.value,
                    reason=reason,
                    set_by=actor.label,
                    set_by_person=person_behind(actor),
                    since=now,
                )
        except IntegrityError as error:
            present = Halt.objects.get(
                scope=scope.value, target=wanted, state=state.value, lifted_at=None
            )
            raise AlreadyHalted(
                f"{state} is already in force for {scope} {wanted}".rstrip() + ".",
                extra={"halt": halt_json(present)},
            ) from error
        publish(
            type="halt.set",
            subject=halt.id,
            data=halt_json(halt),
            actor=actor.label,
            correlation_id=correlation_id,
            now=now,
        )
    return halt


def _require_halting(scope: HaltScope, actor: Actor) -> None:
    """:raises Forbidden: see ``set_halt``; what an account is called is looked at later."""
    if actor.may(WRITE) or actor.kind is ActorKind.SYSTEM:
        return
    if actor.kind is ActorKind.USER and actor.may(TRADE):
        if scope is HaltScope.ACCOUNT:
            return
        raise Forbidden(
            "You may halt the accounts you trade, one at a time; "
            "wider halts need the role manager, admin or owner."
        )
    actor.require(WRITE)


def _checked_target(scope: HaltScope, target: str | None, actor: Actor, schema: str) -> str:
    """Return the target to store. :raises UnknownTarget: or Forbidden, see ``set_halt``."""
    if actor.accounts is not None and scope is not HaltScope.ACCOUNT:
        raise Forbidden("This key is confined to accounts; it can only halt those.")
    if scope is HaltScope.TENANT:
        if target and schema != schema_of(target):
            raise UnknownTarget("A halt of the whole firm takes no target.")
        return ""
    if not target:
        raise UnknownTarget(f"A halt of scope {scope} needs a target.")
    known = {
        HaltScope.ACCOUNT: lambda: (
            actor.reaches(target) and BrokerAccount.objects.filter(code=target).exists()
        ),
        HaltScope.INSTRUMENT: lambda: Instrument.objects.filter(symbol=target).exists(),
        HaltScope.VENUE: lambda: BrokerConnection.objects.filter(name=target).exists(),
        # Strategies are names that orders carry; there is no register of them to look in.
        HaltScope.STRATEGY: lambda: len(target) <= STRATEGY_NAME_LENGTH,
    }
    if not known[scope]():
        raise UnknownTarget(f"There is no {scope} {target[:64]} here.")
    return target


def lift_halt(
    *, halt_id: str, reason: str, actor: Actor, now: datetime, correlation_id: str = ""
) -> Halt:
    """Let trading resume where the halt was; the row stays, with who lifted it and why.

    :raises NotFound: if there is no such halt.
    :raises AlreadyLifted: if somebody lifted it before.
    :raises Forbidden: if the actor does not hold ``risk:write``, or the halt reaches further.
    :raises SecondPersonNeeded: if the actor set it and somebody else could lift it.
    """
    if actor.kind is not ActorKind.SYSTEM:
        actor.require(WRITE)
    with transaction.atomic():
        halt = Halt.objects.select_for_update().filter(pk=halt_id).first()
        if halt is None or (halt.scope == HaltScope.ACCOUNT and not actor.reaches(halt.target)):
            raise NotFound
        if actor.accounts is not None and halt.scope != HaltScope.ACCOUNT:
            raise Forbidden("This key is confined to accounts; it can only lift halts of those.")
        if halt.lifted_at is not None:
            raise AlreadyLifted(
                f"This halt was lifted by {halt.lifted_by} at {halt.lifted_at.isoformat()}.",
                extra={"halt": halt_json(halt)},
            )
        if must_not_lift_alone(halt, actor):
            raise SecondPersonNeeded(
                "You stopped trading here, so somebody else lets it resume: another manager, "
                "admin or owner of the firm."
            )
        halt.lifted_at = now
        halt.lifted_by = actor.label
        halt.lift_reason = reason
        halt.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
        publish(
            type="halt.lifted",
            subject=halt.id,
            data=halt_json(halt),
            actor=actor.label,
            correlation_id=correlation_id,
            now=now,
        )
    return halt
