"""Writes of limits; every change is an event that keeps the value before."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from brokers.models import BrokerAccount
from common.actor import Actor
from common.errors import FieldError, Forbidden, Invalid
from common.numbers import dec_str
from events.services import publish
from risk.models import RiskLimit
from risk.services.targets import UnknownTarget
from risk.shapes import limit_json
from tenants.binding import require_bound
from trading.risk import DEFAULT_LIMITS, LimitScope, RuleId, value_problem


class BadLimit(Invalid):
    """The value makes no sense for the rule."""

    code = "out_of_range"
    title = "The limit's value makes no sense"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, errors=[FieldError("value", self.code, detail)])


def default_limits(*, now: datetime, actor_label: str = "system:setup") -> list[RiskLimit]:
    """Write the limits a new firm starts with; rules the firm has set already stay as they are."""
    require_bound()
    for rule, value in DEFAULT_LIMITS.items():
        RiskLimit.objects.get_or_create(
            scope=LimitScope.TENANT.value,
            target="",
            rule=rule.value,
            defaults={"value": value, "updated_at": now, "updated_by": actor_label},
        )
    return list(RiskLimit.objects.filter(scope=LimitScope.TENANT.value).order_by("rule"))


def set_limit(
    *,
    scope: LimitScope,
    target: str | None,
    rule: RuleId,
    value: Decimal,
    enabled: bool,
    actor: Actor,
    now: datetime,
    correlation_id: str = "",
) -> RiskLimit:
    """Set one limit, new or changed; the event ``limit.changed`` keeps the value before.

    :raises BadLimit: if the value makes no sense for the rule.
    :raises UnknownTarget: if the firm has no such account.
    :raises Forbidden: if the actor is confined to accounts (those would set their own limits).
    """
    if actor.accounts is not None:
        raise Forbidden("This key is confined to accounts; limits are set by the firm.")
    if problem := value_problem(rule, value):
        raise BadLimit(problem)
    wanted = _limit_target(scope, target)
    with transaction.atomic():
        key = {"scope": scope.value, "target": wanted, "rule": rule.value}
        fresh = {
            "value": value,
            "enabled": enabled,
            "updated_at": now,
            "updated_by": actor.label,
        }
        limit, is_new = RiskLimit.objects.get_or_create(**key, defaults=fresh)
        previous = None
        if not is_new:
            limit = RiskLimit.objects.select_for_update().get(pk=limit.pk)
            previous = {"value": dec_str(limit.value), "enabled": limit.enabled}
            for name, content in fresh.items():
                setattr(limit, name, content)
            limit.save(update_fields=list(fresh))
        publish(
            type="limit.changed",
            subject=f"{rule}:{wanted}".rstrip(":")[:64],
            data={**limit_json(limit), "previous": previous},
            actor=actor.label,
            correlation_id=correlation_id,
            now=now,
        )
    return limit


def _limit_target(scope: LimitScope, target: str | None) -> str:
    if scope is LimitScope.TENANT:
        if target:
            raise UnknownTarget("A limit of the whole firm takes no target.")
        return ""
    if not target or not BrokerAccount.objects.filter(code=target).exists():
        raise UnknownTarget("A limit of scope account needs the code of an account of this firm.")
    return target
