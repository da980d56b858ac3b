"""What is done from a firm's console goes through services, with a reason, and is answered after
the commit.
"""

import html
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client

from accounts.models import LoginSession, Membership, User
from accounts.services import create_api_key, open_session
from approvals.models import Approval
from brokers.models import BrokerAccount, BrokerConnection
from common.ids import new_ulid
from events.models import Event
from oms.models import Break, Command, Order, ParkedReport
from risk.models import Halt
from tenants.binding import bound_schema, tenant_bound
from tenants.models import Tenant
from tests.console.tables import list_url, row_url
from tests.journeys.cast import fresh, utcnow
from trading.vocabulary import CommandKind, CommandState

WORDS = "the client asked for it by phone"
REASON = f"other: {WORDS}"


def do(client, row, verb, reason=WORDS, **choices):
    return client.post(
        row_url(row, f"do/{verb}"),
        {"confirmed": "yes", "reason_code": "other", "reason": reason, **choices},
    )


@pytest.fixture
def working(quay) -> Order:
    with tenant_bound(quay.schema):
        return Order.objects.get(pk=quay.working)


@pytest.fixture
def account(quay) -> BrokerAccount:
    with tenant_bound(quay.schema):
        return BrokerAccount.objects.get(code=quay.desk.code)


def events(schema, kind):
    with tenant_bound(schema):
        return list(Event.objects.filter(type=kind).order_by("seq"))


def test_a_page_asks_why_before_anything_happens(owner, quay, working):
    answer = owner.get(row_url(working, "do/cancel"))
    assert answer.status_code == 200
    assert str(working) in answer.content.decode()
    with tenant_bound(quay.schema):
        assert not Command.objects.filter(order=working, kind=CommandKind.CANCEL).exists()


@pytest.mark.parametrize("reason", ["", "too short", "         a         "])
def test_without_a_reason_nothing_happens(owner, quay, working, reason):
    answer = do(owner, working, "cancel", reason)
    assert answer.status_code == 200
    assert answer.context["form"].errors["reason"]
    with tenant_bound(quay.schema):
        assert not Command.objects.filter(order=working, kind=CommandKind.CANCEL).exists()


def test_an_order_is_cancelled_with_its_reason_kept(owner, quay, working):
    answer = do(owner, working, "cancel")
    assert answer.status_code == 302
    with tenant_bound(quay.schema):
        assert Command.objects.filter(order=working, kind=CommandKind.CANCEL).count() == 1
    (kept,) = events(quay.schema, "console.cancel")
    assert kept.subject == working.pk
    assert kept.data["reason"] == REASON
    assert kept.actor == "user:olivia@quay.test"


def test_ticked_orders_are_cancelled_one_by_one(owner, quay, working):
    with tenant_bound(quay.schema):
        closed = Order.objects.filter(is_closed=True).first()
    ticked = {"action": "cancel", "index": "0", "_selected_action": [working.pk, closed.pk]}
    asked = owner.post(list_url(Order), ticked)
    assert asked.status_code == 200
    assert asked.context["rows"] == [working]
    assert asked.context["left_out"] == 1
    done = owner.post(
        list_url(Order), {**ticked, "confirmed": "yes", "reason_code": "other", "reason": WORDS}
    )
    assert done.status_code == 302
    with tenant_bound(quay.schema):
        assert Command.objects.filter(order=working, kind=CommandKind.CANCEL).count() == 1
        assert not Command.objects.filter(order=closed, kind=CommandKind.CANCEL).exists()


def test_a_closed_order_is_not_offered_a_cancel(owner, quay):
    with tenant_bound(quay.schema):
        closed = Order.objects.filter(is_closed=True).first()
    assert "do/cancel" not in owner.get(row_url(closed)).content.decode()
    do(owner, closed, "cancel")
    assert events(quay.schema, "console.cancel") == []


