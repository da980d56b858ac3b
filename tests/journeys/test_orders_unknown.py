"""Silence: what the system does not know it calls unknown, and only evidence ends it."""

import pytest

from brokers.models import BrokerMessage
from brokers.services import acquire_lease, free_leases_of
from oms.models import Command, Order, ReconciliationRun
from oms.services.protocol import claim_next
from tenants.binding import tenant_bound
from tests.journeys.cast import utcnow

LIMIT = {"price": "950.00", "tif": "GTC"}


@pytest.fixture
def fault(program, desk):
    """Make the desk's venue misbehave."""

    def _fault(switch, **more):
        body = {"switch": switch, "times": 1} | more
        answer = program.post(f"/connections/{desk.connection}/faults", body)
        assert answer.status == 200, answer.text

    return _fault


def test_a_cancel_of_an_order_in_the_queue_ends_it_at_once(idle_gateway, alice, desk):
    order_id = alice.placed("BUY", "10")
    answer = alice.cancel(order_id)
    assert (answer.status, answer.json["ord_status"]) == (202, "CANCELED")
    assert answer.json["pending"] == []
    (command,) = desk.rows(Command, order_id=order_id)
    assert (command.kind, command.state, command.outcome_code) == ("NEW", "REFUSED", "withdrawn")
    idle_gateway.start()
    assert desk.at_venue() == []
    assert alice.words(order_id) == ["PENDING_NEW", "CANCELED"]


def test_a_replace_of_an_order_in_the_queue_changes_it_before_it_is_sent(idle_gateway, alice, desk):
    order_id = alice.placed("BUY", "10", id="one", **LIMIT)
    answer = alice.replace(order_id, order_qty="7", cl_ord_id="two")
    assert (answer.status, answer.json["order_qty"], answer.json["cl_ord_id"]) == (202, "7", "two")
    idle_gateway.start()
    alice.until_status(order_id, "NEW")
    (order,) = desk.at_venue()
    assert order.order_qty == 7


def test_a_venue_that_answers_no_question_leaves_an_order_unknown_until_it_speaks(
    gateway, impatient, fault, alice, desk
):
    fault("silent")
    fault("lose_ack")
    order_id = alice.placed("BUY", "10")
    alice.until_unknown(order_id)
    looked = lambda: desk.rows(Command, order_id=order_id)[0].evidence  # noqa: E731
    alice.until(order_id, lambda _: len(looked()) >= 3)
    gateway.reconcile(desk)
    assert {(row["found"], row["complete"]) for row in looked()} == {(False, False)}
    order = alice.order(order_id)
    assert (order["ord_status"], order["pending"][0]["state"]) == ("PENDING_NEW", "UNKNOWN")
    assert alice.get(f"/breaks?account={desk.code}").json["items"] == [], (
        "an incomplete page proves no difference"
    )
    (run, *_) = desk.rows(ReconciliationRun, account_id=desk.account_id)[::-1]
    assert run.complete is False
    fault("silent", times=0)
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "10")
    assert len(desk.at_venue()) == len(alice.executions(order_id)) == 1


def test_a_lost_answer_is_unknown_then_found_filled_exactly_once(gateway, fault, alice, desk):
    fault("lose_ack")
    order_id = alice.placed("BUY", "10")
    order = alice.until_unknown(order_id)
    assert (order["ord_status"], order["leaves_qty"]) == ("PENDING_NEW", "10")
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "10")
    assert len(desk.at_venue()) == len(alice.executions(order_id)) == 1
    (command,) = desk.rows(Command, order_id=order_id)
    assert (command.state, command.attempt) == ("ACKED", 1)
    assert [row["found"] for row in command.evidence] == [True]


