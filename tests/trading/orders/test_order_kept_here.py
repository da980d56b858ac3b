"""Orders this system keeps: acknowledged by us alone, moved by a trail, released, ended by us."""

from datetime import timedelta

import pytest

from tests.trading.orders.order_life import ID, START, E, S, dec, order, report, run, trade
from trading.orders.fold import apply
from trading.orders.ids import expiry_id, is_expiry_id, is_reserved_cl_ord_id
from trading.orders.requests import Action, cancel_decision, replace_decision
from trading.orders.state import OrderState, Terms, facts_json, new_state, state_from
from trading.protocol import outcome_by_state
from trading.vocabulary import CommandKind, CommandState, ReportSource, TimeInForce

LOCAL = {"source": ReportSource.LOCAL}
C = CommandState


def kept(**fields: object) -> OrderState:
    """A stop we keep: accepted, and said to be new by nobody but us."""
    return run(order(10, TimeInForce.GTC), report(E.NEW, at=1, **LOCAL, **fields))


def trailing() -> OrderState:
    terms = Terms(dec(10), stop_px=dec(90), time_in_force=TimeInForce.GTC, trail_offset=dec(5))
    state = new_state(ID, "X", terms)
    return run(state, report(E.NEW, at=1, anchor_px=dec(100), stop_px=95, **LOCAL))


def fired(state: OrderState, **fields: object) -> OrderState:
    return run(state, report(E.TRIGGERED, at=2, **LOCAL, **fields))


def new_outcome(state: OrderState, word=E.PENDING_CANCEL):
    return outcome_by_state(CommandKind.NEW, C.SENDING, "X", state, word)


def test_our_own_word_is_no_evidence_that_a_venue_has_the_order():
    state = fired(kept())
    assert (state.ord_status, state.triggered, state.unseen) == (S.NEW, True, True)
    assert new_outcome(state) is None
    pending = run(state, report(E.PENDING_CANCEL, at=3, cl_ord_id="C", **LOCAL))
    assert new_outcome(pending) is None


@pytest.mark.parametrize(
    "word",
    [
        report(E.NEW, 3, order_id="V1"),
        report(E.ORDER_STATUS, 3, ord_status=S.NEW, cum_qty=0, source=ReportSource.RECON),
        trade("t1", 4, seq=3),
        report(E.SUSPENDED, 3),
    ],
    ids=["acknowledged", "found by a look-up", "filled", "suspended there"],
)
def test_the_venues_word_is(word):
    state = run(fired(kept()), word)
    assert not state.unseen
    assert new_outcome(state).state is C.ACKED


def test_an_order_the_venue_knew_first_is_never_ours_alone():
    seen = run(order(), report(E.NEW, 1, order_id="V1"), report(E.TRIGGERED, at=2, **LOCAL))
    assert not seen.unseen


def test_a_released_order_is_withdrawn_until_it_leaves_and_left_alone_on_its_way():
    state = fired(kept())
    assert cancel_decision(state, C.QUEUED).action is Action.WITHDRAW
    assert replace_decision(state, C.QUEUED).action is Action.IN_PLACE
    assert cancel_decision(state, C.SENDING).action is Action.QUEUE
    assert replace_decision(state, C.SENDING).reason == "not_yet_acknowledged"
    assert replace_decision(state, C.UNKNOWN).reason == "unknown_outcome"


def test_a_trail_moves_the_stop_without_a_new_version():
    state = trailing()
    assert state.stop_px == dec(95)
    for n, (anchor, stop) in enumerate(((110, 105), (120, 115)), 2):
        moved = report(
            E.RESTATED, at=n, anchor_px=dec(anchor), stop_px=stop,
            restatement_reason="TRAILED", **LOCAL,
        )  # fmt: skip
        state = run(state, moved)
        assert state.stop_px == dec(stop)
    assert len(state.versions) == 1
    assert state_from(facts_json(state), ()) == state


def test_another_distance_keeps_the_anchor_and_lets_the_stop_move_back():
    state = trailing()
    wider = report(
        E.REPLACED, at=3, cl_ord_id="Y", orig_cl_ord_id="X", venue_cl_ord_id="Y1",
        stop_px=95, trail_offset=dec(20), **LOCAL,
    )  # fmt: skip
    state = run(state, wider)
    assert (state.trailed.anchor_px, state.trailed.stop_px) == (dec(100), None)
    assert (state.stop_px, state.trail_offset) == (dec(90), dec(20))


def test_another_quantity_leaves_the_trail_where_it_is():
    more = report(
        E.REPLACED, at=3, cl_ord_id="Y", orig_cl_ord_id="X", venue_cl_ord_id="Y1",
        stop_px=95, order_qty=20, **LOCAL,
    )  # fmt: skip
    state = run(trailing(), more)
    assert (state.order_qty, state.stop_px) == (dec(20), dec(95))


def test_a_trail_that_fires_gives_its_limit_the_price_it_was_sent_with():
    state = fired(trailing(), stop_px=95, price=94, anchor_px=dec(100))
    assert (state.price, state.stop_px, state.venue_cl_ord_id) == (dec(94), dec(95), ID)
    found = report(
        E.ORDER_STATUS, 4, ord_status=S.NEW, order_qty=10, price=94, cum_qty=0,
        venue_cl_ord_id=ID, source=ReportSource.RECON,
    )  # fmt: skip
    assert [version.terms.price for version in run(state, found).versions] == [None, dec(94)]


def gtd(*words) -> OrderState:
    end = START + timedelta(seconds=5)
    terms = Terms(dec(10), price=dec(100), time_in_force=TimeInForce.GTD, expire_time=end)
    return run(new_state(ID, "X", terms), report(E.NEW, 1, order_id="V1"), *words)


def test_what_we_take_back_at_its_time_has_expired_and_its_fills_stand():
    ask = report(E.PENDING_CANCEL, at=5, cl_ord_id=expiry_id(ID, 1), **LOCAL)
    late_fill = trade("t1", 4, seq=2)
    confirmed = report(E.CANCELED, 3, cl_ord_id=expiry_id(ID, 1))
    state = gtd(ask, late_fill, confirmed)
    assert (state.ord_status, state.cum_qty, state.leaves_qty) == (S.EXPIRED, dec(4), dec(0))


def test_what_a_person_takes_back_is_canceled():
    ask = report(E.PENDING_CANCEL, at=5, cl_ord_id=f"{ID}-C1", **LOCAL)
    assert gtd(ask, report(E.CANCELED, 3, cl_ord_id=f"{ID}-C1")).ord_status is S.CANCELED
    assert gtd(report(E.CANCELED, 3)).ord_status is S.CANCELED


def test_ids_of_expiries_are_our_own():
    assert is_expiry_id(expiry_id(ID, 2))
    assert not is_expiry_id(f"{ID}-C2")
    assert is_reserved_cl_ord_id(expiry_id(ID, 1))


def test_our_refusal_ends_an_order_we_kept():
    state = run(kept(), report(E.REJECTED, at=2, **LOCAL))
    assert state.ord_status is S.REJECTED
    assert apply(kept(), report(E.EXPIRED, at=2, **LOCAL)).state.ord_status is S.EXPIRED