def test_the_venue_is_asked_about_unknown_requests(owner, quay, working):
    with tenant_bound(quay.schema):
        command = Command.objects.filter(order=working).first()
        Command.objects.filter(pk=command.pk).update(
            state=CommandState.UNKNOWN, next_lookup_at=None
        )
    assert do(owner, working, "ask_venue").status_code == 302
    with tenant_bound(quay.schema):
        assert Command.objects.get(pk=command.pk).next_lookup_at is not None
    assert events(quay.schema, "console.lookup")[0].data["reason"] == REASON


def test_an_account_is_halted_and_lifted(owner, quay, account):
    assert do(owner, account, "halt", state="HALTED").status_code == 302
    with tenant_bound(quay.schema):
        halt = Halt.objects.get(scope="account", target=account.code, lifted_at=None)
    assert (halt.reason, halt.set_by) == (REASON, "user:olivia@quay.test")
    again = owner.post(
        row_url(account, "do/halt"),
        {"confirmed": "yes", "reason_code": "other", "reason": WORDS, "state": "HALTED"},
        follow=True,
    )
    assert "already in force" in again.content.decode()
    assert do(owner, account, "lift").status_code == 302
    with tenant_bound(quay.schema):
        assert Halt.objects.get(pk=halt.pk).lift_reason == REASON


def test_a_halt_is_lifted_from_its_own_page(owner, quay):
    with tenant_bound(quay.schema):
        halt = Halt.objects.filter(lifted_at=None).first()
    assert do(owner, halt, "lift").status_code == 302
    with tenant_bound(quay.schema):
        assert Halt.objects.get(pk=halt.pk).lifted_by == "user:olivia@quay.test"


def test_the_firm_is_halted_from_the_list_of_halts(owner, quay):
    assert "do/halt_firm/" in owner.get(list_url(Halt)).content.decode()
    answer = owner.post(
        f"{list_url(Halt)}do/halt_firm/",
        {"confirmed": "yes", "reason_code": "other", "reason": WORDS, "state": "REDUCING"},
    )
    assert answer.status_code == 302
    with tenant_bound(quay.schema):
        assert Halt.objects.filter(scope="tenant", lifted_at=None).exists()


def test_a_choice_that_does_not_exist_is_refused(owner, account):
    answer = do(owner, account, "halt", state="EXPLODE")
    assert answer.status_code == 200
    assert answer.context["form"].errors["state"]


def test_accounts_are_compared_on_request(owner, quay, account):
    assert do(owner, account, "compare").status_code == 302
    assert events(quay.schema, "console.reconcile")[0].data["reason"] == REASON


def test_verbs_need_the_console(person_with, quay, working):
    from accounts.roles import Role

    assert do(person_with(Role.TRADER), working, "cancel").status_code == 403
    with tenant_bound(quay.schema):
        assert not Command.objects.filter(order=working, kind=CommandKind.CANCEL).exists()


def test_a_verb_nobody_offers_is_not_found(owner, working, account):
    assert do(owner, working, "explode").status_code == 404
    assert do(owner, account, "cancel").status_code == 404


def test_unknown_outcomes_are_decided_by_two_people(owner, browser, quay, working):
    with tenant_bound(quay.schema):
        command = Command.objects.filter(order=working, kind=CommandKind.NEW).first()
        Command.objects.filter(pk=command.pk).update(state=CommandState.UNKNOWN)
        command.refresh_from_db()
    answers = {"finding": "working", "evidence": "the venue's desk, by phone, ticket 4711"}
    alone = do_and_see(owner, command, "resolve", **answers)
    assert "Nobody else in the firm" in alone
    oscar = second_person()
    assert "waits for a second person" in do_and_see(owner, command, "resolve", **answers)
    with tenant_bound(quay.schema):
        approval = Approval.objects.get(subject=command.pk)
        assert Command.objects.get(pk=command.pk).state == CommandState.UNKNOWN
    assert "somebody else has to answer" in do_and_see(owner, approval, "approve")
    assert "is ACKED" in do_and_see(browser(oscar, "quay"), approval, "approve")
    with tenant_bound(quay.schema):
        assert Command.objects.get(pk=command.pk).state == CommandState.ACKED
        assert Approval.objects.get(pk=approval.pk).checker == f"user:{oscar.email}"


