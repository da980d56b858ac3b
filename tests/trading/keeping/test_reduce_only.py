"""Reduce-only orders after the position shrank: the newest give way first."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from trading.keeping.reduce_only import Cut, Reducing, cuts, reducible
from trading.vocabulary import Side


def order(name: str, leaves: int, cum: int = 0) -> Reducing:
    return Reducing(name, Decimal(cum), Decimal(leaves))


def test_what_fits_stays_as_it_is():
    assert cuts(Decimal(10), [order("A", 6), order("B", 4)]) == []


def test_the_newest_is_reduced_to_what_is_left():
    assert cuts(Decimal(4), [order("A", 10)]) == [Cut("A", Decimal(4))]
    assert cuts(Decimal(8), [order("B", 4, cum=3), order("A", 6)]) == [Cut("B", Decimal(5))]


def test_what_has_no_room_at_all_is_taken_back():
    found = cuts(Decimal(2), [order("A", 3), order("B", 4), order("C", 5)])
    assert found == [Cut("C", None), Cut("B", None), Cut("A", Decimal(2))]
    assert cuts(Decimal(0), [order("A", 1)]) == [Cut("A", None)]


def test_only_the_other_side_of_a_position_reduces_it():
    assert reducible(Side.SELL, Decimal(4)) == 4
    assert reducible(Side.SELL, Decimal(-4)) == 0
    assert reducible(Side.BUY, Decimal(-4)) == 4
    assert reducible(Side.BUY, Decimal(4)) == 0


@given(
    room=st.integers(0, 50).map(Decimal),
    sizes=st.lists(st.tuples(st.integers(0, 9), st.integers(1, 20)), max_size=6),
)
def test_what_remains_fits_and_no_more_is_cut_than_must_be(room, sizes):
    working = [order(f"{n:02}", leaves, cum) for n, (cum, leaves) in enumerate(sizes)]
    totals = {one.id: one.cum_qty + one.leaves_qty for one in working}
    cum = {one.id: one.cum_qty for one in working}
    before = sum(one.leaves_qty for one in working)
    for cut in cuts(room, working):
        totals[cut.id] = cum[cut.id] if cut.order_qty is None else cut.order_qty
    after = sum(totals[name] - cum[name] for name in totals)
    assert after == min(before, room)