def test_while_the_outcome_is_unknown_a_cancel_waits_and_a_replace_is_refused(
    gateway, fault, alice, desk
):
    fault("lose_ack")
    order_id = alice.placed(**LIMIT)
    alice.until_unknown(order_id)
    gateway.stop()
    refused = alice.replace(order_id, order_qty="1")
    assert (refused.status, refused.code, refused.inner) == (
        409,
        "state_conflict",
        "unknown_outcome",
    )
    answer = alice.cancel(order_id)
    assert (answer.status, answer.json["ord_status"]) == (202, "PENDING_NEW")
    assert [(c["kind"], c["state"]) for c in answer.json["pending"]] == [
        ("NEW", "UNKNOWN"),
        ("CANCEL", "QUEUED"),
    ]
    assert alice.cancel(order_id).status == 200
    gateway.start()
    assert alice.until_final(order_id)["ord_status"] == "CANCELED"
    assert desk.venue_words() == ["NEW", "CANCELED"]


def test_an_order_lost_on_the_way_is_sent_again_under_the_same_id(
    gateway, impatient, fault, alice, desk
):
    fault("drop_before_read")
    order_id = alice.placed(**LIMIT)
    alice.until_unknown(order_id)
    alice.until_status(order_id, "NEW")
    (order,) = desk.at_venue()
    assert order.venue_cl_ord_id == order_id
    (command,) = desk.rows(Command, order_id=order_id)
    assert (command.state, command.attempt) == ("ACKED", 2)
    assert not any(row["found"] for row in command.evidence)
    assert alice.words(order_id) == ["PENDING_NEW", "NEW"]


def test_an_order_lost_on_the_way_that_may_not_go_again_is_proved_absent(
    gateway, impatient, fault, program, alice, desk
):
    fault("drop_before_read")
    order_id = alice.placed(**LIMIT)
    alice.until_unknown(order_id)
    halt = {"scope": "account", "target": desk.code, "state": "HALTED", "reason": "drill"}
    assert program.post("/risk/halts", halt).status == 201
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["ord_rej_reason"]) == ("REJECTED", "NOT_RECEIVED")
    assert desk.at_venue() == []
    (command,) = desk.rows(Command, order_id=order_id, kind="NEW")
    assert (command.state, command.attempt) == ("REFUSED", 1)
    blind = [row for row in command.evidence if row["complete"] and not row["found"]]
    assert len(blind) >= 2
    (balance,) = alice.get(f"/balances?account={desk.code}").json["items"]
    assert balance["reserved"] == "0"


def test_a_gateway_killed_between_commit_and_send_makes_no_second_order(
    idle_gateway, impatient, market, alice, desk
):
    order_id = alice.placed("BUY", "10", **LIMIT)
    _die_while_sending(desk)
    assert [c["state"] for c in alice.order(order_id)["pending"]] == ["SENDING"]
    idle_gateway.start()
    alice.until_status(order_id, "NEW")
    (order,) = desk.at_venue()
    assert order.venue_cl_ord_id == order_id
    (command,) = desk.rows(Command, order_id=order_id)
    assert command.attempt == 2


def test_a_gateway_killed_after_the_send_finds_its_order(gateway, fault, alice, desk):
    """The venue has the order, nobody here heard: the next gateway asks before it sends."""
    fault("lose_ack")
    order_id = alice.placed("BUY", "10")
    alice.until_unknown(order_id)
    gateway.stop()
    gateway.start()
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["cum_qty"]) == ("FILLED", "10")
    assert len(desk.at_venue()) == 1


def test_an_order_is_queued_while_no_gateway_runs_and_sent_once_when_one_does(
    idle_gateway, market, alice, desk
):
    order_id = alice.placed("BUY", "10")
    idle_gateway.start()
    assert alice.until_final(order_id)["ord_status"] == "FILLED"
    assert len(desk.at_venue()) == 1


def test_an_order_that_waited_too_long_is_not_sent(idle_gateway, market, alice, desk):
    order_id = alice.placed("BUY", "10")
    with tenant_bound(desk.schema):
        Command.objects.filter(order_id=order_id).update(expires_at=utcnow())
    idle_gateway.start()
    order = alice.until_final(order_id)
    assert (order["ord_status"], order["ord_rej_reason"]) == ("REJECTED", "NOT_SENT")
    assert order["text"] == "queue_expired"
    assert desk.at_venue() == []


