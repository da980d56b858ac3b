"""Cancel and replace in every state: the table of requests, row by row."""

from dataclasses import replace

import pytest
from order_life import E, asked, dec, order, report, run, trade

from trading.orders.requests import (
    Action,
    Decision,
    VenueAbility,
    cancel_decision,
    replace_decision,
    replace_errors,
)
from trading.orders.state import OrderState
from trading.vocabulary import CommandState, TimeInForce

C = CommandState
A = Action


def conflict(reason: str) -> Decision:
    return Decision(A.REFUSE, "state_conflict", reason)


WORKING = run(order(10), report(E.NEW, 1))
STATES: dict[str, OrderState] = {
    "new": WORKING,
    "partly": run(WORKING, trade("a", 4, seq=2)),
    "stopped": run(WORKING, report(E.STOPPED, 2, last_qty=1, last_px=1)),
    "done_gtc": run(order(10, TimeInForce.GTC), report(E.NEW, 1), report(E.DONE_FOR_DAY, 2)),
    "done_day": run(WORKING, report(E.DONE_FOR_DAY, 2)),
    "suspended": run(WORKING, report(E.SUSPENDED, 2)),
    "pending_cancel": run(WORKING, report(E.PENDING_CANCEL, 2, cl_ord_id="C1")),
    "pending_replace": run(asked(WORKING, "R1", 8), report(E.PENDING_REPLACE, 2, cl_ord_id="R1")),
    "filled": run(WORKING, trade("a", 10, seq=2)),
    "canceled": run(WORKING, report(E.CANCELED, 2)),
    "expired": run(WORKING, report(E.EXPIRED, 2)),
    "rejected": run(order(10), report(E.REJECTED, 2)),
}


@pytest.mark.parametrize(
    ("name", "cancel", "change"),
    [
        ("new", Decision(A.QUEUE), Decision(A.QUEUE)),
        ("partly", Decision(A.QUEUE), Decision(A.QUEUE)),
        ("stopped", Decision(A.QUEUE), Decision(A.QUEUE)),
        ("done_gtc", Decision(A.QUEUE), Decision(A.QUEUE)),
        ("done_day", conflict("done_for_day"), conflict("done_for_day")),
        (
            "suspended",
            Decision(A.QUEUE),
            Decision(A.REFUSE, "unsupported_by_venue", "unsupported_by_venue"),
        ),
        ("pending_cancel", Decision(A.REPEAT), conflict("cancel_pending")),
        ("pending_replace", Decision(A.QUEUE), conflict("replace_pending")),
        ("filled", conflict("already_filled"), conflict("already_filled")),
        ("canceled", conflict("already_canceled"), conflict("already_canceled")),
        ("expired", conflict("already_expired"), conflict("already_expired")),
        ("rejected", conflict("already_rejected"), conflict("already_rejected")),
    ],
)
def test_requests_by_status(name: str, cancel: Decision, change: Decision) -> None:
    assert cancel_decision(STATES[name], C.ACKED) == cancel
    assert replace_decision(STATES[name], C.ACKED) == change


@pytest.mark.parametrize(
    ("command", "cancel", "change"),
    [
        (C.QUEUED, Decision(A.WITHDRAW), Decision(A.IN_PLACE)),
        (C.SENDING, Decision(A.QUEUE), conflict("not_yet_acknowledged")),
        (C.UNKNOWN, Decision(A.QUEUE), conflict("unknown_outcome")),
        (C.ACKED, Decision(A.QUEUE), conflict("not_yet_acknowledged")),
        (C.REFUSED, conflict("already_rejected"), conflict("already_rejected")),
    ],
)
def test_requests_before_evidence(command: C, cancel: Decision, change: Decision) -> None:
    assert cancel_decision(order(10), command) == cancel
    assert replace_decision(order(10), command) == change


def test_orders_we_hold_are_changed_here_alone() -> None:
    for name in ("new", "suspended"):
        held = STATES[name]
        assert cancel_decision(held, None, held_by_oms=True).action is A.WITHDRAW
        assert replace_decision(held, None, held_by_oms=True).action is A.IN_PLACE
    sent = cancel_decision(STATES["new"], C.SENDING, held_by_oms=True)
    assert sent.action is A.QUEUE


def test_venue_abilities() -> None:
    pending = STATES["pending_replace"]
    slow = VenueAbility(cancel_during_replace=False)
    assert cancel_decision(pending, C.ACKED, ability=slow).action is A.WAIT
    many = VenueAbility(pipelined_replaces=True, replace_filled=True, replace_suspended=True)
    for name in ("pending_replace", "filled", "suspended"):
        assert replace_decision(STATES[name], C.ACKED, ability=many).action is A.QUEUE
    none = VenueAbility(cancel_external=False)
    refused = cancel_decision(WORKING, None, external=True, ability=none)
    assert refused.code == "unsupported_by_venue"
    assert cancel_decision(WORKING, None, external=True).action is A.QUEUE


def test_orders_others_manage() -> None:
    assert replace_decision(WORKING, C.ACKED, external=True) == conflict("external_order")
    assert replace_decision(WORKING, C.ACKED, managed_by_parent=True) == conflict(
        "managed_by_parent"
    )


def test_cancel_queued_but_not_sent_blocks_a_replace() -> None:
    assert replace_decision(WORKING, C.ACKED, cancel_open=True) == conflict("cancel_pending")


def test_new_terms_against_the_order() -> None:
    partly = STATES["partly"]
    below = replace_errors(partly, replace(partly.terms, order_qty=dec(3)))
    assert [(e.field, e.code) for e in below] == [("order_qty", "below_cum_qty")]
    assert replace_errors(partly, replace(partly.terms, order_qty=dec(4))) == []
    same = replace_errors(partly, replace(partly.terms, order_qty=dec("10.0")))
    assert [e.code for e in same] == ["no_change"]


def test_an_order_may_be_amended_1295_times() -> None:
    last = WORKING.versions[0]._replace(number=1295)
    worn = replace(WORKING, versions=(last,))
    assert replace_decision(worn, C.ACKED).code == "too_many_amends"
    assert replace_decision(
        replace(WORKING, versions=(last._replace(number=1294),)), C.ACKED
    ) == Decision(A.QUEUE)
