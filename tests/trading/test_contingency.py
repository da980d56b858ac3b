"""Lists of orders that depend on each other: targets, the commands towards them, and races."""

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.trading.contingent import (
    BRACKET,
    CANCEL,
    OCO,
    RESIZE,
    SEND,
    D,
    acts,
    bracket,
    leg,
    order,
    terms,
)
from trading.contingency import (
    Action,
    ContingencyType,
    LegOrder,
    LegState,
    ListTerms,
    Release,
    Sizing,
    desired,
    overfill_qty,
    unprotected_qty,
    wanted_leaves,
)

# --- brackets -------------------------------------------------------------------------------


def test_exits_are_held_until_the_entry_trades():
    assert desired(BRACKET, bracket([order("e", leaves=100)])) == []


def test_a_partial_fill_of_the_entry_releases_both_exits_for_it_stop_first():
    legs = bracket([order("e", leaves=60, cum=40)])
    assert acts(desired(BRACKET, legs)) == [(SEND, 2, 40, ""), (SEND, 1, 40, "")]


def test_exits_grow_with_the_entry_stop_first_and_shrink_target_first():
    grown = bracket([order("e", cum=100)], [order("s", 40)], [order("t", 40)])
    assert acts(desired(BRACKET, grown)) == [(RESIZE, 2, 100, "s"), (RESIZE, 1, 100, "t")]
    shrunk = bracket([order("e", cum=30)], [order("s", 40)], [order("t", 40)])
    assert acts(desired(BRACKET, shrunk)) == [(RESIZE, 1, 30, "t"), (RESIZE, 2, 30, "s")]


def test_what_an_exit_executes_is_taken_off_its_sibling():
    legs = bracket([order("e", cum=100)], [order("s", 100)], [order("t", 70, cum=30)])
    assert acts(desired(BRACKET, legs)) == [(RESIZE, 2, 70, "s")]


def test_the_last_execution_of_one_exit_cancels_the_other():
    legs = bracket([order("e", cum=100)], [order("s", 100)], [order("t", cum=100)])
    assert acts(desired(BRACKET, legs)) == [(CANCEL, 2, 0, "s")]


def test_an_entry_that_was_cancelled_keeps_its_exits_for_what_it_executed():
    legs = bracket([order("e", cum=40)], [order("s", 40)], [order("t", 40)])
    assert desired(BRACKET, legs) == []


def test_an_entry_that_ended_with_nothing_sends_nothing():
    assert desired(BRACKET, bracket([order("e", unsolicited=True)])) == []


def test_a_rejected_exit_leaves_its_sibling_and_is_sent_again_if_so_agreed():
    legs = bracket([order("e", cum=100)], [order("s", unsolicited=True)], [order("t", 100)])
    assert desired(BRACKET, legs) == []
    assert unprotected_qty(BRACKET, legs) == 100
    resending = terms(ContingencyType.OTOCO, resends=True)
    assert acts(desired(resending, legs)) == [(SEND, 2, 100, "")]


def test_without_amending_in_place_the_new_stop_comes_before_the_old_one_goes():
    slow = terms(ContingencyType.OTOCO, amends_in_place=False)
    legs = bracket([order("e", cum=100)], [order("s1", 40)], [order("t1", 40)])
    assert acts(desired(slow, legs)) == [(SEND, 2, 100, ""), (CANCEL, 1, 0, "t1")]
    legs = bracket([order("e", cum=100)], [order("s1", 40), order("s2", 100)], [order("t1")])
    assert acts(desired(slow, legs)) == [(CANCEL, 2, 0, "s1"), (SEND, 1, 100, "")]


def test_an_older_stop_stays_until_the_newer_one_is_acknowledged_and_if_it_is_refused():
    slow = terms(ContingencyType.OTOCO, amends_in_place=False)
    sent = order("s2", 100, is_acknowledged=False)
    legs = bracket([order("e", cum=100)], [order("s1", 40), sent], [order("t", 100)])
    assert desired(slow, legs) == []
    legs = bracket([order("e", cum=100)], [order("s1", 40), order("s2", 100)], [order("t", 100)])
    assert acts(desired(slow, legs)) == [(CANCEL, 2, 0, "s1")]
    refused = order("s2", unsolicited=True)
    legs = bracket([order("e", cum=100)], [order("s1", 40), refused], [order("t", 100)])
    assert desired(slow, legs) == []
    assert unprotected_qty(slow, legs) == 60


def test_an_unknown_outcome_counts_as_working_and_nothing_is_sent_for_its_leg():
    lost = order("s", 40, state=LegState.UNKNOWN)
    legs = bracket([order("e", cum=100)], [lost], [order("t", 40)])
    assert acts(desired(BRACKET, legs)) == [(RESIZE, 1, 100, "t")]
    assert unprotected_qty(BRACKET, legs) == 100, "what is unknown does not protect"


