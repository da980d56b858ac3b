"""Who holds a connection, and what the rows of connections and accounts allow."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError

from brokers import services
from brokers.models import BrokerAccount, BrokerConnection, BrokerMessage, Direction
from brokers.selectors import access_account, access_connection, visible_accounts
from common.actor import Actor, ActorKind
from common.errors import NotFound
from events.models import Event
from tenants.binding import tenant_bound
from tests.brokers.conftest import fresh
from trading.vocabulary import Mode

ANNA, BEN = "host:1", "host:2"


def acquire(desk, holder, now):
    return services.acquire_lease(
        schema=desk.schema, connection_id=desk.connection_id, holder=holder, now=now
    )


def actor(desk, *accounts):
    reach = frozenset(accounts) if accounts else None
    return Actor(ActorKind.API_KEY, "1", "k", desk.schema, frozenset({"orders:read"}), None, reach)


class TestLease:
    def test_one_holder_at_a_time_and_a_new_epoch_with_each_holding(self, desk):
        now = desk.market.now
        first = acquire(desk, ANNA, now)
        assert first.epoch == 1
        assert acquire(desk, BEN, now + timedelta(seconds=9)) is None
        taken = acquire(desk, BEN, now + timedelta(seconds=10))
        assert taken.epoch == 2
        assert services.renew_lease(schema=desk.schema, lease=first, now=now) is None

    def test_renewal_prolongs_and_is_refused_once_the_lease_ran_out(self, desk):
        now = desk.market.now
        lease = acquire(desk, ANNA, now)
        renewed = services.renew_lease(
            schema=desk.schema, lease=lease, now=now + timedelta(seconds=9)
        )
        assert renewed.epoch == lease.epoch
        assert acquire(desk, BEN, now + timedelta(seconds=15)) is None
        too_late = now + timedelta(seconds=19)
        assert services.renew_lease(schema=desk.schema, lease=renewed, now=too_late) is None

    def test_a_released_lease_is_free_at_once(self, desk):
        now = desk.market.now
        lease = acquire(desk, ANNA, now)
        assert services.release_lease(schema=desk.schema, lease=lease, now=now)
        assert acquire(desk, BEN, now).epoch == 2
        assert not services.release_lease(schema=desk.schema, lease=lease, now=now)

    def test_an_old_epoch_of_the_same_holder_does_not_count(self, desk):
        lease = acquire(desk, ANNA, desk.market.now)
        stale = replace(lease, epoch=lease.epoch - 1)
        assert services.renew_lease(schema=desk.schema, lease=stale, now=desk.market.now) is None

    def test_who_reaped_a_process_frees_what_it_held(self, desk):
        now = desk.market.now
        dead, alive = fresh("host:"), fresh("host:")
        acquire(desk, dead, now)
        assert services.free_leases_of(schema=desk.schema, holder=alive, now=now) == 0
        assert acquire(desk, alive, now) is None
        assert services.free_leases_of(schema=desk.schema, holder=dead, now=now) == 1
        assert acquire(desk, alive, now).epoch == 2


class TestConnections:
    def told(self, desk, name):
        with tenant_bound(desk.schema):
            events = Event.objects.filter(subject=name).order_by("seq")
            return [event.type for event in events]

    def test_up_and_down_are_told_once_and_the_heartbeat_is_kept(self, desk):
        up, down = BrokerConnection.State.UP, BrokerConnection.State.DOWN
        with tenant_bound(desk.schema):
            name = BrokerConnection.objects.get(pk=desk.connection_id).name
        for turn, state in enumerate((down, up, up, down, down)):
            services.set_connection_state(
                schema=desk.schema,
                connection_id=desk.connection_id,
                state=state,
                now=desk.market.now + timedelta(seconds=turn),
            )
        assert self.told(desk, name) == ["connection.up", "connection.down"]
        with tenant_bound(desk.schema):
            connection = BrokerConnection.objects.get(pk=desk.connection_id)
        assert connection.last_seen_at == desk.market.now + timedelta(seconds=2)
        assert connection.state_since == desk.market.now + timedelta(seconds=3)

    def test_the_mode_is_for_ever(self, desk):
        with pytest.raises(DatabaseError, match="never change"), tenant_bound(desk.schema):
            BrokerAccount.objects.filter(code=desk.account).update(mode=Mode.LIVE)
        with pytest.raises(DatabaseError, match="never change"), tenant_bound(desk.schema):
            BrokerConnection.objects.filter(pk=desk.connection_id).update(mode=Mode.BACKTEST)

    def test_a_paper_connection_cannot_be_live(self, desk):
        with (
            pytest.raises(IntegrityError, match="connection_paper_is_paper"),
            tenant_bound(desk.schema),
        ):
            services.open_connection(name="x", broker="paper", mode=Mode.LIVE, now=desk.market.now)

    def test_codes_name_one_account(self, desk):
        with pytest.raises(services.AccountCodeTaken), tenant_bound(desk.schema):
            services.open_paper_account(
                code=desk.account,
                name="again",
                currency="USD",
                opening_cash=Decimal(1),
                now=desk.market.now,
            )

    def test_real_connections_take_neither_paper_accounts_nor_faults(self, desk):
        with tenant_bound(desk.schema):
            real = BrokerConnection(name="real", broker="ib", mode=Mode.LIVE.value)
            with pytest.raises(services.NotAPaperConnection):
                services.open_paper_account(
                    code="NEW",
                    name="new",
                    currency="USD",
                    opening_cash=Decimal(1),
                    connection=real,
                    now=desk.market.now,
                )

    def test_an_actor_sees_the_accounts_in_its_reach_and_their_connections(self, desk):
        with tenant_bound(desk.schema):
            held = actor(desk, desk.account)
            assert [a.code for a in visible_accounts(held)] == [desk.account]
            assert access_account(held, desk.account).code == desk.account
            with pytest.raises(NotFound):
                access_account(held, desk.other)
            name = BrokerConnection.objects.get(pk=desk.connection_id).name
            assert access_connection(held, name).pk == desk.connection_id
            with pytest.raises(NotFound):
                access_connection(actor(desk, "ELSEWHERE"), name)


class TestMessages:
    def test_messages_are_kept_as_they_came_and_never_edited(self, desk):
        with tenant_bound(desk.schema):
            account = BrokerAccount.objects.get(code=desk.account)
            message = services.store_message(
                account_id=account.pk, direction=Direction.IN, raw=b"\xff\x00{", now=desk.market.now
            )
        assert message.raw == "\\xff\\x00{"
        stored = BrokerMessage.objects.filter(pk=message.pk)
        for edit in (lambda: stored.update(raw=""), stored.delete):
            with pytest.raises(DatabaseError, match="append-only"), tenant_bound(desk.schema):
                edit()
