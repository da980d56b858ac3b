"""Whatever order comes, the door takes it whole or refuses it by the book, and never breaks."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from hypothesis import HealthCheck, event, given, settings

from brokers.adapters.paper.capabilities import PAPER
from oms.models import Command
from tests.orders_at_random import TOLD, as_body, valid_orders, wrong_orders
from trading.orders import wire
from trading.orders.placement import Placement, place

UNFIELDED = {"no_reference_price", "risk_rejected"}
"""Refusals that are no field's."""
INSTANTS, FLAGS = {"expire_time"}, {"exec_inst"}
NOT_SHOWN = {"allow_synthetic", "when_closed", "allow_duplicate"}


def shown_as(name: str, value: object) -> object:
    """A value of a body as the order shows it, in a form to compare."""
    if name in INSTANTS:
        return datetime.fromisoformat(str(value))
    if name in FLAGS:
        return sorted(value)
    number = isinstance(value, str) and value.replace(".", "").isdigit()
    return Decimal(value) if number else value


def check_taken(desk, intent, body, order) -> None:
    """Nothing asked for is lost: not in the answer, not in what the venue is told."""
    for name in body.keys() - NOT_SHOWN - {"account"}:
        if name != "stop_px" or "trail_type" not in body:  # a trail has moved its own already
            assert shown_as(name, order[name]) == shown_as(name, body[name]), name
    commands = desk.rows(Command, order_id=order["id"])
    placed = place(intent, PAPER)
    assert isinstance(placed, Placement)
    assert len(commands) == (not placed.keeps_trigger)
    if commands and not placed.protects:
        told = placed.told(replace(intent, order_qty=Decimal(order["order_qty"])))
        assert commands[0].payload == wire.write(told, wire.INSTRUCTION)


def check_refused(answer, shown) -> None:
    """A refusal is one of the book, and a preview says the same."""
    assert answer.status == 422, answer.text
    if answer.code not in UNFIELDED:
        assert {(row["field"], row["code"]) for row in answer.json["errors"]} <= TOLD, answer.text
    known = shown.json["refusal"]["code"] if shown.status == 200 else shown.code
    assert known == answer.code


@settings(
    max_examples=150, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(valid_orders() | wrong_orders())
def test_an_order_is_taken_whole_or_refused_by_the_book(market, alice, desk, intent):
    market.again()
    body = as_body(intent) | {"account": desk.code, "allow_duplicate": True}
    shown, answer = alice.post("/orders/preview", body), alice.post("/orders", body)
    event("taken" if answer.status == 201 else answer.code)
    if answer.status == 201:
        assert shown.json["would_be_accepted"] is True
        check_taken(desk, intent, body, answer.json)
    else:
        check_refused(answer, shown)