def test_a_command_under_way_is_waited_for():
    legs = bracket([order("e", cum=100)], [order("s", 40, is_changing=True)], [order("t", 100)])
    assert desired(BRACKET, legs) == []


def test_both_exits_that_filled_are_an_overfill():
    legs = bracket([order("e", cum=100)], [order("s", cum=100)], [order("t", cum=60)])
    assert overfill_qty(BRACKET, legs) == 60
    assert desired(BRACKET, legs) == []


def test_a_late_fill_of_the_entry_after_the_exits_are_done_is_unprotected():
    done = bracket([order("e", cum=100)], [order("s")], [order("t", cum=60)])
    assert unprotected_qty(BRACKET, done) == 40
    assert acts(desired(BRACKET, done)) == [(SEND, 2, 40, ""), (SEND, 1, 40, "")]


def test_full_fill_release_waits_and_an_entry_that_ended_early_releases_what_it_has():
    whole = terms(ContingencyType.OTOCO, release=Release.ON_FULL_FILL)
    assert desired(whole, bracket([order("e", leaves=60, cum=40)])) == []
    assert acts(desired(whole, bracket([order("e", cum=40)])))[0] == (SEND, 2, 40, "")


def test_less_than_the_venue_takes_is_carried_and_counts_as_unprotected():
    coarse = replace(BRACKET, lot=D(10), min_qty=D(20))
    legs = bracket([order("e", leaves=85, cum=15)])
    assert desired(coarse, legs) == []
    assert unprotected_qty(coarse, legs) == 15
    legs = bracket([order("e", leaves=65, cum=35)])
    assert acts(desired(coarse, legs)) == [(SEND, 2, 30, ""), (SEND, 1, 30, "")]


def test_a_leg_the_client_took_back_is_cancelled_and_stays_away():
    legs = bracket([order("e", cum=100)], [order("s", 100)], [order("t", 100)])
    legs[1] = replace(legs[1], is_withdrawn=True)
    assert acts(desired(BRACKET, legs)) == [(CANCEL, 1, 0, "t")]


# --- the other kinds ------------------------------------------------------------------------


def test_one_execution_of_any_size_cancels_the_others():
    legs = [leg(50, order("a", 49, cum=1)), leg(80, order("b", 80)), leg(10, order("c", 10))]
    assert acts(desired(OCO, legs)) == [(CANCEL, 1, 0, "b"), (CANCEL, 2, 0, "c")]


def test_a_leg_the_venue_ended_cancels_the_others_too():
    legs = [leg(50, order("a", unsolicited=True)), leg(80, order("b", 80))]
    assert acts(desired(OCO, legs)) == [(CANCEL, 1, 0, "b")]


def test_the_first_of_two_that_executed_keeps_working_and_the_excess_is_told():
    legs = [leg(50, order("a", 20, cum=30)), leg(50, order("b", 10, cum=40))]
    assert wanted_leaves(OCO, legs) == (20, 0)
    assert overfill_qty(OCO, legs) == 20


def test_absolute_updates_take_off_the_quantity_and_proportional_ones_the_share():
    legs = [leg(100, order("a", 60, cum=40)), leg(50, order("b", 50))]
    absolute = terms(ContingencyType.OUO_ABSOLUTE)
    assert acts(desired(absolute, legs)) == [(RESIZE, 1, 10, "b")]
    share = terms(ContingencyType.OUO_PROPORTIONAL)
    assert acts(desired(share, legs)) == [(RESIZE, 1, 30, "b")]


def test_proportional_shares_are_exact_and_rounded_down_to_the_lot():
    share = terms(ContingencyType.OUO_PROPORTIONAL)
    legs = [leg(3, order("a", 2, cum=1)), leg(100, order("b", 100))]
    assert wanted_leaves(share, legs) == (2, 66)


@pytest.mark.parametrize(("sizing", "size"), [(Sizing.MATCH, 40), (Sizing.FIXED, 70)])
def test_one_triggers_the_other_for_as_much_as_agreed(sizing, size):
    oto = terms(ContingencyType.OTO, sizing=sizing)
    legs = [leg(100, order("a", 60, cum=40)), leg(70)]
    assert acts(desired(oto, legs)) == [(SEND, 1, size, "")]


def test_an_alternative_under_an_amendment_is_cancelled_all_the_same():
    legs = [leg(50, order("a", 49, cum=1)), leg(80, order("b", 80, is_changing=True))]
    assert acts(desired(OCO, legs)) == [(CANCEL, 1, 0, "b")]
    legs[1] = leg(80, order("b", 80, is_ending=True))
    assert desired(OCO, legs) == []


