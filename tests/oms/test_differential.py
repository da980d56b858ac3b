"""The same schedules over the pure core and through the services on Postgres end alike.

OMS_TEST_DIFFERENTIAL says how many (the nightly run takes 5,000), OMS_TEST_SEED from which on.
"""

import os

import pytest
from django.db import connection, transaction

from brokers.services import acquire_lease
from common.actor import Actor, ActorKind
from oms.audit import executed_quantities, order_problems
from portfolio.audit import check_books
from tenants.binding import tenant_bound
from tests.journeys.cast import utcnow
from tests.reliability.schedule import make
from tests.reliability.stored import Stored
from tests.reliability.world import World

COUNT = int(os.environ.get("OMS_TEST_DIFFERENTIAL", "5"))
SEED = int(os.environ.get("OMS_TEST_SEED", "1"))
ALL = frozenset({"orders:write", "orders:read"})

pytestmark = pytest.mark.timeout(300 + COUNT * 20)


@pytest.fixture
def stored(desk, market):
    """A fresh player for the desk's account; what it stores is undone after each schedule."""
    lease = acquire_lease(
        schema=desk.schema, connection_id=desk.connection_id, holder="here", now=utcnow()
    )
    actor = Actor(ActorKind.USER, "1", "tina", desk.schema, ALL)

    def show(now) -> None:
        market.show("1020.00", "1021.00", at=now)

    return lambda: Stored(actor, desk.code, desk.account_id, lease.epoch, show)


def test_the_same_schedules_are_stored_as_the_core_decides_them(desk, stored) -> None:
    for seed in range(SEED, SEED + COUNT):
        world = World(make(seed))
        world.desk.commits = []
        world.play_all()
        with tenant_bound(desk.schema):
            player = stored()
            player.play(world.desk)
            differences = player.differences(world.desk)
            problems = order_problems([desk.code]) + check_books(executed_quantities())
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            transaction.set_rollback(True)
        assert differences == [], f"seed {seed}\n" + "\n".join(differences)
        assert problems == [], f"seed {seed}"
