"""Who may see which event: the filter for Postgres and the predicate of the stream agree."""

import itertools

import pytest

from common.actor import Actor, ActorKind
from common.errors import Invalid
from events.chain import event_json
from events.models import Event
from events.selectors import visible_events
from events.visibility import is_visible, type_matches, type_patterns
from tenants.binding import tenant_bound

EVENTS = [
    ("order.new", {"account": "A"}),
    ("order.new", {"account": "B"}),
    ("order.new", {"account": None}),
    ("order.new", {}),
    ("position.changed", {"account": "A"}),
    ("halt.set", {"scope": "tenant", "target": None}),
    ("halt.set", {"scope": "account", "target": "A"}),
    ("halt.set", {"scope": "account", "target": "B"}),
    ("halt.lifted", {"scope": "instrument", "target": "SPX"}),
    ("connection.down", {"name": "paper"}),
    ("break.opened", {"account": "B"}),
    ("webhook.failed", {"id": "1"}),
]


def actor(*scopes: str, accounts: tuple[str, ...] | None = None) -> Actor:
    reach = None if accounts is None else frozenset(accounts)
    return Actor(ActorKind.API_KEY, "1", "k", "t", frozenset(scopes), accounts=reach)


@pytest.fixture
def published(firm):
    for number, (type_, data) in enumerate(EVENTS):
        with tenant_bound(firm.schema):
            from events.services import publish
            from tests.events.conftest import NOW

            publish(type=type_, subject=str(number), data=data, actor="t", now=NOW)
    firm.relay()
    return firm


def seen(firm, who: Actor) -> list[int]:
    with tenant_bound(firm.schema):
        rows = visible_events(actor=who, after=firm.start).order_by("position")
        return [int(row.subject) for row in rows]


def test_a_key_of_one_account_sees_that_account_and_what_concerns_the_firm(published):
    who = actor("orders:read", "positions:read", accounts=("A",))
    assert seen(published, who) == [0, 4, 5, 6, 8, 9]


def test_without_the_books_scope_there_are_no_events_of_the_books(published):
    assert 4 not in seen(published, actor("orders:read"))
    assert len(seen(published, actor("orders:read"))) == len(EVENTS) - 1


@pytest.mark.parametrize(
    ("scopes", "accounts"),
    list(
        itertools.product(
            [("orders:read",), ("orders:read", "positions:read")], [None, (), ("A",), ("A", "B")]
        )
    ),
)
def test_stream_and_list_show_the_same(published, scopes, accounts):
    who = actor(*scopes, accounts=accounts)
    with tenant_bound(published.schema):
        rows = list(Event.objects.filter(position__gt=published.start).order_by("position"))
    by_predicate = [int(row.subject) for row in rows if is_visible(who, event_json(row))]
    assert by_predicate == seen(published, who)


def test_types_are_exact_or_a_group(published):
    who = actor("orders:read")
    with tenant_bound(published.schema):
        found = visible_events(
            actor=who, after=published.start, types=type_patterns("halt.*,break.opened")
        )
        kinds = sorted(set(found.values_list("type", flat=True)))
    assert kinds == ["break.opened", "halt.lifted", "halt.set"]
    assert type_matches(("order.*",), "order.new")
    assert not type_matches(("order.*",), "orders.new")


@pytest.mark.parametrize("text", ["order.", "*", "order.new,", "Order.new", "a" * 5 + "'", ".*"])
def test_what_is_no_type_is_refused(text):
    with pytest.raises(Invalid):
        type_patterns(text)
