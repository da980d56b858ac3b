"""Any order at all: nothing of it is lost on its way to the venue, or it is refused by the book."""

from dataclasses import fields, replace
from decimal import Decimal

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from brokers.adapters.base import NewOrder
from brokers.adapters.paper.capabilities import PAPER, PAPER_PLAIN
from oms.gateway.outcomes import request_of
from oms.models import Order
from oms.schemas import OrderIn
from oms.services.protocol import Claimed
from tests.orders_at_random import (
    NOW,
    RULES,
    TOLD,
    as_body,
    broken,
    valid_orders,
    wrong_orders,
)
from trading.orders import wire
from trading.orders.intent import OrderIntent, canonical_json, intent_hash
from trading.orders.placement import Placement, place
from trading.vocabulary import CommandKind


def row_of(intent: OrderIntent) -> Order:
    """The columns an order of this intent is stored in."""
    flags = sorted(set(intent.exec_inst))
    return Order(**{**wire.values(intent, wire.INSTRUCTION), "exec_inst": flags})


def claimed(payload: dict[str, object]) -> Claimed:
    return Claimed(
        id="C", kind=CommandKind.NEW, account_id=1, account_code="main", order_pk="O",
        symbol="SPX", side="BUY", ord_type="LIMIT", order_id=None, cl_ord_id="c",
        venue_cl_ord_id="v", payload=payload, rules=RULES, attempt=1, new_is_open=True,
        sending_at=NOW, valid_until=NOW,
    )  # fmt: skip


@given(valid_orders())
def test_an_order_keeps_everything_on_its_way_to_the_venue(intent):
    assume(not broken(intent))
    body = OrderIn.model_validate(as_body(intent))
    taken = body.to_intent("api")
    assert intent_hash(taken) == intent_hash(intent)
    assert canonical_json(taken) == canonical_json(intent)

    sized = replace(taken, order_qty=taken.order_qty or Decimal(3))
    row = row_of(sized)
    payload = wire.write(row, wire.INSTRUCTION)
    assert payload == wire.write(sized, wire.INSTRUCTION)
    asked = request_of(claimed(payload))
    assert isinstance(asked, NewOrder)
    for name in wire.INSTRUCTION:
        said, meant = getattr(asked, name), getattr(sized, name)
        assert said == (tuple(sorted(meant)) if name == "exec_inst" else meant), name


@settings(max_examples=600)
@given(wrong_orders())
def test_what_is_wrong_has_a_code_that_is_written_down(intent):
    found = broken(intent)
    assert {(error.field, error.code) for error in found} <= TOLD
    assert all(error.message for error in found)
    try:
        OrderIn.model_validate(as_body(intent))
    except ValidationError:
        assert found, "the body is refused for what the rules know as well"


@given(valid_orders(), st.sampled_from([PAPER, PAPER_PLAIN]))
def test_a_valid_order_is_placed_as_the_venue_takes_it_or_names_what_it_lacks(intent, venue):
    assume(not broken(intent))
    placed = place(intent, venue)
    if not isinstance(placed, Placement):
        assert placed
        assert set(placed) <= {field.name for field in fields(intent)}
        return
    told = placed.told(intent)
    assert venue.lacks(told) == ()
    if not placed.synthetic_parts and not placed.protects:
        assert told == intent
    assert intent.allow_synthetic or not placed.synthetic_parts
