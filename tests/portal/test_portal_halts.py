"""Halting from the portal: who may, what it will do, what everybody sees, who lifts."""

import re
from html import unescape

import pytest

from accounts.models import Membership, User
from accounts.roles import Role
from accounts.services import add_member, create_user
from oms.models import Order
from risk.models import Halt
from tenants.binding import tenant_bound
from tenants.models import Tenant
from tests.journeys.cast import PASSWORD

HALT = {"state": "HALTED", "code": "prices", "reason": "", "strategy": ""}


def text_of(answer):
    return re.sub(r"\s+", " ", unescape(answer.content.decode()))


@pytest.fixture
def on(desk):
    """The fields of a halt of the account of this test."""
    return HALT | {"where": f"account:{desk.code}"}


@pytest.fixture
def in_force(desk):
    """The halts of this test's account nobody has lifted."""

    def found():
        with tenant_bound(desk.schema):
            return list(Halt.objects.filter(target=desk.code, lifted_at=None))

    return found


@pytest.fixture
def second_owner(firms):
    """Another person of Acme who could lift, until the test is over."""
    user = User.objects.filter(email="oscar@acme.test").first() or create_user(
        email="oscar@acme.test", password=PASSWORD, name="Oscar"
    )
    acme = Tenant.objects.get(slug="acme")
    Membership.objects.filter(user=user).delete()
    add_member(user=user, tenant=acme, role=Role.OWNER)
    yield user
    Membership.objects.filter(user=user).delete()


def test_a_trader_stops_their_account_without_typing_and_every_page_says_so(
    at_desk, alice, on, in_force, market
):
    market.show("100", "101")
    trader = at_desk("alice")
    assert 'data-act="halt"' in text_of(trader.get("/desk"))
    assert trader.post("/halt", **on).status_code == 303
    (stop,) = in_force()
    assert (stop.state, stop.reason, stop.set_by) == (
        "HALTED", "prices look wrong", "user:alice@acme.test",
    )  # fmt: skip
    page = text_of(at_desk("bob").get("/orders"))
    assert "bl-banner--halted" in page
    assert "prices look wrong" in page
    assert "alice@acme.test" in page
    refused = trader.post("/desk/ticket", **trader.opened_ticket(price="99"))
    assert refused.status_code == 409
    assert "halted" in text_of(refused)
    assert "A manager, admin or owner of the firm lifts it." in text_of(trader.get("/halt"))
    lift = trader.post(f"/halt/{stop.id}/lift", reason="prices are right again")
    assert lift.status_code == 303
    assert "Not lifted" in text_of(trader.get("/halt"))
    assert in_force() == [stop]


def test_nothing_wider_is_offered_to_a_trader_or_taken_from_one(at_desk, desk, in_force):
    trader, owner = at_desk("alice"), at_desk("olivia")
    offered = re.findall(r'<option value="(\w+:[^"]*)"', trader.get("/halt").content.decode())
    assert f"account:{desk.code}" in offered
    assert {one.partition(":")[0] for one in offered} == {"account"}
    assert {"tenant:", "strategy:", "instrument:SPX"} <= set(
        re.findall(r'<option value="(\w+:[^"]*)"', owner.get("/halt").content.decode())
    )
    for where in ("tenant:", "instrument:SPX", "strategy:"):
        answer = trader.post("/halt", **HALT | {"where": where, "strategy": "trend"})
        assert answer.status_code == 403
        assert "one at a time" in text_of(answer)
    with tenant_bound(desk.schema):
        assert not Halt.objects.filter(lifted_at=None, scope="instrument").exists()


def test_a_viewer_sees_who_stopped_what_and_stops_nothing(at_desk, on, in_force):
    viewer = at_desk("bob")
    page = text_of(viewer.get("/halt"))
    assert "You may look, not halt" in page
    assert 'data-act="halt"' not in page
    assert viewer.post("/halt", **on).status_code == 403
    assert in_force() == []