def second_person():
    from accounts.roles import Role
    from accounts.services import add_member, create_user

    user = create_user(email=f"{fresh('oscar')}@quay.test", password=None)
    add_member(user=user, tenant=Tenant.objects.get(slug="quay"), role=Role.ADMIN)
    return user


def do_and_see(client, row, verb, **choices):
    answer = client.post(
        row_url(row, f"do/{verb}"),
        {"confirmed": "yes", "reason_code": "other", "reason": WORDS, **choices},
        follow=True,
    )
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def test_a_request_is_withdrawn_by_who_made_it(owner, quay):
    with tenant_bound(quay.schema):
        made = Approval.objects.create(
            id=new_ulid(utcnow()), kind="resolve_unknown", subject=fresh("c"), scope="admin",
            effect="test", reason="test", maker="user:olivia@quay.test", made_at=utcnow(),
            expires_at=utcnow() + timedelta(hours=1),
        )  # fmt: skip
    assert "withdrawn" in do_and_see(owner, made, "withdraw")
    with tenant_bound(quay.schema):
        assert Approval.objects.get(pk=made.pk).state == "WITHDRAWN"


EVIDENCE = {"evidence": "statement of today, line 12"}


def test_a_break_is_assigned_and_closed(owner, quay):
    with tenant_bound(quay.schema):
        row = Break.objects.filter(closed_at=None).first()
    assert "looks after it" in do_and_see(owner, row, "assign", owner="user:olivia@quay.test")
    refused = do(owner, row, "close")
    assert refused.context["form"].errors["evidence"]
    assert "closed;" in do_and_see(owner, row, "close", **EVIDENCE)
    with tenant_bound(quay.schema):
        row.refresh_from_db()
    assert (row.owner, row.closed_by) == ("user:olivia@quay.test", "user:olivia@quay.test")
    assert "do/close" not in owner.get(row_url(row)).content.decode()


def test_a_break_is_not_given_to_a_stranger(owner, quay):
    with tenant_bound(quay.schema):
        row = Break.objects.filter(closed_at=None).first()
    assert do(owner, row, "assign", owner="user:charlie@mesa.test").context["form"].errors["owner"]


def test_parked_reports_are_put_aside_row_by_row(owner, quay):
    with tenant_bound(quay.schema):
        rows = list(ParkedReport.objects.filter(resolved_at=None)[:2])
    ticked = {"action": "settle", "index": "0", "_selected_action": [row.pk for row in rows]}
    answer = owner.post(
        list_url(ParkedReport),
        {**ticked, "confirmed": "yes", "reason_code": "venue_error", "reason": WORDS, **EVIDENCE},
    )
    outcomes = answer.context["outcomes"]
    assert [outcome.done for outcome in outcomes] == [True, True]
    for row in rows:
        assert row_url(row) in answer.content.decode()


def test_a_report_that_cannot_be_applied_says_why_per_row(owner, quay):
    with tenant_bound(quay.schema):
        rows = list(ParkedReport.objects.filter(resolved_at=None)[:2])
        ParkedReport.objects.filter(pk__in=[row.pk for row in rows]).update(report=None)
    ticked = {"action": "apply", "index": "0", "_selected_action": [row.pk for row in rows]}
    answer = owner.post(
        list_url(ParkedReport),
        {**ticked, "confirmed": "yes", "reason_code": "other", "reason": WORDS, **EVIDENCE},
    )
    assert [outcome.done for outcome in answer.context["outcomes"]] == [False, False]
    assert "could not be read" in answer.content.decode()


@pytest.mark.parametrize("code", ["", "because", None])
def test_a_reason_has_a_code_of_the_list(owner, quay, working, code):
    posted = {"confirmed": "yes", "reason": WORDS}
    if code is not None:
        posted["reason_code"] = code
    answer = owner.post(row_url(working, "do/cancel"), posted)
    assert answer.context["form"].errors["reason_code"]
    with tenant_bound(quay.schema):
        assert not Command.objects.filter(order=working, kind=CommandKind.CANCEL).exists()


