"""Halts: set once, lifted once, told to the stream, and which one an order meets."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from accounts.models import Membership
from accounts.roles import SCOPES_OF_ROLE, Role
from accounts.services import actor_of, add_member, create_api_key, create_user
from common.actor import Actor, ActorKind
from common.errors import Forbidden, NotFound
from events.models import Event
from risk.models import Halt
from risk.selectors import covering_halt, halts, halts_in_force
from risk.services import (
    AlreadyHalted,
    AlreadyLifted,
    SecondPersonNeeded,
    UnknownTarget,
    lift_halt,
    may_halt,
    set_halt,
)
from risk.shapes import halt_json
from tenants.models import Tenant
from trading.risk import HaltScope, HaltState

ORDER = {"account_code": "DESK-1", "symbol": "SPX", "strategy": "trend"}


@pytest.fixture
def halt(desk, now):
    def _halt(scope, target=None, state=HaltState.HALTED, *, actor=desk.manager, at=now):
        return set_halt(
            scope=HaltScope(scope), target=target, state=state, reason="drill", actor=actor, now=at
        )

    return _halt


@pytest.fixture
def lift(desk, now):
    def _lift(halt_id, *, actor=desk.manager):
        return lift_halt(
            halt_id=halt_id, reason="drill over", actor=actor, now=now + timedelta(minutes=1)
        )

    return _lift


class TestSetting:
    @pytest.mark.parametrize(
        ("scope", "target"),
        [
            ("tenant", None),
            ("tenant", "risk-desk"),
            ("account", "DESK-1"),
            ("instrument", "SPX"),
            ("strategy", "trend"),
            ("venue", "paper"),
        ],
    )
    def test_a_halt_covers_the_orders_it_names_until_it_is_lifted(self, halt, lift, scope, target):
        assert covering_halt(**ORDER) is None
        stop = halt(scope, target)
        assert covering_halt(**ORDER) == stop
        lift(stop.id)
        assert covering_halt(**ORDER) is None

    @pytest.mark.parametrize(
        ("scope", "target"),
        [
            ("tenant", "globex"),
            ("account", None),
            ("account", ""),
            ("account", "DESK-9"),
            ("account", "desk-1"),
            ("instrument", "NOPE"),
            ("venue", "elsewhere"),
            ("strategy", None),
            ("strategy", "x" * 65),
        ],
    )
    def test_a_target_has_to_exist(self, halt, scope, target):
        with pytest.raises(UnknownTarget) as refusal:
            halt(scope, target)
        assert refusal.value.errors[0].field == "target"
        assert not halts_in_force().exists()

    def test_the_same_halt_twice_is_a_conflict_that_shows_the_first(self, halt):
        first = halt("account", "DESK-1")
        with pytest.raises(AlreadyHalted) as refusal:
            halt("account", "DESK-1")
        assert refusal.value.extra["halt"] == halt_json(first)
        assert refusal.value.code == "state_conflict"
        assert Event.objects.filter(type="halt.set").count() == 1

    def test_the_more_severe_of_two_governs_and_its_lift_leaves_the_other(self, halt, lift):
        reducing = halt("account", "DESK-1", HaltState.REDUCING)
        halted = halt("account", "DESK-1")
        assert covering_halt(**ORDER) == halted
        lift(halted.id)
        assert covering_halt(**ORDER) == reducing

    def test_other_accounts_trade_on(self, halt):
        halt("account", "DESK-2")
        halt("instrument", "IXIC")
        halt("strategy", "mean")
        assert covering_halt(**ORDER) is None

    def test_a_venue_halt_covers_by_connection_given_or_looked_up(self, halt):
        stop = halt("venue", "paper")
        assert covering_halt(**ORDER) == stop
        assert covering_halt(**ORDER, venue="paper") == stop
        assert covering_halt(**ORDER, venue="other") is None

    def test_a_key_confined_to_accounts_halts_those_only(self, desk, halt):
        key = desk.confined_to("DESK-1")
        halt("account", "DESK-1", actor=key)
        with pytest.raises(UnknownTarget):
            halt("account", "DESK-2", actor=key)
        with pytest.raises(Forbidden):
            halt("tenant", actor=key)


class TestLifting:
    def test_it_keeps_who_and_why(self, halt, lift, now):
        stop = lift(halt("tenant").id)
        assert (stop.lifted_by, stop.lift_reason) == ("user:manager@desk.test", "drill over")
        assert stop.lifted_at == now + timedelta(minutes=1)
        assert list(halts(in_force=False)) == [stop]

    def test_a_second_lift_is_a_conflict(self, halt, lift):
        stop = lift(halt("tenant").id)
        with pytest.raises(AlreadyLifted) as refusal:
            lift(stop.id)
        assert refusal.value.extra["halt"]["lifted_by"] == "user:manager@desk.test"
        assert Event.objects.filter(type="halt.lifted").count() == 1

    def test_after_a_lift_the_same_halt_may_be_set_again(self, halt, lift):
        first = lift(halt("tenant").id)
        assert halt("tenant").id != first.id

    def test_what_is_not_there_is_not_found(self, lift):
        with pytest.raises(NotFound):
            lift("01JNB3V0000000000000000000")

    def test_a_key_confined_to_accounts_lifts_those_only(self, desk, halt, lift):
        firm, two, one = halt("tenant"), halt("account", "DESK-2"), halt("account", "DESK-1")
        key = desk.confined_to("DESK-1")
        with pytest.raises(Forbidden):
            lift(firm.id, actor=key)
        with pytest.raises(NotFound):
            lift(two.id, actor=key)
        assert lift(one.id, actor=key).lifted_at is not None


def test_the_stream_carries_the_whole_halt_both_times(halt, lift, now):
    stop = halt("instrument", "SPX", HaltState.REDUCING)
    lift(stop.id)
    was_set, was_lifted = Event.objects.order_by("seq")
    assert (was_set.type, was_set.subject) == ("halt.set", stop.id)
    assert was_set.data == {
        "id": stop.id,
        "scope": "instrument",
        "target": "SPX",
        "state": "REDUCING",
        "reason": "drill",
        "since": "2026-03-02T15:00:00Z",
        "set_by": "user:manager@desk.test",
        "lifted_at": None,
        "lifted_by": None,
        "lift_reason": None,
    }
    assert was_lifted.type == "halt.lifted"
    assert was_lifted.data["lifted_by"] == "user:manager@desk.test"
    assert was_lifted.data["lift_reason"] == "drill over"


def test_no_event_survives_a_halt_that_was_rolled_back(halt):
    with transaction.atomic():
        halt("tenant")
        transaction.set_rollback(True)
    assert not Event.objects.exists()
    assert covering_halt(**ORDER) is None


def test_the_database_refuses_to_rewrite_a_halt(halt, lift):
    stop = halt("tenant")
    for edit in (
        lambda: Halt.objects.update(reason="another"),
        lambda: Halt.objects.update(target="X"),
        lambda: Halt.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            edit()
    lift(stop.id)
    with pytest.raises(DatabaseError, match="changes once"), transaction.atomic():
        Halt.objects.update(lifted_at=None, lifted_by="", lift_reason="")


@pytest.fixture
def hire(desk):
    """Make somebody of the firm, gone with the test's transaction."""

    def _hire(name, role):
        user = create_user(email=f"{name}@desk.test", password="correct horse battery", name=name)
        add_member(user=user, tenant=Tenant.objects.get(slug="risk-desk"), role=role)
        return actor_of(Membership.objects.select_related("tenant", "user").get(user=user))

    return _hire


