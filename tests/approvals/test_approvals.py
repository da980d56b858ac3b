"""What takes two people: asked by one, done in the transaction of the other's answer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import Error, transaction

from accounts.models import User
from accounts.roles import Role
from accounts.services import actor_of, add_member, create_user
from approvals.models import Approval
from approvals.selectors import waiting
from approvals.services import (
    VALID_FOR,
    AlreadyAsked,
    AlreadyDecided,
    NoSecondPerson,
    NotAPerson,
    OwnRequest,
    ask,
    decide,
    withdraw,
)
from common.actor import ActorKind, system_actor
from common.errors import Forbidden
from events.models import Event
from risk.models import Halt
from risk.services import AlreadyLifted, lift_halt, set_halt
from tenants.binding import tenant_bound
from tenants.models import Tenant
from tenants.services import create_tenant
from trading.risk import HaltScope, HaltState

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
WHY = "the feed was repaired"
SLUG = "two-keys"


@pytest.fixture(scope="session")
def firm(django_db_setup, django_db_blocker) -> Tenant:
    with django_db_blocker.unblock():
        return Tenant.objects.filter(slug=SLUG).first() or create_tenant(
            slug=SLUG, name="Two keys", now=NOW
        )


@pytest.fixture
def bound(firm, db):
    with tenant_bound(firm.schema_name):
        yield firm


def person(firm, name, role):
    user = User.objects.filter(email=f"{name}@{SLUG}.test").first()
    user = user or create_user(email=f"{name}@{SLUG}.test", password=None)
    return actor_of(add_member(user=user, tenant=firm, role=role))


@pytest.fixture
def olivia(bound):
    return person(bound, "olivia", Role.OWNER)


@pytest.fixture
def oscar(bound):
    return person(bound, "oscar", Role.ADMIN)


@pytest.fixture
def halt(olivia):
    return set_halt(
        scope=HaltScope.TENANT, target=None, state=HaltState.HALTED, reason="prices stand still",
        actor=system_actor(olivia.schema, "loop"), now=NOW,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def deeds(settings):
    """A deed for these tests: a halt set by nobody in particular is lifted."""
    settings.OMS_APPROVED_DEEDS = {"lift_halt": f"{__name__}.lift"}


def lift(*, approval, actor, now):
    halt = lift_halt(halt_id=approval.subject, reason=approval.reason, actor=actor, now=now)
    return f"{halt} lifted"


def asked(halt, actor, now=NOW):
    return ask(
        kind="lift_halt", subject=halt.id, scope="admin", effect="Lifts it.", reason=WHY, data={},
        actor=actor, now=now,
    )  # fmt: skip


def answer(approval, actor, approve=True, now=LATER):
    return decide(approval_id=approval.id, approve=approve, reason=WHY, actor=actor, now=now)


def in_force(halt):
    return Halt.objects.get(pk=halt.pk).lifted_at is None


def test_nothing_happens_until_somebody_else_approves(halt, olivia, oscar):
    approval = asked(halt, olivia)
    assert isinstance(approval, Approval)
    assert in_force(halt)
    assert list(waiting(NOW)) == [approval]
    done = answer(approval, oscar)
    assert not in_force(halt)
    assert (done.state, done.maker, done.checker) == ("APPROVED", olivia.label, oscar.label)
    assert "lifted" in done.outcome
    told = list(Event.objects.filter(subject=approval.id).order_by("seq"))
    assert [(event.type, event.actor) for event in told] == [
        ("approval.asked", olivia.label),
        ("approval.approved", oscar.label),
    ]


def test_whoever_asks_does_not_approve(halt, olivia, oscar):
    approval = asked(halt, olivia)
    with pytest.raises(OwnRequest):
        answer(approval, olivia)
    with pytest.raises(OwnRequest):
        answer(approval, olivia, approve=False)
    assert in_force(halt)


def test_not_even_by_sql(halt, olivia, oscar):
    approval = asked(halt, olivia)
    rows = Approval.objects.filter(pk=approval.pk)
    with pytest.raises(Error, match="approval_checker_is_not_maker"), transaction.atomic():
        rows.update(state="APPROVED", checker=olivia.label, decided_at=NOW)
    with pytest.raises(Error, match="changes once"), transaction.atomic():
        rows.update(effect="something else")
    with pytest.raises(Error, match="never deleted"), transaction.atomic():
        rows.delete()
    answer(approval, oscar, approve=False)
    with pytest.raises(Error, match="changes once"), transaction.atomic():
        rows.update(state="APPROVED")


def test_a_refusal_leaves_all_as_it_is(halt, olivia, oscar):
    approval = answer(asked(halt, olivia), oscar, approve=False)
    assert approval.state == "REFUSED"
    assert in_force(halt)
    with pytest.raises(AlreadyDecided):
        answer(approval, oscar)
    assert asked(halt, oscar).state == "WAITING"


def test_only_one_request_for_the_same_deed(halt, olivia, oscar):
    asked(halt, olivia)
    with pytest.raises(AlreadyAsked):
        asked(halt, oscar)


def test_only_the_maker_withdraws(halt, olivia, oscar):
    approval = asked(halt, olivia)
    with pytest.raises(Forbidden):
        withdraw(approval_id=approval.id, reason=WHY, actor=oscar, now=LATER)
    gone = withdraw(approval_id=approval.id, reason=WHY, actor=olivia, now=LATER)
    assert gone.state == "WITHDRAWN"
    with pytest.raises(AlreadyDecided):
        answer(approval, oscar)
    assert in_force(halt)


def test_a_request_nobody_answers_lapses(halt, olivia, oscar):
    approval = asked(halt, olivia)
    over = NOW + VALID_FOR
    with pytest.raises(AlreadyDecided, match="lapsed"):
        answer(approval, oscar, now=over)
    assert not waiting(over).exists()
    assert asked(halt, olivia, now=over).id != approval.id
    approval.refresh_from_db()
    assert approval.state == "LAPSED"


def test_a_deed_that_is_refused_decides_nothing(halt, olivia, oscar):
    approval = asked(halt, olivia)
    lift_halt(halt_id=halt.id, reason=WHY, actor=olivia, now=LATER)
    with pytest.raises(AlreadyLifted), transaction.atomic():
        answer(approval, oscar)
    approval.refresh_from_db()
    assert approval.state == "WAITING"


def test_programs_and_the_powerless_neither_ask_nor_answer(bound, halt, olivia, oscar):
    key = replace(oscar, kind=ActorKind.API_KEY, name="robot:1")
    with pytest.raises(NotAPerson):
        asked(halt, key)
    approval = asked(halt, olivia)
    with pytest.raises(NotAPerson):
        answer(approval, key)
    with pytest.raises(Forbidden):
        answer(approval, person(bound, "alice", Role.TRADER))
    assert in_force(halt)


def test_a_firm_of_one_can_ask_nobody(halt, olivia):
    with pytest.raises(NoSecondPerson):
        asked(halt, olivia)
    assert not Approval.objects.exists()


def test_people_who_left_do_not_count(halt, olivia, oscar):
    User.objects.filter(email=f"oscar@{SLUG}.test").update(is_active=False)
    with pytest.raises(NoSecondPerson):
        asked(halt, olivia)


def test_a_kind_without_a_deed_cannot_be_asked_for(halt, olivia, oscar, settings):
    settings.OMS_APPROVED_DEEDS = {}
    with pytest.raises(KeyError):
        asked(halt, olivia)
