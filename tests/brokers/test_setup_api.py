"""Connecting a real broker over HTTP: what fits, what does not, and keys nobody sees again."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from accounts.roles import Role
from accounts.services import add_member, create_api_key, create_user
from brokers.credentials import open_credentials
from brokers.models import BrokerAccount, BrokerConnection
from tenants.binding import tenant_bound
from tenants.models import Tenant
from tests.brokers.conftest import SLUG, fresh

PATH = "/api/v1/connections"


@pytest.fixture
def client_with(desk):
    """A program per set of scopes."""
    user = create_user(email=f"{fresh('u')}@desk.test", password=None)
    member = add_member(user=user, tenant=Tenant.objects.get(slug=SLUG), role=Role.ADMIN)

    def made(*scopes: str) -> Client:
        _, key = create_api_key(
            membership=member,
            name="program",
            scopes=list(scopes),
            accounts=None,
            expires_at=None,
            ip_allowlist=[],
            now=datetime.now(UTC),
        )
        return Client(headers={"Authorization": f"Bearer {key}", "Host": "localhost"})

    return made


@pytest.fixture
def admin(client_with) -> Client:
    """A program with the scope admin."""
    return client_with("admin")


def body(**changes):
    return {
        "name": fresh("tws-"),
        "broker": "ib",
        "mode": "PAPER",
        "accounts": [{"code": fresh("IB"), "name": "IB paper", "currency": "USD",
                      "venue_code": "DU1"}],
        "tws": {"port": 7497, "client_id": 3},
    } | changes  # fmt: skip


def exchange_body(**changes):
    made = body(broker="ccxt:binance", name=fresh("binance-"), **changes)
    del made["tws"]
    return made


def post(client, content):
    return client.post(PATH, content, content_type="application/json")


def test_a_tws_is_connected_with_its_accounts(desk, admin) -> None:
    content = body()
    answer = post(admin, content)
    assert answer.status_code == 201, answer.content
    assert answer.json()["accounts"] == [content["accounts"][0]["code"]]
    with tenant_bound(desk.schema):
        made = BrokerConnection.objects.get(name=content["name"])
        assert (made.broker, made.mode, made.state) == ("ib", "PAPER", "DOWN")
        assert made.options == {
            "host": "127.0.0.1",
            "port": 7497,
            "client_id": 3,
            "time_zone": "America/New_York",
        }
        assert BrokerAccount.objects.get(connection=made).venue_code == "DU1"


WRONG = [
    (body(broker="nobody"), 422, "broker"),
    (body(broker="paper"), 422, "broker"),
    (body(mode="LIVE"), 422, "mode"),
    (body(tws=None), 422, "tws"),
    (body(tws={"port": 0}), 422, "tws.port"),
    (body(tws={"time_zone": "Moon/Crater"}), 422, "tws.time_zone"),
    (body(accounts=[]), 422, "accounts"),
    (body(name="No Such Name"), 422, "name"),
    (body(broker="ccxt:binance"), 422, "tws"),
    (body(surprise=1), 422, "surprise"),
]


@pytest.mark.parametrize(("content", "status", "field"), WRONG, ids=lambda v: str(v)[:24])
def test_what_does_not_fit_is_refused_by_its_field(admin, content, status, field) -> None:
    answer = post(admin, content)
    assert answer.status_code == status, answer.content
    assert answer.json()["errors"][0]["field"] == field


def test_a_name_is_taken_once(admin) -> None:
    content = body()
    assert post(admin, content).status_code == 201
    again = post(admin, body(name=content["name"]))
    assert (again.status_code, again.json()["code"]) == (409, "connection_name_taken")


def test_a_trader_connects_nothing(client_with) -> None:
    answer = post(client_with("orders:write"), body())
    assert answer.status_code == 403


def test_a_key_is_kept_and_never_shown(desk, admin) -> None:
    content = exchange_body()
    assert post(admin, content).status_code == 201
    path = f"{PATH}/{content['name']}/credentials"
    key = {"api_key": "k-1", "secret": "canary-42"}
    answer = admin.put(path, key, content_type="application/json")
    assert (answer.status_code, answer.json()["credentials"]) == (200, "KEPT")
    assert b"canary-42" not in answer.content
    assert b"canary-42" not in admin.get(PATH, {"limit": 500}).content
    with tenant_bound(desk.schema):
        made = BrokerConnection.objects.get(name=content["name"])
    assert open_credentials(schema=desk.schema, connection_id=made.pk) == key


def test_a_revoked_key_disables_the_connection_until_there_is_a_new_one(desk, admin) -> None:
    content = exchange_body()
    post(admin, content)
    path = f"{PATH}/{content['name']}/credentials"
    key = {"api_key": "k-1", "secret": "s-1"}
    admin.put(path, key, content_type="application/json")
    assert admin.delete(path).json()["credentials"] == "REVOKED"

    def state() -> str:
        with tenant_bound(desk.schema):
            return BrokerConnection.objects.get(name=content["name"]).state

    assert state() == "DISABLED"
    admin.put(path, key, content_type="application/json")
    assert state() == "DOWN"


def test_a_tws_takes_no_key(admin) -> None:
    content = body()
    post(admin, content)
    answer = admin.put(
        f"{PATH}/{content['name']}/credentials",
        {"api_key": "k", "secret": "s"},
        content_type="application/json",
    )
    assert answer.status_code == 422
