"""The cast of the journeys serves here too; what must hold after them holds after these."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from marketdata.models import Instrument
from tests.journeys.cast import (
    acme,
    alice,
    bob,
    charlie,
    db,
    desk,
    everything_adds_up,
    firms,
    globex,
    other_desk,
    program,
)
from tests.journeys.street import gateway, idle_gateway, impatient, market
from tests.portal.conftest import at_desk, window

__all__ = [
    "acme",
    "alice",
    "at_desk",
    "bob",
    "charlie",
    "db",
    "desk",
    "everything_adds_up",
    "firms",
    "gateway",
    "globex",
    "idle_gateway",
    "impatient",
    "market",
    "other_desk",
    "program",
    "window",
]


@pytest.fixture(autouse=True)
def _everything_adds_up(everything_adds_up) -> None:
    """Whatever a test did to orders and books, they hold afterwards."""


@pytest.fixture
def fault(program, desk):
    """Make the desk's venue misbehave."""

    def _fault(switch, **more):
        body = {"switch": switch, "times": 1} | more
        answer = program.post(f"/connections/{desk.connection}/faults", body)
        assert answer.status == 200, answer.text

    return _fault


@pytest.fixture
def halt(program, desk):
    """Halt the desk's account; returns the id of the halt."""

    def _halt(state="HALTED", **scope):
        body = {"scope": "account", "target": desk.code, "state": state, "reason": "drill"} | scope
        answer = program.post("/risk/halts", body)
        assert answer.status == 201, answer.text
        return answer.json["id"]

    return _halt


@pytest.fixture
def lift(program):
    """Lift a halt by its id."""

    def _lift(halt_id):
        answer = program.post(f"/risk/halts/{halt_id}/lift", {"reason": "drill over"})
        assert answer.status == 200, answer.text

    return _lift


@pytest.fixture
def limit(program, desk):
    """Set a limit of the desk's account."""

    def _limit(rule, value):
        body = {"scope": "account", "target": desk.code, "rule": rule, "value": str(value)}
        answer = program.call("PUT", "/risk/limits", body)
        assert answer.status == 200, answer.text

    return _limit


@pytest.fixture
def exchange_hours(db):
    """SPX trades in the sessions of its exchange, as what is not replayed does."""
    spx = Instrument.objects.filter(symbol="SPX")
    replay = spx.values_list("feed", flat=True).get()
    spx.update(feed="exchange")
    yield
    spx.update(feed=replay)


@pytest.fixture
def at_the_exchange(monkeypatch, market):
    """The order door's clock at a wall-clock time of New York, with prices of that moment."""

    def _at(text: str) -> datetime:
        moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York"))
        monkeypatch.setattr("oms.api.now", lambda: moment)
        market.show("999.50", "1000.50", at=moment)
        return moment

    return _at


class FullDisk:
    """Postgres refuses at commit whatever follows from a venue's answer, while it is full."""

    def __init__(self, schema: str) -> None:
        self.function = f'"{schema}".commit_fails()'
        self.tables = {
            f'"{schema}".oms_order_event': ("INSERT", "NEW.exec_type <> 'PENDING_NEW'"),
            f'"{schema}".oms_command': ("UPDATE", "NEW.state IN ('ACKED', 'REFUSED')"),
        }

    def fill(self) -> None:
        """From now on commits fail."""
        triggers = (
            f"CREATE CONSTRAINT TRIGGER commit_fails AFTER {change} ON {table} DEFERRABLE"
            f" INITIALLY DEFERRED FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {self.function}"
            for table, (change, when) in self.tables.items()
        )
        self._run(
            f"CREATE FUNCTION {self.function} RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE EXCEPTION 'the disk is full' USING ERRCODE = '53100'; END $$",
            *triggers,
        )

    def clear(self) -> None:
        """Commits succeed again."""
        drops = (f"DROP TRIGGER IF EXISTS commit_fails ON {table}" for table in self.tables)
        self._run(*drops, f"DROP FUNCTION IF EXISTS {self.function}")

    @staticmethod
    def _run(*statements: str) -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@pytest.fixture
def disk(desk):
    """The disk under the firm's schema, which can be full."""
    disk = FullDisk(desk.schema)
    yield disk
    disk.clear()
