"""``manage.py replay --verify`` names the one row in thousands that is not what its history makes.

OMS_TEST_ORDERS says in how many (the nightly run looks for one in 10,000).
"""

import os
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from brokers.models import BrokerAccount
from events.models import Event
from marketdata.models import Instrument
from oms import tasks
from oms.models import Break, Order
from oms.services import proof
from tenants.binding import tenant_bound
from tenants.celery import HEADER
from tests.journeys.cast import utcnow
from tests.oms.bulk import Bulk

ORDERS = int(os.environ.get("OMS_TEST_ORDERS", "100"))
TABLES = (
    "oms_order", "oms_order_event", "oms_execution", "oms_order_version", "portfolio_journalentry",
    "portfolio_journalline", "portfolio_lot", "portfolio_lotclosure",
)  # fmt: skip


pytestmark = pytest.mark.timeout(120 + ORDERS // 4)


@pytest.fixture
def many(desk):
    """The firm bound with many more orders; all of it is undone at the end."""
    with tenant_bound(desk.schema):
        account = BrokerAccount.objects.get(pk=desk.account_id)
        bulk = Bulk(account, Instrument.objects.get(symbol="SPX"), utcnow() - timedelta(hours=1))
        bulk.make(ORDERS)
        yield bulk.write()
        transaction.set_rollback(True)


@contextmanager
def damage(statement: str, *values: object):
    """One row changed behind everybody's back, and put back."""
    sid = transaction.savepoint()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement, values)
        assert cursor.rowcount == 1, statement
    yield
    transaction.savepoint_rollback(sid)


def verify(desk) -> list[str]:
    return [str(item) for item in proof.verify(schema=desk.schema) if item.account == desk.code]


def test_one_tampered_row_among_many_is_found_and_named(desk, many):
    assert verify(desk) == []
    victim = many[len(many) // 2]
    with damage("UPDATE oms_order SET gross_trade_amt = gross_trade_amt + 1 WHERE id = %s", victim):
        (line,) = verify(desk)
    assert line.startswith(f"order {victim} of {desk.code}: gross_trade_amt is ")
    assert verify(desk) == []


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (("UPDATE oms_order_event SET report = jsonb_set(report, '{{last_px}}', '\"1\"')"
         " WHERE order_id = %s AND seq = 3"), "order {order}"),
        ("UPDATE oms_execution SET last_px = 1 WHERE order_id = %s", "order {order}"),
        ("UPDATE oms_execution SET fee = 1 WHERE order_id = %s", "position SPX"),
        ("UPDATE oms_order_version SET state = 'REJECTED' WHERE order_id = %s", "order {order}"),
        ("DELETE FROM oms_order_event WHERE order_id = %s AND seq = 2", "order {order}"),
        (("UPDATE portfolio_lot SET opened_cost = opened_cost + 1, cost = cost + 1 WHERE id ="
         " (SELECT id FROM oms_execution WHERE order_id = %s)"), "lot {execution}"),
        (("UPDATE portfolio_journalline SET amount = amount + 1 WHERE ledger = 'cash'"
         " AND entry_id = (SELECT id FROM portfolio_journalentry WHERE order_id = %s)"),
         "position SPX"),
        ("UPDATE portfolio_journalentry SET ref = 'x' WHERE order_id = %s",
         "execution {execution}"),
    ],
)  # fmt: skip
def test_each_kind_of_row_is_compared(desk, many, statement, named):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.order_id, e.id FROM oms_execution e JOIN portfolio_lot l ON l.id = e.id"
            " WHERE l.qty <> 0 AND e.order_id = ANY(%s) LIMIT 1",
            [many],
        )
        order, execution = cursor.fetchone()
    with damage(statement.replace("{{", "{").replace("}}", "}"), order):
        lines = verify(desk)
    wanted = named.format(order=order, execution=execution)
    assert any(line.startswith(wanted) for line in lines), lines


def test_positions_and_closures_are_compared(desk, many):
    for statement, named in (
        ("UPDATE portfolio_position SET qty = qty + 1 WHERE account_id = %s", "position SPX"),
        (
            (
                "UPDATE portfolio_lotclosure SET proceeds = proceeds + 1 WHERE id ="
                " (SELECT min(c.id) FROM portfolio_lotclosure c"
                " JOIN portfolio_lot l ON l.id = c.lot_id"
                " JOIN portfolio_position p ON p.id = l.position_id WHERE p.account_id = %s)"
            ),
            "closure of lot",
        ),
    ):
        with damage(statement, desk.account_id):
            assert any(line.startswith(named) for line in verify(desk)), statement


def test_the_check_reads_some_hundred_orders_at_a_time(desk, many, monkeypatch):
    monkeypatch.setattr("oms.audit.AT_ONCE", 50)
    monkeypatch.setattr("portfolio.replay.AT_ONCE", 50)
    assert verify(desk) == []


def test_the_command_tells_by_its_exit_status(desk, firms):
    out = StringIO()
    call_command("replay", "--verify", "--tenant", "acme", stdout=out)
    assert out.getvalue().splitlines()[-1] == "acme: every row is what its history makes"
    with pytest.raises(CommandError, match="no firm nobody"):
        call_command("replay", "--verify", "--tenant", "nobody", stdout=out)


def test_the_command_fails_on_a_contradiction(desk, many, monkeypatch):
    with damage("UPDATE oms_order SET text = '', cum_qty = 9, leaves_qty = 0, gross_trade_amt = 5"
                ", ord_status = 'CANCELED' WHERE id = %s", many[0]):  # fmt: skip
        out = StringIO()
        with pytest.raises(CommandError, match="rows contradict"):
            call_command("replay", "--verify", "--tenant", "acme", stdout=out)
    assert f"acme: order {many[0]} of {desk.code}: cum_qty is 9" in out.getvalue()


def test_the_nightly_task_opens_a_break_tells_and_closes_it(desk, many):
    def breaks() -> list[tuple[str, bool]]:
        rows = Break.objects.filter(kind=proof.KIND, account_id=desk.account_id)
        return [(row.subject, row.closed_at is None) for row in rows]

    victim = many[1]
    Order.objects.filter(pk=victim).update(gross_trade_amt=5)
    assert proof.verify_and_tell(schema=desk.schema, now=utcnow()) >= 1
    assert proof.verify_and_tell(schema=desk.schema, now=utcnow()) >= 1
    assert breaks() == [(f"order {victim}", True)]
    told = Event.objects.filter(type="replay.contradicted")
    assert any(victim in line for event in told for line in event.data["first"])
    state = Order.objects.get(pk=victim)
    Order.objects.filter(pk=victim).update(gross_trade_amt=state.cum_qty * (100 + 1))
    assert proof.verify_and_tell(schema=desk.schema, now=utcnow()) == 0
    assert breaks() == [(f"order {victim}", False)]


def test_beat_wakes_every_due_firm(desk, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "claim_due", lambda *_, **__: ["t_acme", "t_globex"])
    monkeypatch.setattr(tasks, "send", lambda task, schema: sent.append((task, schema)))
    tasks.verify_replay()
    assert sent == [
        (tasks.verify_replay_of_firm, "t_acme"),
        (tasks.verify_replay_of_firm, "t_globex"),
    ]
    found = tasks.verify_replay_of_firm.apply(headers={HEADER: desk.schema}).get()
    assert found == 0