def test_a_stop_no_venue_has_acknowledged_does_not_protect():
    legs = bracket([order("e", cum=100)], [order("s", 100, is_acknowledged=False)], [])
    assert unprotected_qty(BRACKET, legs) == 100


def test_a_stop_the_client_took_back_is_not_owed():
    legs = bracket([order("e", cum=100)], [order("s")], [])
    legs[2] = replace(legs[2], is_withdrawn=True)
    assert unprotected_qty(BRACKET, legs) == 0


# --- whatever happens -----------------------------------------------------------------------


class Market(RuleBasedStateMachine):
    """A bracket at a venue that fills, refuses, loses answers and ends orders as it likes."""

    @initialize(
        in_place=st.booleans(), release=st.sampled_from(Release), lot=st.sampled_from([1, 5])
    )
    def begin(self, in_place, release, lot):
        self.terms = ListTerms(
            ContingencyType.OTOCO,
            lot=D(lot),
            min_qty=D(lot),
            amends_in_place=in_place,
            release=release,
        )
        self.legs = [leg(100), leg(100), leg(100, is_stop=True)]
        self.made = 0
        self.raced = False
        self.carry_out()

    def change(self, number, name, **figures):
        orders = [
            replace(one, **figures) if one.order_id == name else one
            for one in self.legs[number].orders
        ]
        self.legs[number] = replace(self.legs[number], orders=tuple(orders))

    def one(self, action: Action):
        if action.kind is SEND:
            self.made += 1
            new = LegOrder(f"o{self.made}", D(0), action.order_qty, LegState.WORKING)
            held = self.legs[action.leg]
            self.legs[action.leg] = replace(held, orders=(*held.orders, new))
            return
        old = next(o for o in self.legs[action.leg].orders if o.order_id == action.order_id)
        if action.kind is CANCEL:
            self.change(action.leg, old.order_id, leaves_qty=D(0), state=LegState.CLOSED)
        else:
            left = max(D(0), action.order_qty - old.cum_qty)
            state = LegState.WORKING if left else LegState.CLOSED
            self.change(action.leg, old.order_id, leaves_qty=left, state=state)

    def carry_out(self):
        for _ in range(12):
            actions = desired(self.terms, self.legs)
            if not actions:
                return
            for action in actions:
                self.one(action)
        raise AssertionError(f"no rest: {actions} for {self.legs}")

    def live(self):
        return [(n, o) for n, one in enumerate(self.legs) for o in one.live]

    @precondition(lambda self: self.live())
    @rule(data=st.data(), share=st.integers(1, 100), at_once=st.booleans())
    def fill(self, data, share, at_once):
        number, found = data.draw(st.sampled_from(self.live()))
        quantity = max(D(1), found.leaves_qty * share // 100)
        left = found.leaves_qty - quantity
        state = found.state if left > 0 else LegState.CLOSED
        self.change(
            number, found.order_id, cum_qty=found.cum_qty + quantity, leaves_qty=left, state=state
        )
        self.raced |= not at_once and number != 0
        if at_once:
            self.carry_out()

    @precondition(lambda self: self.live())
    @rule(data=st.data())
    def venue_ends_one(self, data):
        number, found = data.draw(st.sampled_from(self.live()))
        figures = {"leaves_qty": D(0), "state": LegState.CLOSED, "unsolicited": True}
        self.change(number, found.order_id, **figures)
        self.carry_out()

    @rule()
    def sweep(self):
        self.carry_out()

    @invariant()
    def exits_never_close_more_than_was_opened_unless_they_raced(self):
        if not self.raced:
            assert overfill_qty(self.terms, self.legs) == 0

    @invariant()
    def after_a_sweep_each_leg_has_what_it_should_and_sweeping_again_does_nothing(self):
        self.carry_out()
        wanted = wanted_leaves(self.terms, self.legs)
        assert tuple(one.live_qty for one in self.legs) == wanted
        assert desired(self.terms, self.legs) == []
        entry, *exits = self.legs
        open_qty = entry.cum_qty - sum((one.cum_qty for one in exits), D(0))
        for one in exits:
            assert one.live_qty <= max(D(0), open_qty)


TestAnyBracket = Market.TestCase


@given(
    st.sampled_from([ContingencyType.OUO_ABSOLUTE, ContingencyType.OUO_PROPORTIONAL]),
    st.lists(st.tuples(st.integers(1, 100), st.integers(0, 100)), min_size=2, max_size=5),
)
def test_updated_legs_never_ask_for_more_than_is_left(kind, figures):
    legs = [
        leg(qty, order(f"o{n}", leaves=qty - min(cum, qty), cum=min(cum, qty)))
        for n, (qty, cum) in enumerate(figures)
    ]
    for one, wanted in zip(legs, wanted_leaves(terms(kind), legs), strict=True):
        assert 0 <= wanted <= one.order_qty - one.cum_qty