def test_a_page_says_how_many_it_concerns_before(owner, quay, account):
    page = owner.get(row_url(account, "do/halt")).content.decode()
    assert "HALTED ends 1 working order" in page


def test_the_connections_accounts_are_compared_and_its_venue_halted(owner, quay):
    with tenant_bound(quay.schema):
        row = BrokerConnection.objects.get(pk=quay.desk.connection_id)
    assert "1 accounts are compared" in do_and_see(owner, row, "compare")
    assert "HALTED since now" in do_and_see(owner, row, "halt", state="HALTED")
    with tenant_bound(quay.schema):
        assert Halt.objects.filter(scope="venue", target=row.name, lifted_at=None).exists()


def test_a_key_is_revoked_and_the_firm_is_told(staff, quay):
    place = Membership.objects.get(user__email="alice@quay.test")
    key, text = create_api_key(
        membership=place, name="robot", scopes=["orders:read"], accounts=None, expires_at=None,
        ip_allowlist=[], now=utcnow(),
    )  # fmt: skip
    bearer = {"host": "localhost", "authorization": f"Bearer {text}"}
    assert Client().get("/api/v1/orders", headers=bearer).status_code == 200
    assert "revoked; its next request" in do_and_see(staff, key, "revoke")
    assert Client().get("/api/v1/orders", headers=bearer).status_code == 401
    (told,) = [e for e in events(quay.schema, "api_key.revoked") if e.subject == key.pk]
    assert told.data["reason"] == REASON
    assert told.actor.startswith("staff:")
    assert LogEntry.objects.filter(object_id=key.pk, change_message__contains=WORDS).exists()
    assert "do/revoke" not in staff.get(row_url(key)).content.decode()


def test_every_login_of_a_person_ends(staff, browser, quay):
    user = User.objects.get(email="olivia@quay.test")
    place = Membership.objects.get(user=user, tenant__slug="quay")
    tokens = open_session(membership=place, remote_addr="192.0.2.9", now=utcnow())
    window = browser(user, "quay")
    other = browser(User.objects.get(email="charlie@mesa.test"), "mesa")
    assert window.get("/admin/").status_code == 200
    assert "logins ended" in do_and_see(staff, user, "end_logins")
    assert window.get("/admin/").status_code == 302
    assert other.get("/")["Location"] == "/desk"
    bearer = {"host": "localhost", "authorization": f"Bearer {tokens.access}"}
    assert Client().get("/api/v1/orders", headers=bearer).status_code == 401


def test_one_login_ends(staff, quay):
    place = Membership.objects.get(user__email="alice@quay.test")
    open_session(membership=place, remote_addr="192.0.2.9", now=utcnow())
    session = LoginSession.objects.filter(membership=place).latest("created_at")
    assert "ended;" in do_and_see(staff, session, "end")
    session.refresh_from_db()
    assert session.revoked_at is not None


def test_a_deed_needs_the_pages_token(quay, browser, working):
    logged_in = browser(User.objects.get(email="olivia@quay.test"), "quay")
    strict = Client(enforce_csrf_checks=True, headers={"host": "quay.localhost"})
    strict.cookies = logged_in.cookies
    assert do(strict, working, "cancel").status_code == 403


def test_the_answer_to_a_deed_follows_its_commit(owner, quay, working, monkeypatch):
    """The binding closes inside the firm's middleware: whoever sees the answer sees the rows."""
    seen = []
    from accounts.middleware import TenantRequestMiddleware

    inner = TenantRequestMiddleware._bound

    def bound(self, request, schema):
        depth = len(connection.savepoint_ids)
        response = inner(self, request, schema)
        seen.append((bound_schema(), len(connection.savepoint_ids) == depth))
        return response

    monkeypatch.setattr(TenantRequestMiddleware, "_bound", bound)
    assert do(owner, working, "cancel").status_code == 302
    assert seen == [(None, True)]
