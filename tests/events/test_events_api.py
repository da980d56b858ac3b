"""GET /events: the stream pulled page by page."""

import pytest
from django.test import Client

from accounts.services import create_api_key
from tests.events.conftest import NOW
from tests.events.test_idempotency_key import membership_of


@pytest.fixture
def get(firm):
    def get(accounts=None, scopes=("orders:read", "positions:read"), **query):
        _, key = create_api_key(
            membership=membership_of(firm),
            name="events api test",
            scopes=list(scopes),
            accounts=accounts,
            expires_at=None,
            ip_allowlist=[],
            now=NOW,
        )
        headers = {"authorization": f"Bearer {key}", "host": "localhost"}
        return Client().get("/api/v1/events", query, headers=headers)

    return get


def subjects(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [item["subject"] for item in answer.json()["items"]]


def test_events_come_oldest_first_after_the_position_named(firm, get):
    for subject in "abc":
        firm.publish(subject)
    firm.relay()
    assert subjects(get(after=firm.start)) == ["a", "b", "c"]
    assert subjects(get(after=firm.start + 2)) == ["c"]


def test_an_event_has_the_shape_of_the_contract(firm, get):
    event = firm.publish("o-1", qty="10")
    firm.relay()
    (item,) = get(after=firm.start).json()["items"]
    assert item == {
        "id": event.id,
        "position": firm.start + 1,
        "type": "order.new",
        "subject": "o-1",
        "occurred_at": "2026-03-02T15:00:00Z",
        "actor": "test",
        "correlation_id": "",
        "data": {"account": "A", "qty": "10"},
    }


def test_pages_lead_through_everything_once(firm, get):
    for number in range(7):
        firm.publish(str(number))
    firm.relay()
    found, cursor = [], {}
    while True:
        answer = get(after=firm.start, limit=3, **cursor)
        found += subjects(answer)
        if answer.json()["next"] is None:
            break
        cursor = {"cursor": answer.json()["next"]}
    assert found == [str(number) for number in range(7)]


def test_what_the_relay_has_not_seen_is_not_shown(firm, get):
    firm.publish("unpositioned")
    assert subjects(get(after=firm.start)) == []


def test_types_and_accounts_narrow_it(firm, get):
    firm.publish("a")
    firm.publish("b", type="order.filled", account="B")
    firm.publish("c", type="halt.set", scope="tenant")
    firm.relay()
    assert subjects(get(after=firm.start, type="order.*")) == ["a", "b"]
    assert subjects(get(after=firm.start, type="halt.set,order.filled")) == ["b", "c"]
    assert subjects(get(after=firm.start, accounts=["A"])) == ["a", "c"]


def test_the_scope_is_needed(get):
    answer = get(scopes=("marketdata:read",))
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    "query",
    [
        {"after": "-1"},
        {"after": "1e3"},
        {"after": "9" * 30},
        {"limit": "0"},
        {"limit": "501"},
        {"type": "*"},
        {"cursor": "nonsense"},
        {"since": "1"},
    ],
)
def test_bad_parameters_are_422(get, query):
    answer = get(**query)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] in query
