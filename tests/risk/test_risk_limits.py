"""Limits as data: set, changed, switched off, and each change told with the value before."""

from decimal import Decimal

import pytest

from common.errors import Forbidden
from events.models import Event
from risk.models import RiskLimit
from risk.selectors import limits
from risk.services import BadLimit, UnknownTarget, default_limits, set_limit
from trading.risk import DEFAULT_LIMITS, LimitScope, RuleId

DEFAULTS = {("", rule): (value, True) for rule, value in DEFAULT_LIMITS.items()}


@pytest.fixture
def put(desk, now):
    def _put(rule, value, target=None, *, enabled=True, actor=desk.manager):
        return set_limit(
            scope=LimitScope.ACCOUNT if target else LimitScope.TENANT,
            target=target,
            rule=rule,
            value=Decimal(value),
            enabled=enabled,
            actor=actor,
            now=now,
        )

    return _put


def stored():
    return {(row.target, str(row.rule)): (row.value, row.enabled) for row in limits()}


@pytest.mark.usefixtures("desk")
def test_a_new_firm_has_the_defaults():
    assert stored() == DEFAULTS


@pytest.mark.usefixtures("desk")
def test_defaults_are_added_where_missing_and_never_reset(put, now):
    put(RuleId.MAX_ORDER_QTY, 5)
    RiskLimit.objects.filter(rule="price_collar").delete()
    default_limits(now=now)
    default_limits(now=now)
    assert stored() == {**DEFAULTS, ("", "max_order_qty"): (5, True)}


def test_a_change_is_an_event_with_the_limit_and_what_it_was(put):
    put(RuleId.MAX_ORDER_QTY, 50, "DESK-1")
    put(RuleId.MAX_ORDER_QTY, "7.5", "DESK-1", enabled=False)
    first, second = Event.objects.order_by("seq")
    assert first.type == second.type == "limit.changed"
    assert first.data["previous"] is None
    assert second.data == {
        "scope": "account",
        "target": "DESK-1",
        "rule": "max_order_qty",
        "value": "7.5",
        "unit": "quantity",
        "enabled": False,
        "updated_at": "2026-03-02T15:00:00Z",
        "updated_by": "user:manager@desk.test",
        "previous": {"value": "50", "enabled": True},
    }
    assert second.actor == "user:manager@desk.test"
    assert stored() == {**DEFAULTS, ("DESK-1", "max_order_qty"): (Decimal("7.5"), False)}


def test_values_that_make_no_sense_and_targets_that_do_not_exist_are_refused(put):
    with pytest.raises(BadLimit):
        put(RuleId.PRICE_COLLAR, 1)
    with pytest.raises(UnknownTarget):
        put(RuleId.MAX_ORDER_QTY, 1, "DESK-9")
    assert stored() == DEFAULTS


def test_a_key_confined_to_accounts_does_not_set_its_own_limits(desk, put):
    with pytest.raises(Forbidden):
        put(RuleId.MAX_ORDER_QTY, 10**6, "DESK-1", actor=desk.confined_to("DESK-1"))


@pytest.mark.usefixtures("desk")
def test_a_rule_this_version_does_not_know_is_left_alone(now):
    RiskLimit.objects.create(
        scope="tenant", rule="max_moon_phase", value=1, updated_at=now, updated_by="newer version"
    )
    assert stored() == DEFAULTS