@pytest.mark.parametrize("switch", ["cancel_lost", "lose_ack", "drop_before_read"])
def test_a_lost_cancel_is_repeated_until_the_venue_answers(
    gateway, impatient, fault, alice, desk, switch
):
    order_id = alice.placed(**LIMIT)
    alice.until_status(order_id, "NEW")
    fault(switch, command="CANCEL")
    assert alice.cancel(order_id).status == 202
    order = alice.until_unknown(order_id)
    assert order["ord_status"] == "PENDING_CANCEL"
    assert alice.until_final(order_id)["ord_status"] == "CANCELED"
    assert desk.venue_words() == ["NEW", "CANCELED"]


@pytest.mark.parametrize("switch", ["lose_ack", "drop_before_read"])
def test_a_lost_replace_takes_effect_once(gateway, impatient, fault, alice, desk, switch):
    order_id = alice.placed("BUY", "10", id="old", **LIMIT)
    alice.until_status(order_id, "NEW")
    fault(switch, command="REPLACE")
    assert alice.replace(order_id, order_qty="7", cl_ord_id="new").status == 202
    assert alice.until_unknown(order_id)["ord_status"] == "PENDING_REPLACE"
    order = alice.until_status(order_id, "NEW")
    assert (order["order_qty"], order["cl_ord_id"]) == ("7", "new")
    assert desk.venue_words() == ["NEW", "REPLACED"]


def test_a_fill_told_twice_is_booked_once(gateway, fault, alice, desk):
    fault("duplicate_fill")
    order_id = alice.placed("BUY", "10")
    alice.until_final(order_id)
    gateway.stop()
    told = [
        row for row in desk.rows(BrokerMessage, account_id=desk.account_id) if "TRADE" in row.raw
    ]
    assert len(told) == 2
    assert alice.executions(order_id) == [("10", "1000.5")]
    assert alice.words(order_id) == ["PENDING_NEW", "NEW", "TRADE"]


def test_a_cancel_before_the_venue_has_answered_ends_in_one_way(gateway, fault, alice, desk):
    fault("delay_ack", delay_ms=400)
    order_id = alice.placed(**LIMIT)
    alice.until(order_id, lambda o: o["pending"] and o["pending"][0]["state"] == "SENDING")
    refused = alice.replace(order_id, order_qty="1")
    assert (refused.status, refused.inner) == (409, "not_yet_acknowledged")
    assert alice.cancel(order_id).status == 202
    assert alice.until_final(order_id)["ord_status"] == "CANCELED"
    endings = [word for word in alice.words(order_id) if word in {"CANCELED", "TRADE", "REJECTED"}]
    assert endings == ["CANCELED"]


def test_a_cancel_that_crosses_the_fill_loses(gateway, market, alice, desk):
    order_id = alice.placed("BUY", "10", **LIMIT)
    alice.until_status(order_id, "NEW")
    gateway.stop()
    assert alice.cancel(order_id).status == 202
    market.show("940.00", "941.00")
    gateway.start()
    # The fill may be known a moment before the venue's answer to the cancel is.
    order = alice.until(
        order_id, lambda o: o["ord_status"] in {"FILLED", "CANCELED"} and not o["pending"]
    )
    ending = {"FILLED": "10", "CANCELED": "0"}
    assert order["cum_qty"] == ending[order["ord_status"]]


def _die_while_sending(desk) -> None:
    """What a gateway leaves that is killed after it committed SENDING and before it sent."""
    where = {"schema": desk.schema, "connection_id": desk.connection_id}
    lease = acquire_lease(**where, holder="killed", now=utcnow())
    assert lease is not None
    claimed = claim_next(**where, account_id=desk.account_id, epoch=lease.epoch, now=utcnow())
    assert claimed is not None
    free_leases_of(schema=desk.schema, holder="killed", now=utcnow())
    (order,) = desk.rows(Order, pk=claimed.order_pk)
    assert order.ord_status == "PENDING_NEW"
