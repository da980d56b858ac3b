"""What is done from a firm's console goes through services, with a reason, and is answered after
the commit.
"""

import pytest
from django.db import connection

from brokers.models import BrokerAccount
from events.models import Event
from oms.models import Command, Order
from risk.models import Halt
from tenants.binding import bound_schema, tenant_bound
from tests.console.tables import list_url, row_url
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


def test_a_deed_needs_the_pages_token(quay, browser, working):
    from django.test import Client

    from accounts.models import User

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
