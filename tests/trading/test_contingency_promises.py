"""What the rules of lists promise, whatever the kind and whatever executed."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.trading.contingent import BRACKET, OCO, RESIZE, SEND, D, leg, order, terms
from trading.contingency import ContingencyType, LegOrder, LegState, desired, wanted_leaves

KINDS = st.sampled_from(ContingencyType)
FILLS = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 40)), max_size=6)


def with_fills(kind, fills):
    """Three working legs of 100 after these executions; a bracket's exits work for what it has."""
    done = [0, 0, 0]
    for number, quantity in fills:
        done[number] = min(100, done[number] + quantity)
    orders = [
        order(f"o{number}", leaves=100 - cum, cum=cum)
        if cum < 100
        else order(f"o{number}", cum=cum)
        for number, cum in enumerate(done)
    ]
    return [leg(100, one, is_stop=number == 2) for number, one in enumerate(orders)]


def settled(terms, legs):
    """The legs once everything asked for has come true."""
    legs = list(legs)
    for _ in range(12):
        actions = desired(terms, legs)
        if not actions:
            return legs
        for action in actions:
            legs[action.leg] = came_true(legs[action.leg], action)
    raise AssertionError(f"no rest: {actions} for {legs}")


def came_true(held, action):
    if action.kind is SEND:
        new = LegOrder(f"n{len(held.orders)}", D(0), action.order_qty, LegState.WORKING)
        return replace(held, orders=(*held.orders, new))
    left = D(0)
    found = next(one for one in held.orders if one.order_id == action.order_id)
    if action.kind is RESIZE:
        left = max(D(0), action.order_qty - found.cum_qty)
    state = LegState.WORKING if left else LegState.CLOSED
    changed = replace(found, leaves_qty=left, state=state)
    return replace(held, orders=tuple(changed if o is found else o for o in held.orders))


@given(KINDS, FILLS, st.booleans())
def test_what_was_asked_for_is_not_asked_for_again(kind, fills, in_place):
    wanted = terms(kind, amends_in_place=in_place)
    legs = settled(wanted, with_fills(kind, fills))
    assert desired(wanted, legs) == []
    assert settled(wanted, legs) == legs


@given(KINDS, FILLS, st.randoms(use_true_random=False))
def test_executions_in_any_order_end_the_same(kind, fills, random):
    shuffled = fills[:]
    random.shuffle(shuffled)
    one, other = with_fills(kind, fills), with_fills(kind, shuffled)
    assert wanted_leaves(terms(kind), one) == wanted_leaves(terms(kind), other)
    assert settled(terms(kind), one) == settled(terms(kind), other)


@given(FILLS)
def test_after_the_first_execution_of_an_oco_one_leg_alone_is_wanted(fills):
    legs = with_fills(ContingencyType.OCO, fills)
    wanted = [quantity for quantity in wanted_leaves(OCO, legs) if quantity]
    assert len(wanted) == 3 if not fills else len(wanted) <= 1


@given(FILLS)
def test_exits_are_never_wanted_for_more_than_the_entry_has_open(fills):
    legs = with_fills(ContingencyType.OTOCO, fills)
    entry, target, stop = legs
    _, *exits = wanted_leaves(BRACKET, legs)
    for quantity in exits:
        assert 0 <= quantity <= max(0, entry.cum_qty - target.cum_qty - stop.cum_qty)