def test_the_form_says_what_it_will_do_in_numbers_of_the_server(at_desk, alice, desk, on, market):
    market.show("100", "101")
    for price in ("90", "91", "92"):
        alice.placed(price=price, tif="GTC")
    trader = at_desk("alice")
    told = text_of(trader.part("/halt", "halt-effect", **on))
    assert f"New orders of account {desk.code} are refused at once" in told
    assert "<strong>3 working</strong>: all are cancelled" in told
    told = text_of(trader.part("/halt", "halt-effect", **on | {"state": "REDUCING"}))
    assert "<strong>3 working</strong>: they stay at the venue" in told
    told = text_of(trader.part("/halt", "halt-effect", **on, cancel="yes"))
    assert "all are cancelled" in told
    told = text_of(trader.part("/halt", "halt-effect", **on | {"where": "tenant:"}))
    assert "Choose what to stop" in told


def test_reducing_may_cancel_what_works(at_desk, alice, desk, on, market):
    market.show("100", "101")
    kept = alice.placed(price="90", tif="GTC")
    trader = at_desk("alice")
    answer = trader.part("/halt", "halt-form", "post", **on | {"state": "REDUCING"}, cancel="yes")
    assert (answer.status_code, answer["HX-Trigger"]) == (200, "halt:set")
    assert "1 cancelled or on their way." in text_of(answer)
    assert alice.order(kept)["ord_status"] == "CANCELED"
    assert len(desk.rows(Order, account_id=desk.account_id)) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [({"where": "moon:"}, "Choose what to stop."), ({"where": ""}, "Choose what to stop."),
     ({"state": "PAUSED"}, "Choose how firmly."), ({"code": "mood"}, "Choose why."),
     ({"code": "other", "reason": "why"}, "at least 10 characters; 3 are given"),
     ({"reason": "x" * 401}, "At most 400 characters"),
     ({"where": "account:NOPE"}, "There is no account NOPE here.")],
)  # fmt: skip
def test_a_bad_form_comes_back_with_its_words_and_stops_nothing(
    at_desk, on, in_force, change, says
):
    trader = at_desk("alice")
    trader.get("/halt")
    answer = trader.post("/halt", **on | change)
    assert answer.status_code == 422
    assert says in text_of(answer)
    assert in_force() == []


def test_lifting_takes_another_person(window, at_desk, second_owner, on, in_force):
    owner = at_desk("olivia")
    assert owner.post("/halt", **on).status_code == 303
    (stop,) = in_force()
    assert "You set it: another manager, admin or owner lifts it." in text_of(owner.get("/halt"))
    owner.post(f"/halt/{stop.id}/lift", reason="prices are right again")
    assert "somebody else lets it resume" in text_of(owner.get("/halt"))
    other = window("oscar")
    assert f"/halt/{stop.id}/lift" in text_of(other.get("/halt"))
    other.post(f"/halt/{stop.id}/lift", reason="no")
    assert "at least 10 characters" in text_of(other.get("/halt"))
    other.post(f"/halt/{stop.id}/lift", reason="prices are right again")
    assert in_force() == []
    page = text_of(other.get("/halt"))
    assert "orders pass there" in page
    assert "prices are right again" in page.partition("Lifted before")[2]


def test_the_banner_is_a_part_that_carries_every_halt(at_desk, on, desk):
    owner = at_desk("olivia")
    owner.post("/halt", **on)
    banner = text_of(at_desk("alice").part("/frame", "banner"))
    assert f'data-halt="account" data-target="{desk.code}" data-firmly="HALTED"' in banner
    assert "bl-banner--halted" in banner
    assert at_desk("alice").get("/frame").status_code == 302


def test_a_halt_of_another_firm_is_not_found(window, at_desk, on, in_force):
    at_desk("olivia").post("/halt", **on)
    (stop,) = in_force()
    stranger = window("olivia", "globex")
    assert stop.id not in text_of(stranger.get("/halt"))
    assert stranger.post(f"/halt/{stop.id}/lift", reason="not my firm at all").status_code == 404
