"""A halt ends everything under it, and goes on until the venue proves that nothing works."""

from datetime import timedelta

import pytest

from events.models import Event
from oms.models import Break, Command
from tenants.binding import tenant_bound
from tests.journeys.cast import until, utcnow

LIMIT = {"price": "950.00", "tif": "GTC"}


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The loop of the kill switch in tenths of its times."""
    monkeypatch.setattr("oms.gateway.kill.EVERY_S", 0.2)
    monkeypatch.setattr("oms.services.kill.FIRST_ASKED", timedelta(0))


@pytest.fixture
def told_empty(desk):
    return lambda halt_id: desk.rows(Event, type="halt.empty", subject=halt_id)


@pytest.fixture
def queued(idle_gateway, alice, desk):
    """An order the gateway will not send before tomorrow."""
    order_id = alice.placed("BUY", "9", **LIMIT)
    tomorrow = utcnow() + timedelta(days=1)
    with tenant_bound(desk.schema):
        Command.objects.filter(order_id=order_id).update(not_before=tomorrow, expires_at=tomorrow)
    return order_id


def test_row_86_a_kill_switch_ends_queued_working_and_unknown_orders_and_asks_until_it_is_proved(
    queued, idle_gateway, impatient, fault, halt, monkeypatch, alice, desk, told_empty
):
    monkeypatch.setattr("oms.services.kill.ALARM_AFTER", timedelta(seconds=1))
    idle_gateway.start()
    working = alice.placed("BUY", "10", **LIMIT)
    lost = alice.placed("BUY", "11", **LIMIT)
    for order_id in (working, lost):
        alice.until_status(order_id, "NEW")
    fault("silent")
    fault("lose_ack", command="NEW")
    unknown = alice.placed("BUY", "12", **LIMIT)
    alice.until_unknown(unknown)
    fault("cancel_lost", times=2)

    halt_id = halt()
    assert alice.until_final(queued)["text"] == "withdrawn before it was sent"
    (command,) = desk.rows(Command, order_id=queued, kind="NEW")
    assert (command.state, command.outcome_code, command.attempt) == ("REFUSED", "withdrawn", 0)
    # the venue answers no question, so that nothing proves anything: people are told which
    until(lambda: desk.rows(Break, kind="KILL_INCOMPLETE", subject=halt_id), "there is an alarm")
    assert told_empty(halt_id) == []

    fault("silent", times=0)
    for order_id in (working, lost, unknown):
        order = alice.until_final(order_id)
        assert (order["ord_status"], order["cum_qty"]) == ("CANCELED", "0")
    until(lambda: told_empty(halt_id), "the venue has proved empty")
    (row,) = desk.rows(Break, kind="KILL_INCOMPLETE", subject=halt_id)
    assert row.resolution == "the venue proved empty"
    sent = {(order.venue_cl_ord_id, order.is_working) for order in desk.at_venue()}
    assert sent == {(working, False), (lost, False), (unknown, False)}


def test_row_86_an_alarm_names_what_is_left_and_a_lifted_halt_ends_it(
    gateway, impatient, fault, halt, lift, monkeypatch, alice, desk, told_empty
):
    monkeypatch.setattr("oms.services.kill.ALARM_AFTER", timedelta(0))
    fault("silent")
    fault("lose_ack", command="NEW")
    unknown = alice.placed("BUY", "12", id="stuck", **LIMIT)
    alice.until_unknown(unknown)
    fault("cancel_lost", times=1000)
    halt_id = halt()

    def alarms():
        return desk.rows(Break, kind="KILL_INCOMPLETE", subject=halt_id)

    until(alarms, "there is an alarm")
    assert "stuck" in alarms()[0].detail
    shown = alice.get(f"/breaks?account={desk.code}").json["items"]
    assert [row["subject"] for row in shown] == [halt_id]
    lift(halt_id)
    until(lambda: alarms()[0].closed_at, "the alarm is over")
    assert alarms()[0].resolution == "the halt was lifted"
    assert told_empty(halt_id) == []
    fault("cancel_lost", times=0)
    fault("silent", times=0)
    assert alice.until_final(unknown)["ord_status"] == "CANCELED"