class TestWhoMay:
    def test_a_trader_stops_an_account_and_nothing_wider(self, halt, hire):
        trader = hire("tom", Role.TRADER)
        assert halt("account", "DESK-1", actor=trader).set_by == "user:tom@desk.test"
        for scope, target in [
            ("tenant", None), ("instrument", "SPX"), ("strategy", "trend"), ("venue", "paper"),
        ]:  # fmt: skip
            assert not may_halt(trader, HaltScope(scope), target)
            with pytest.raises(Forbidden, match="one at a time"):
                halt(scope, target, actor=trader)
        with pytest.raises(UnknownTarget):
            halt("account", "DESK-9", actor=trader)
        assert halts_in_force().count() == 1

    def test_a_viewer_and_a_program_that_only_trades_stop_nothing(self, halt, hire):
        viewer = hire("vera", Role.VIEWER)
        program = Actor(ActorKind.API_KEY, "k", "k", viewer.schema, SCOPES_OF_ROLE[Role.TRADER])
        for actor in (viewer, program):
            assert not may_halt(actor, HaltScope.ACCOUNT, "DESK-1")
            with pytest.raises(Forbidden, match="risk:write"):
                halt("account", "DESK-1", actor=actor)
        assert not halts_in_force().exists()

    def test_a_trader_lifts_nothing_not_even_their_own(self, halt, lift, hire):
        trader = hire("tom", Role.TRADER)
        stop = halt("account", "DESK-1", actor=trader)
        with pytest.raises(Forbidden, match="risk:write"):
            lift(stop.id, actor=trader)
        assert lift(stop.id, actor=hire("mona", Role.MANAGER)).lifted_by == "user:mona@desk.test"

    def test_lifting_takes_another_person_where_there_is_one(self, halt, lift, hire):
        mona, hire_later = hire("mona", Role.MANAGER), hire
        alone = halt("account", "DESK-1", actor=mona)
        assert lift(alone.id, actor=mona).lifted_at
        olga = hire_later("olga", Role.OWNER)
        shared = halt("account", "DESK-1", actor=mona)
        with pytest.raises(SecondPersonNeeded, match="somebody else"):
            lift(shared.id, actor=mona)
        assert covering_halt(**ORDER) == shared
        assert lift(shared.id, actor=olga).lifted_by == "user:olga@desk.test"

    def test_a_person_who_left_is_no_second_person(self, halt, lift, hire):
        mona, olga = hire("mona", Role.MANAGER), hire("olga", Role.OWNER)
        Membership.objects.filter(user_id=olga.id).update(is_active=False)
        assert lift(halt("account", "DESK-1", actor=mona).id, actor=mona).lifted_at

    def test_ones_own_key_is_no_second_person(self, halt, lift, hire, now):
        mona = hire("mona", Role.MANAGER)
        other = hire("olga", Role.OWNER)
        key, _ = create_api_key(
            membership=Membership.objects.get(user_id=mona.id), name="desk", accounts=None,
            scopes=["risk:write"], expires_at=None, ip_allowlist=[], now=now,
        )  # fmt: skip
        program = Actor(ActorKind.API_KEY, key.pk, key.name, mona.schema, frozenset({"risk:write"}))
        for setter, lifter in ((mona, program), (program, mona)):
            stop = halt("account", "DESK-1", actor=setter)
            with pytest.raises(SecondPersonNeeded):
                lift(stop.id, actor=lifter)
            lift(stop.id, actor=other)

    def test_a_firm_may_insist_on_two_people(self, halt, lift, hire, settings):
        settings.OMS_LIFT_ALONE = False
        mona = hire("mona", Role.MANAGER)
        with pytest.raises(SecondPersonNeeded):
            lift(halt("account", "DESK-1", actor=mona).id, actor=mona)
