"""Connections over HTTP: who sees them, and who may make a paper venue misbehave."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.test import Client

from accounts.roles import Role
from accounts.services import add_member, create_api_key, create_user
from brokers.models import BrokerConnection
from brokers.services import open_connection
from events.models import Event
from tenants.binding import tenant_bound
from tenants.models import Tenant
from tests.brokers.conftest import NOW, SLUG, fresh
from trading.vocabulary import Mode

CONNECTIONS = "/api/v1/connections"


@pytest.fixture
def http(desk):
    """A caller per set of scopes and accounts, and the name of this test's connection."""
    user = create_user(email=f"{fresh('u')}@desk.test", password=None)
    member = add_member(user=user, tenant=Tenant.objects.get(slug=SLUG), role=Role.ADMIN)

    def caller(*scopes, accounts=None):
        _, key = create_api_key(
            membership=member,
            name="program",
            scopes=list(scopes),
            accounts=accounts,
            expires_at=None,
            ip_allowlist=[],
            now=datetime.now(UTC),
        )
        client = Client(headers={"Authorization": f"Bearer {key}", "Host": "localhost"})

        def post(name, body, **headers):
            path = f"{CONNECTIONS}/{name}/faults"
            return client.post(path, body, content_type="application/json", headers=headers)

        return SimpleNamespace(get=lambda **query: client.get(CONNECTIONS, query), post=post)

    with tenant_bound(desk.schema):
        name = BrokerConnection.objects.get(pk=desk.connection_id).name
    return SimpleNamespace(caller=caller, name=name)


def test_connections_are_listed_with_accounts_state_and_faults(desk, http):
    desk.fault("lose_ack", times=2)
    items = http.caller("orders:read").get(limit=500).json()["items"]
    row = next(item for item in items if item["name"] == http.name)
    assert (row["broker"], row["mode"], row["state"]) == ("paper", "PAPER", "DOWN")
    assert row["accounts"] == [desk.account, desk.other]
    assert [(f["switch"], f["command"], f["times"]) for f in row["faults"]] == [
        ("lose_ack", "NEW", 2)
    ]


def test_a_key_held_to_one_account_sees_its_connection_only(desk, http):
    answer = http.caller("orders:read", accounts=[desk.account]).get()
    assert [(r["name"], r["accounts"]) for r in answer.json()["items"]] == [
        (http.name, [desk.account])
    ]


def test_listing_needs_a_scope(http):
    assert http.caller("marketdata:read").get().status_code == 403


def test_a_fault_is_set_and_told(desk, http):
    answer = http.caller("risk:write").post(
        http.name, {"switch": "delay_ack", "times": 3, "delay_ms": 50}
    )
    assert answer.status_code == 200
    body = answer.json()
    assert (body["switch"], body["times"], body["delay_ms"]) == ("delay_ack", 3, 50)
    with tenant_bound(desk.schema):
        event = Event.objects.get(subject=http.name, type="connection.fault_set")
    assert event.data["fault"]["switch"] == "delay_ack"


def test_traders_do_not_set_faults(http):
    answer = http.caller("orders:write").post(http.name, {"switch": "lose_ack", "times": 1})
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


def test_a_connection_to_a_real_broker_takes_no_fault(desk, http):
    real = fresh("real-")
    with tenant_bound(desk.schema):
        open_connection(name=real, broker="ib", mode=Mode.LIVE, now=NOW)
    answer = http.caller("admin").post(real, {"switch": "lose_ack", "times": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_a_paper_connection")


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"switch": "explode", "times": 1}, "switch", "invalid_choice"),
        ({"switch": "lose_ack", "times": "1"}, "times", "invalid_type"),
        ({"switch": "lose_ack", "times": 1001}, "times", "out_of_range"),
        ({"switch": "lose_ack", "times": -1}, "times", "out_of_range"),
        ({"switch": "lose_ack", "times": 1, "odds": 2}, "odds", "unknown_field"),
        ({"switch": "lose_ack"}, "times", "required"),
    ],
)
def test_bad_bodies_are_refused_by_field(http, body, field, code):
    answer = http.caller("risk:write").post(http.name, body)
    assert answer.status_code == 422
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]


def test_a_switch_with_a_command_it_does_not_concern_is_refused(http):
    body = {"switch": "cancel_lost", "times": 1, "command": "NEW"}
    answer = http.caller("risk:write").post(http.name, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "contradictory")


def test_an_unknown_connection_is_not_found(http):
    answer = http.caller("risk:write").post("elsewhere", {"switch": "lose_ack", "times": 1})
    assert answer.status_code == 404
