"""Lots: what a fill closes, opens and realises; and what no sequence of fills can break."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal, getcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading import exact
from trading.lots import (
    ORDERINGS,
    Lot,
    TaxLotMethod,
    apply_fill,
    relieve,
    total_cost,
    total_qty,
)
from trading.vocabulary import Side

D = Decimal
DAY = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)


def lot(name: str, qty: str, unit: str, minute: int = 0) -> Lot:
    return Lot(name, DAY + timedelta(minutes=minute), D(qty), D(qty) * D(unit))


def fill(lots, side: Side, qty: str, px: str, *, name: str = "new", **more):
    return apply_fill(lots, lot_id=name, side=side, last_qty=D(qty), last_px=D(px), at=DAY, **more)


def test_first_purchase_opens_a_lot():
    change = fill([], Side.BUY, "10", "1250.5")
    assert change.opened == Lot("new", DAY, D(10), D(12505))
    assert change.lots == (change.opened,)
    assert (change.gross, change.realized, change.closures) == (D(12505), 0, ())


def test_sale_relieves_the_oldest_lot_and_realises_its_gain():
    change = fill([lot("a", "10", "100"), lot("b", "10", "120", 1)], Side.SELL, "4", "130")
    assert change.realized == D(120)
    assert change.opened is None
    assert change.touched == (lot("a", "6", "100"),)
    assert total_cost(change.lots) == D(600 + 1200)


@pytest.mark.parametrize(
    ("method", "closed"),
    [(TaxLotMethod.FIFO, "a"), (TaxLotMethod.LIFO, "c"), (TaxLotMethod.HIFO, "b")],
)
def test_each_method_relieves_its_own_lot_first(method, closed):
    lots = [lot("c", "1", "110", 2), lot("a", "1", "100", 0), lot("b", "1", "120", 1)]
    assert relieve(lots, D(1), method).closed[0].lot_id == closed


def test_highest_cost_of_a_short_is_the_lot_sold_cheapest():
    shorts = [lot("dear", "-1", "120"), lot("cheap", "-1", "90", 1)]
    assert relieve(shorts, D(1), TaxLotMethod.HIFO).closed[0].lot_id == "cheap"


def test_equal_lots_are_told_apart_by_id():
    twins = [lot("z", "1", "100"), lot("m", "1", "100")]
    for method in TaxLotMethod:
        assert [one.lot_id for one in relieve(twins, D(2), method).closed] == ["m", "z"]


def test_short_sale_and_buying_back_realises_the_fall():
    short = fill([], Side.SELL_SHORT, "5", "100").lots
    assert total_qty(short) == -5
    assert total_cost(short) == -500
    back = fill(short, Side.BUY, "5", "90")
    assert back.realized == 50
    assert back.lots == ()


def test_a_fill_through_zero_closes_then_opens_the_other_side():
    change = fill([lot("a", "10", "100")], Side.SELL, "15", "110")
    assert change.realized == 100
    assert change.opened == Lot("new", DAY, D(-5), D(-550))
    assert change.lots == (change.opened,)


def test_multiplier_turns_points_into_money():
    opened = fill([], Side.BUY, "2", "50.25", multiplier=D(1000))
    assert opened.gross == D(100500)
    assert fill(opened.lots, Side.SELL, "2", "50.50", multiplier=D(1000)).realized == 500


def test_a_partly_closed_lot_keeps_every_digit_of_its_cost():
    odd = Lot("odd", DAY, D(3), D(100))
    first = relieve([odd], D(1), TaxLotMethod.FIFO)
    assert first.closed[0].cost == D("33.333333333333333333")
    assert first.remaining[0].cost == D("66.666666666666666667")


def test_digits_beyond_the_default_context_survive():
    qty, px = "999999999999.999999999999", "999999999999.99"
    change = fill([], Side.BUY, qty, px)
    assert getcontext().prec == 28
    assert change.gross != D(qty) * D(px)  # what plain arithmetic would have booked
    assert str(change.gross) == "999999999999989999999999.000000000000010000"


@pytest.mark.parametrize("qty", ["0", "-1"])
def test_a_fill_of_nothing_is_refused(qty):
    with pytest.raises(ValueError, match="positive quantity"):
        fill([], Side.BUY, qty, "1")


def test_more_than_is_held_cannot_be_relieved():
    with pytest.raises(ValueError, match="cannot close"):
        relieve([lot("a", "1", "1")], D("1.01"), TaxLotMethod.FIFO)


def test_lots_of_both_sides_are_no_position():
    with pytest.raises(ValueError, match="all long or all short"):
        relieve([lot("a", "1", "1"), lot("b", "-1", "1")], D(1), TaxLotMethod.FIFO)


def test_every_method_has_an_ordering():
    assert set(ORDERINGS) == set(TaxLotMethod)


# --- properties -----------------------------------------------------------------------------

quantities = st.decimals(min_value="0.00000001", max_value="1000000", places=8)
prices = st.decimals(min_value="-40", max_value="100000", places=4)
costs = st.decimals(min_value="0", max_value="1e12", places=18)
methods = st.sampled_from(TaxLotMethod)
sides = st.sampled_from(Side)


@st.composite
def open_lots(draw):
    sign = draw(st.sampled_from((1, -1)))
    rows = draw(st.lists(st.tuples(quantities, costs, st.integers(0, 500)), max_size=6))
    return [
        Lot(
            f"lot-{n}",
            DAY + timedelta(minutes=minute),
            exact.signed(qty, sign),
            exact.signed(cost, sign),
        )
        for n, (qty, cost, minute) in enumerate(rows)
    ]


@given(lots=open_lots(), part=st.integers(0, 10**9), method=methods)
def test_cost_closed_and_cost_remaining_are_the_cost_before(lots, part, method):
    held = abs(total_qty(lots))
    qty = min(held, (held * part / 10**9).quantize(D("1e-8")))
    split = relieve(lots, qty, method)
    assert abs(total_qty(split.closed)) == qty
    assert exact.add(total_qty(split.closed), total_qty(split.remaining)) == total_qty(lots)
    assert exact.add(total_cost(split.closed), total_cost(split.remaining)) == total_cost(lots)


@given(lots=open_lots(), side=sides, qty=quantities, px=prices, method=methods)
def test_a_fill_moves_units_and_money_without_losing_any(lots, side, qty, px, method):
    change = apply_fill(
        lots, lot_id="new", side=side, last_qty=qty, last_px=px, at=DAY, method=method
    )
    moved = qty if side is Side.BUY else -qty
    assert total_qty(change.lots) == exact.add(total_qty(lots), moved)
    assert total_cost(change.lots) == exact.add(total_cost(lots), change.cost_delta)
    # What was paid is now cost of the position or was spent on closing: the rest is the gain.
    assert exact.subtract(change.cost_delta, change.gross) == change.realized
    assert len({one.qty > 0 for one in change.lots}) <= 1


@given(fills=st.lists(st.tuples(sides, quantities, prices), max_size=12), method=methods)
def test_realised_gain_of_a_flat_round_trip_is_the_money_left_over(fills, method):
    lots: tuple[Lot, ...] = ()
    cash, realized = D(0), D(0)

    def book(n, side, qty, px):
        nonlocal lots, cash, realized
        change = apply_fill(
            lots,
            lot_id=f"{n:03}",
            side=side,
            last_qty=qty,
            last_px=px,
            at=DAY + timedelta(minutes=n),
            method=method,
        )
        lots = change.lots
        cash = exact.subtract(cash, change.gross)
        realized = exact.add(realized, change.realized)

    for n, (side, qty, px) in enumerate(fills):
        book(n, side, qty, px)
    left = total_qty(lots)
    if left != 0:
        book(len(fills), Side.SELL if left > 0 else Side.BUY, abs(left), D("12.3456"))
    assert lots == ()
    assert realized == cash
